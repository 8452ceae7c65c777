"""What the pages do to plugins. Before one comes its privileges are shown; what was shown is what is granted."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Failure, Invalid
from common.htmx import go, is_fragment
from hosts.access import chosen_host, get_plugin
from hosts.actions.plugins import plugin_moves, plugins
from hosts.actions.short import soon
from hosts.models import Host, Plugin
from hosts.pages import page_of
from hosts.views.images.images import accounts_of
from jobs.models import Job, JobState

GRANTED_AT_MOST = 100_000  # characters


@guard(Right.PLUGINS_MANAGE)
@require_http_methods(["GET", "POST"])
def plugin_install(request: HttpRequest) -> HttpResponse:
    """Asks which plugin, shows what it asks for, and starts the job that installs it with that."""

    def start(reference: str, granted: list[dict[str, Any]]) -> Job:
        post = request.POST
        more: dict[str, Any] = {"alias": post.get("alias", ""), "enable": post.get("enable") == "1"}
        return plugins.start_install(
            request.user,
            chosen_host(request.user, request.POST.get("host", "")),
            reference,
            granted,
            account=post.get("account"),
            **more,
        )

    context = {
        "hosts": Host.objects.visible_to(request.user).filter(enabled=True),
        "verb": "install",
        "to": reverse("plugin_install"),
    }
    return _with_privileges(
        request, context, {"enable": "1"}, lambda: chosen_host(request.user, request.POST.get("host", "")), start
    )


@guard(Right.PLUGINS_MANAGE)
@require_http_methods(["GET", "POST"])
def plugin_upgrade(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Asks to which version, shows what that asks for, and starts the job."""
    plugin = get_plugin(request.user, host, ref, Right.PLUGINS_MANAGE)
    context = {"plugin": plugin, "verb": "upgrade", "to": reverse("plugin_upgrade", args=[host, ref])}
    return _with_privileges(
        request,
        context,
        {"reference": plugin.reference or plugin.name},
        lambda: plugin.host,
        lambda reference, granted: plugins.start_upgrade(
            request.user, plugin, reference, granted, account=request.POST.get("account")
        ),
    )


def _with_privileges(
    request: HttpRequest,
    context: dict[str, Any],
    typed: dict[str, str],
    host_of: Callable[[], Host],
    start: Callable[[str, list[dict[str, Any]]], Job],
) -> HttpResponse:
    error: DermagaError | None = None
    shown: list[dict[str, Any]] | None = None
    looking: Job | None = None
    if request.method == "POST":
        typed = request.POST.dict()
        reference = typed.get("reference", "")
        try:
            if request.POST.get("step") == "grant":
                return go(request, page_of(start(reference, _granted(request))))
            looking = _looked(request, reference) or plugins.start_look(
                request.user, host_of(), reference, account=typed.get("account")
            )
            if not looking.is_open:
                shown, looking = _seen(looking), None
        except DermagaError as refused:
            error, looking = refused, None
    context |= {
        "typed": typed,
        "error": error,
        "field": getattr(error, "field", ""),
        "looking": looking,
        "shown": shown,
        "granted": json.dumps(shown),
        **accounts_of(request, typed.get("reference", "")),
    }
    template = "plugins/ask.html"
    if is_fragment(request):
        template = "plugins/_ask_form.html" if request.method == "POST" else "plugins/_ask_dialog.html"
    return render(request, template, context, status=422 if error else 200)


def _looked(request: HttpRequest, reference: str) -> Job | None:
    """The look that this form has started before, while the same is asked."""
    number = request.POST.get("look", "")
    if not number.isdecimal() or len(number) > 15:
        return None
    job = Job.objects.visible_to(request.user).filter(pk=int(number), kind="plugin.look", by=request.user.pk).first()
    return job if job and job.params["remote"] in {reference.strip(), f"{reference.strip()}:latest"} else None


def _seen(job: Job) -> list[dict[str, Any]]:
    """What the plugin asks for. Raises Failure with what the job said."""
    if job.state != JobState.DONE:
        raise Failure("look_failed", 502, job.error or gettext_noop("The registry was not asked: that was cancelled."))
    found: list[dict[str, Any]] = job.result["privileges"]
    return found


def _granted(request: HttpRequest) -> list[dict[str, Any]]:
    """What the page has shown; the job compares it with what the plugin asks for then."""
    try:
        found = json.loads(request.POST.get("granted", "")[:GRANTED_AT_MOST])
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise Invalid("reference", gettext_noop("What was granted did not arrive. Look at the privileges again."))
    return found


