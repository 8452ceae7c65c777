"""The words of a command line that somebody pasted. Nothing is executed, so what only a shell can do is refused."""

import re
import shlex

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.kinds import shown

AT_MOST = 64 * 1024  # characters
OPERATORS = set(";|&<>\n()")
EXPANDED = re.compile(r"\$[A-Za-z_{(]|`")


def split(text: str) -> list[str]:
    """Its words as a POSIX shell splits them. Raises Invalid."""
    if len(text) > AT_MOST or "\0" in text:
        raise Invalid("run", gettext_noop("This is no command line: it is too long, or not text."))
    line = _one_line(text.replace("\r\n", "\n").strip())
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Invalid("run", gettext_noop("A quote is opened in this line and not closed.")) from error


def _one_line(text: str) -> str:
    """Without continued lines. Raises Invalid where a shell would put something in, or do more than one command."""
    out, quote, at = [], "", 0
    while at < len(text):
        char = text[at]
        if char == "\\" and quote != "'":
            pair = text[at : at + 2]
            # between double quotes a shell takes the backslash away before these, and shlex does not
            pair = pair[1:] if quote == '"' and pair[1:] in {"$", "`"} else pair
            out.append("" if pair == "\\\n" else pair)
            at += 2
            continue
        if char in "'\"" and quote in {"", char}:
            quote = "" if quote else char
        elif quote != "'" and (found := EXPANDED.match(text, at)):
            raise Invalid(
                "run",
                gettext_noop("“%(value)s” is for a shell to replace, and nothing is executed here. Write its value."),
                {"value": shown(_word_at(text, found.start()))},
            )
        elif not quote and char in OPERATORS:
            raise Invalid(
                "run",
                gettext_noop("The line goes on behind “%(value)s”: give one docker run command, and quote such signs."),
                {"value": shown(text[max(0, at - 20) : at + 1].strip())},
            )
        out.append(char)
        at += 1
    return "".join(out)


def _word_at(text: str, at: int) -> str:
    return re.split(r"[\s'\"]", text[at:], maxsplit=1)[0]


def join(words: list[str]) -> str:
    """One word after the other, quoted where a shell wants it."""
    return " ".join(shlex.quote(word) for word in words)
