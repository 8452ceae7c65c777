"""What the pages do to containers: acts at once or as a job, and dialogs that ask for an act's options."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid, NotFound
from common.htmx import back, go, template_for
from hosts.access import get_container
from hosts.actions.containers import bulk, containers
from hosts.actions.short import soon
from hosts.leaning import CHOSEN_AT_MOST, leaning_on
from hosts.models import Container
from hosts.options import SIGNALS
from hosts.pages import page_of

TIMED = {"stop", "restart"}  # may take as long as the container likes
ASKED = {"stop", "kill", "rename", "remove"}  # have options that a dialog asks for
AFFECTS = {"stop", "kill", "remove"}  # others than the container itself, too
SECONDS_DIGITS = 6


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_bulk(request: HttpRequest, verb: str) -> HttpResponse:
    """Starts a job for all chosen containers (`target` = HOST/ID, repeated) and shows it."""
    targets = []
    for target in request.POST.getlist("target")[: bulk.TARGETS_AT_MOST + 1]:
        host, _slash, ref = target.partition("/")
        targets.append(get_container(request.user, host, ref))
    try:
        job = bulk.start_bulk(request.user, verb, targets, _options(request, verb))
    except DermagaError as error:
        messages.error(request, str(error))
        return redirect(back(request, "container_list"))
    return redirect(page_of(job))


@guard(Right.CONTAINERS_OPERATE)
@require_GET
def container_affected(request: HttpRequest) -> JsonResponse:
    """Who leans on the containers `target` (HOST/ID, repeated), a sentence each: asked for by the confirmation."""
    chosen = []
    for target in request.GET.getlist("target")[:CHOSEN_AT_MOST]:
        host, _slash, ref = target.partition("/")
        chosen.append(get_container(request.user, host, ref))
    return JsonResponse({"affected": [leaning.sentence for leaning in leaning_on(request.user, chosen)]})


@guard(Right.CONTAINERS_OPERATE)
@require_GET
def container_ask(request: HttpRequest, host: str, ref: str, verb: str) -> HttpResponse:
    """The dialog (or, without htmx, the page) that asks for the options of an act."""
    if verb not in ASKED:
        raise NotFound
    return _ask(request, get_container(request.user, host, ref, Right.CONTAINERS_OPERATE), verb)


def _ask(request: HttpRequest, container: Container, verb: str, error: DermagaError | None = None) -> HttpResponse:
    """After an error it says what is wrong, at the field, and keeps what was typed."""
    fragment = "containers/_ask_form.html" if error else "containers/_ask_dialog.html"
    context = {
        "container": container,
        "verb": verb,
        "typed": {"name": container.name, "signal": "TERM", **request.POST.dict()},
        "signals": SIGNALS,
        "leaning": leaning_on(request.user, [container]) if verb in AFFECTS else [],
        "error": error,
        "field": getattr(error, "field", ""),
    }
    status = 422 if error else 200
    return render(request, template_for(request, "containers/ask.html", fragment), context, status=status)


def _act(request: HttpRequest, host: str, ref: str, verb: str) -> HttpResponse:
    container = get_container(request.user, host, ref, Right.CONTAINERS_OPERATE)
    try:
        options = _options(request, verb)
        act: Callable[..., None] = bulk.ACTS.get(verb, containers.rename)
        soon(act, request.user, container, **options)
        messages.success(request, _done(verb, container, options))
    except DermagaError as error:
        if "asked" in request.POST:
            return _ask(request, container, verb, error)
        messages.error(request, error.whole)
    return go(request, back(request, "") or _url_after(container, verb))


def _url_after(container: Container, verb: str) -> str:
    """Where to go after an act: a removed container has no page any more."""
    if verb == "remove":
        return reverse("container_list")
    return page_of(container)


def _done(verb: str, container: Container, options: dict[str, Any]) -> str:
    sentences = {
        "start": _("Started %(name)s on %(host)s."),
        "stop": _("Stopped %(name)s on %(host)s."),
        "restart": _("Restarted %(name)s on %(host)s."),
        "kill": _("Sent the signal to %(name)s on %(host)s."),
        "pause": _("Paused %(name)s on %(host)s."),
        "unpause": _("%(name)s on %(host)s goes on."),
        "rename": _("%(name)s on %(host)s is now called %(new)s."),
        "remove": _("Removed %(name)s from %(host)s."),
    }
    places = {"name": container.name, "host": container.host.name}
    return sentences[verb] % {**places, "new": options.get("name", "")}


def _options(request: HttpRequest, verb: str) -> dict[str, Any]:
    """The act's own options from a form."""
    post = request.POST
    seconds = post.get("timeout", "").strip()
    if verb in TIMED and seconds:
        if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= SECONDS_DIGITS):
            raise Invalid("timeout", gettext_noop("The time to stop is a whole number of seconds."))
        return {"timeout": int(seconds)}
    if verb == "kill":
        return {"signal": post.get("signal", "KILL")}
    if verb == "rename":
        return {"name": post.get("name", "")}
    if verb == "remove":
        return {"volumes": post.get("volumes") == "1", "force": post.get("force") == "1"}
    return {}


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_start(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Starts it."""
    return _act(request, host, ref, "start")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_stop(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Stops it."""
    return _act(request, host, ref, "stop")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_restart(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Restarts it."""
    return _act(request, host, ref, "restart")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_kill(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Sends it a signal."""
    return _act(request, host, ref, "kill")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_pause(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Freezes it."""
    return _act(request, host, ref, "pause")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_unpause(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Lets it go on."""
    return _act(request, host, ref, "unpause")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_rename(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Renames it."""
    return _act(request, host, ref, "rename")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_remove(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Removes it."""
    return _act(request, host, ref, "remove")