# ---------------------------------------------------------------- create, push
@guard(Right.PLUGINS_MANAGE)
@require_http_methods(["GET", "POST"])
def plugin_create(request: HttpRequest) -> HttpResponse:
    """Asks for a tar with config.json and rootfs/, and starts the job that makes a plugin of it."""
    error: DermagaError | None = None
    post = request.POST
    if request.method == "POST":
        try:
            job = plugin_moves.start_create(
                request.user,
                chosen_host(request.user, request.POST.get("host", "")),
                post.get("name", ""),
                request.FILES.get("file"),
            )
            return redirect(page_of(job))
        except DermagaError as refused:
            error = refused
    context = {
        "hosts": Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"),
        "typed": post.dict(),
        "error": error,
        "field": getattr(error, "field", ""),
    }
    return render(request, "plugins/create.html", context, status=422 if error else 200)


@guard(Right.PLUGINS_MANAGE)
@require_http_methods(["GET", "POST"])
def plugin_push(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Asks with which account, and starts the job that pushes it."""
    plugin = get_plugin(request.user, host, ref, Right.PLUGINS_MANAGE)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            job = plugin_moves.start_push(request.user, plugin, account=request.POST.get("account"))
            return go(request, page_of(job))
        except DermagaError as refused:
            error = refused
    context = {
        "plugin": plugin,
        "verb": "push",
        "to": reverse("plugin_push", args=[host, ref]),
        "typed": request.POST.dict(),
        "error": error,
        "field": getattr(error, "field", ""),
        **accounts_of(request, plugin.name),
    }
    template = "plugins/ask.html"
    if is_fragment(request):
        template = "plugins/_ask_form.html" if error else "plugins/_ask_dialog.html"
    return render(request, template, context, status=422 if error else 200)


# ---------------------------------------------------------------- acts on one
@guard(Right.PLUGINS_MANAGE)
@require_POST
def plugin_enable(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Starts the job that enables it."""
    return _act(request, host, ref, lambda plugin: plugins.start_switch(request.user, plugin, "enable"))


@guard(Right.PLUGINS_MANAGE)
@require_POST
def plugin_disable(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Starts the job that disables it."""
    force = request.POST.get("force") == "1"
    return _act(request, host, ref, lambda plugin: plugins.start_switch(request.user, plugin, "disable", force=force))


@guard(Right.PLUGINS_MANAGE)
@require_POST
def plugin_remove(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Removes it."""
    force = request.POST.get("force") == "1"
    return _act(request, host, ref, lambda plugin: soon(plugins.remove, request.user, plugin, force=force))


def _act(request: HttpRequest, host: str, ref: str, act: Callable[[Plugin], Job | None]) -> HttpResponse:
    plugin = get_plugin(request.user, host, ref, Right.PLUGINS_MANAGE)
    try:
        job = act(plugin)
    except DermagaError as error:
        messages.error(request, error.whole)
        return redirect("plugin_page", host, ref)
    if job is not None:
        return redirect(page_of(job))
    messages.success(request, _("Removed %(name)s from %(host)s.") % {"name": plugin.name, "host": host})
    return redirect("plugin_list")


@guard(Right.PLUGINS_MANAGE)
@require_http_methods(["GET", "POST"])
def plugin_configure(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Asks for settings, and sets them."""
    plugin = get_plugin(request.user, host, ref, Right.PLUGINS_MANAGE)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            soon(plugins.configure, request.user, plugin, request.POST.get("settings", "").splitlines())
            messages.success(request, _("The settings of %(name)s are changed.") % {"name": plugin.name})
            return go(request, reverse("plugin_page", args=[host, ref]))
        except DermagaError as refused:
            error = refused
    context = {
        "plugin": plugin,
        "verb": "configure",
        "to": reverse("plugin_configure", args=[host, ref]),
        "typed": request.POST.dict(),
        "error": error,
        "field": getattr(error, "field", ""),
        "settable": list(_settable(plugin.data)),
    }
    template = "plugins/ask.html"
    if is_fragment(request):
        template = "plugins/_ask_form.html" if error else "plugins/_ask_dialog.html"
    return render(request, template, context, status=422 if error else 200)


def _settable(data: dict[str, Any]) -> list[str]:
    """How each of what can be set is written."""
    env = [f"{entry['name']}=" for entry in data.get("env", []) if entry["settable"]]
    parts = [
        f"{entry['name']}.{what}="
        for kind in ("mounts", "devices")
        for entry in data.get(kind, [])
        for what in entry["settable"]
    ]
    args = data.get("args", {})
    return [*env, *parts, *([f"{args['name']}="] if args.get("settable") else [])]
