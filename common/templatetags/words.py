"""The words that scripts show, in the reader's language: {% script_words %} puts them into the page as JSON.

Each script asks by the English sentence: t("%(n)s new lines", {n: 312}). tests/js/words.test.js fails for a
sentence that a script asks for and this list lacks.
"""

from django import template
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_
from django.utils.translation import pgettext

register = template.Library()

STATE_WORDS = frozenset(
    (
        n_("active"),
        n_("cancelled"),
        n_("connecting"),
        n_("created"),
        n_("dead"),
        n_("disabled"),
        n_("done"),
        n_("error"),
        n_("exited"),
        n_("failed"),
        n_("healthy"),
        n_("in use"),
        n_("interrupted"),
        n_("lost"),
        n_("online"),
        n_("paused"),
        n_("queued"),
        n_("refused"),
        n_("removing"),
        n_("restarting"),
        n_("running"),
        n_("slow"),
        n_("starting"),
        n_("unhealthy"),
        n_("unknown"),
        n_("unreachable"),
        n_("unused"),
        n_("warning"),
        n_("wrong_certificate"),
    )
)

SCRIPT_WORDS = (
    n_("%(span)s ago"),
    n_("Connection lost, trying again"),
    n_("Connected again"),
    n_("Copied"),
    n_("Could not copy; select the text and copy it by hand"),
    n_("Cancel"),
    n_("Continue"),
    n_("Close"),
    n_("The server did not answer. Check your connection and try again."),
    n_("%(n)s chosen"),
)


def spans() -> dict[str, str]:
    """The units of relative times."""
    return {
        "s": pgettext("seconds", "%(n)s s"),
        "min": pgettext("minutes", "%(n)s min"),
        "h": pgettext("hours", "%(n)s h"),
        "d": pgettext("days", "%(n)s d"),
        "y": pgettext("years", "%(n)s y"),
    }


@register.simple_tag
def script_words() -> SafeString:
    """A JSON data block with id "words": English sentence -> sentence in the reader's language."""
    return json_script(
        {**{word: _(word) for word in sorted(STATE_WORDS) + list(SCRIPT_WORDS)}, **spans()}, "words"
    )
