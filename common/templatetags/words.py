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
        n_("dangling"),
        n_("dead"),
        n_("disabled"),
        n_("done"),
        n_("downloaded"),
        n_("downloading"),
        n_("error"),
        n_("exists"),
        n_("exited"),
        n_("extracting"),
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
        n_("retrying"),
        n_("running"),
        n_("skipped"),
        n_("slow"),
        n_("starting"),
        n_("unhealthy"),
        n_("unknown"),
        n_("unreachable"),
        n_("unused"),
        n_("verifying"),
        n_("waiting"),
        n_("warning"),
        n_("wrong_certificate"),
    )
)

SCRIPT_WORDS = (
    n_("Live"),
    n_("1 hour"),
    n_("24 hours"),
    n_("7 days"),
    n_("30 days"),
    n_("1 year"),
    n_("Earlier"),
    n_("Later"),
    n_("Zoom in"),
    n_("Zoom out"),
    n_("Zoom"),
    n_("Time range"),
    n_("max %(value)s"),
    n_("The last 10 minutes, live"),
    n_("Nothing was sampled in this time."),
    n_("%(span)s; a point is %(every)s, the band its lowest to highest"),
    n_("rotated away by the engine"),
    n_("resumed"),
    n_("restarted"),
    n_("unreadable"),
    n_("End of the log."),
    n_("1 hit"),
    n_("%(n)s chosen"),
    n_("%(n)s hits"),
    n_("%(n)s lines skipped: this browser was too slow"),
    n_("%(n)s lines/s"),
    n_("%(n)s more characters"),
    n_("%(n)s new lines"),
    n_("%(n)s of %(total)s"),
    n_("%(n)s older lines were let go (the page holds %(held)s); the download has them all"),
    n_("%(n)s or more hits"),
    n_("%(span)s ago"),
    n_("and %(n)s more"),
    n_("as the image says"),
    n_("Attach to the container"),
    n_("Block I/O"),
    n_("Close"),
    n_("Closed."),
    n_("Connecting"),
    n_("Connection lost, trying again"),
    n_("Copied"),
    n_("Copy"),
    n_("Could not copy; select the text and copy it by hand"),
    n_("CPU"),
    n_("Disconnect"),
    n_("disconnected"),
    n_("Download the whole log"),
    n_("ended"),
    n_("Errors"),
    n_("Fold all"),
    n_("Follow (f)"),
    n_("Following"),
    n_("Info"),
    n_("Limit"),
    n_("lines from %(from)s to %(to)s are missing: %(reason)s"),
    n_("Log of %(names)s"),
    n_("Memory"),
    n_("Mode"),
    n_("Network"),
    n_("New process"),
    n_("Next hit"),
    n_("Next hit (Enter)"),
    n_("No lines yet. New ones appear here by themselves."),
    n_("Not a regular expression: %(why)s"),
    n_("not readable"),
    n_("Paused"),
    n_("Previous hit"),
    n_("Previous hit (Shift+Enter)"),
    n_("Processes"),
    n_("Read"),
    n_("Received"),
    n_("reconnecting"),
    n_("Search by regular expression"),
    n_("Search in this log"),
    n_("Search keys and values"),
    n_("Sent"),
    n_("Shell or command"),
    n_("Show only %(what)s"),
    n_("Start"),
    n_("Start again"),
    n_("Terminal of %(name)s"),
    n_("The connection was lost; the process was ended."),
    n_("The process ended with exit code %(code)s."),
    n_("The process ended."),
    n_("The server closed the log (%(code)s)."),
    n_("The server closed the stream (%(code)s)."),
    n_("The server did not answer. Check your connection and try again."),
    n_("This container is gone."),
    n_("Timestamps"),
    n_("Timestamps (t)"),
    n_("Too many logs are open. Close one and load this page again."),
    n_("Unfold all"),
    n_("Used"),
    n_("User"),
    n_("Warnings"),
    n_("Wrap lines"),
    n_("Wrap lines (w)"),
    n_("Written"),
    n_("You are logged out. Load this page again."),
    n_("Your role does not allow this."),
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
    sentences = {word: _(word) for word in (*sorted(STATE_WORDS), *SCRIPT_WORDS)}
    return json_script(sentences | spans(), "words")
