"""A .env file, as Compose reads one: comments, `export`, quotes over several lines, escapes, variables of earlier lines."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.interpolate import FOUND
from hosts.specs.kinds import shown

AT_MOST = 256 * 1024  # characters
WRONG_AT_MOST = 20  # lines that are named
SPACE = " \t\v\f\r\x85\xa0"
NAME = re.compile(r"[\w.\[\]-]+")
QUOTED_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"[ \t]*=')  # ours, for a name that no .env file can have
ESCAPE = re.compile(r'\\([abcfnrtv$"\\]|0[0-7]{0,3})')
ESCAPED = {"a": "\a", "b": "\b", "c": "c", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}
PLAIN = re.compile(r"[^\s'\"$\\#][^\n\r$\\]*|")


@dataclass
class DotEnv:
    """What a file says, and what is wrong in it, each with its line."""

    pairs: dict[str, str] = field(default_factory=dict)
    wrong: list[Invalid] = field(default_factory=list)


def parse(text: str, place: str = "env") -> DotEnv:
    """All lines; one that is wrong is named, and the next one read."""
    if len(text) > AT_MOST or "\0" in text or "\ufffd" in text:
        sentence = gettext_noop("This is no .env file: it is not text, or larger than 256 KB.")
        return DotEnv(wrong=[Invalid(place, sentence)])
    return _Parser(text.removeprefix("\ufeff").replace("\r\n", "\n"), place).run()


class _Parser:
    def __init__(self, text: str, place: str) -> None:
        self.text, self.place, self.at, self.found = text, place, 0, DotEnv()

    def run(self) -> DotEnv:
        while self._next_statement() and len(self.found.wrong) < WRONG_AT_MOST:
            begin = self.at
            try:
                name = self._name()
                self.found.pairs[name] = self._value()
            except Invalid as error:
                error.field = self.place
                error.params["line"] = self.text.count("\n", 0, begin) + 1
                self.found.wrong.append(error)
                self.at = self._line_end(begin)
        return self.found

    def _next_statement(self) -> bool:
        """Goes behind empty lines and comments; whether anything comes."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                self.at = self._line_end()
            elif not self.text[self.at].isspace():
                return True
            else:
                self.at += 1
        return False

    def _line_end(self, begin: int | None = None) -> int:
        found = self.text.find("\n", self.at if begin is None else begin)
        return len(self.text) if found < 0 else found

    def _name(self) -> str:
        line = self.text[self.at : self._line_end()]
        if quoted := QUOTED_NAME.match(line):
            self.at += quoted.end()
            return _unescaped(quoted[1]).replace("$$", "$")
        skipped = len(line) - len(re.sub(r"^export[ \t]+", "", line))
        sign = re.search(r"[=:]", line[skipped:])
        name = (line[skipped:][: sign.start()] if sign else line[skipped:]).strip(SPACE)
        if not sign:
            raise Invalid(
                self.place,
                gettext_noop("Line %(line)s: “%(value)s” has no value here. Write NAME=value."),
                {"value": shown(name.split(" #")[0])},
            )
        if not NAME.fullmatch(name):
            raise Invalid(
                self.place,
                gettext_noop("Line %(line)s: “%(value)s” is no name of a variable."),
                {"value": shown(name)},
            )
        self.at += skipped + sign.end()
        return name

    def _value(self) -> str:
        while self.text[self.at : self.at + 1] and self.text[self.at] in SPACE:
            self.at += 1
        quote = self.text[self.at : self.at + 1]
        if quote not in {"'", '"'} or not quote:
            end = self._line_end()
            value, self.at = self.text[self.at : end].split(" #")[0].rstrip(), end
            return self._expanded(value)
        value = self._quoted(quote)
        return self._expanded(_unescaped(value)) if quote == '"' else value

    def _quoted(self, quote: str) -> str:
        """Up to the quote's end; a backslash stays, but for one before the quote itself."""
        chars: list[str] = []
        escaped, at = False, self.at + 1
        while at < len(self.text):
            char = self.text[at]
            at += 1
            if char == quote and not escaped:
                self.at = at
                return "".join(chars)
            if char == "\\" and not escaped:
                escaped = True
                continue
            chars.append(char if char == quote or not escaped else f"\\{char}")
            if char == quote and quote == '"':
                chars[-1] = '\\"'  # taken away with the other escapes
            escaped = False
        raise Invalid(self.place, gettext_noop("Line %(line)s: a quote is opened and not closed."))

    def _expanded(self, value: str) -> str:
        return FOUND.sub(self._variable, value)

    def _variable(self, found: "re.Match[str]") -> str:
        if found["dollar"]:
            return "$"
        value = self.found.pairs.get(found["name"] or found["plain"])
        colon = found[0].partition(found["name"] or found["plain"])[2].startswith(":")
        there = value is not None and (value != "" or not colon)
        match found["sign"]:
            case "-":
                return str(value) if there else found["word"]
            case "+":
                return found["word"] if there else ""
        if value is not None and (there or found["sign"] is None):
            return value
        raise Invalid(
            self.place,
            gettext_noop(
                "Line %(line)s: the variable %(name)s has no value here. Write the value, or put it in 'single quotes' "
                "where the dollar belongs to it."
            ),
            {"name": found["name"] or found["plain"]},
        )


def _unescaped(text: str) -> str:
    """Escapes of double quotes replaced; an escaped dollar is doubled, which the expansion of variables takes back."""

    def one(found: "re.Match[str]") -> str:
        letter = found[1]
        if letter == "$":
            return "$$"
        return chr(int(letter, 8)) if letter.startswith("0") else ESCAPED[letter]

    return ESCAPE.sub(one, text)


def show(pairs: dict[str, str]) -> str:
    """The opposite: reads back as it was."""
    return "\n".join(f"{_name(name)}={_shown(value)}" for name, value in pairs.items())


def _name(name: str) -> str:
    return name if NAME.fullmatch(name) else _in_quotes(name).replace("\n", "\\n")


def _shown(value: str) -> str:
    if PLAIN.fullmatch(value) and " #" not in value and value == value.strip():
        return value
    return f"'{value}'" if "'" not in value and "\\" not in value and "\r" not in value else _in_quotes(value)


def _in_quotes(text: str) -> str:
    for char, escaped in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\r", "\\r")):
        text = text.replace(char, escaped)
    return f'"{text}"'
