"""Secrets and configs of all swarms: lists, pages, and what can be done to one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right, allows
from common.downloads import attachment
from common.errors import DermagaError, Invalid
from common.htmx import back, go, template_for
from hosts import columns, filters
from hosts.access import get_of_swarm, get_swarm_to_make_in, may
from hosts.actions.short import soon
from hosts.actions.swarm import secret_versions, secrets
from hosts.engine.parse.swarms import STACK
from hosts.forms.secrets import NewForm, ValueForm
from hosts.models import Config, Secret, Service
from hosts.models.swarms import where_something_is_made
from hosts.pages import page_of
from hosts.views.swarm.nodes import labels_form

SHOWN_AT_MOST = 100_000  # characters of a config on a page
Kind = type[Secret] | type[Config]


# ---------------------------------------------------------------- secrets
@guard(Right.SECRETS_VIEW, live=True)
@require_GET
def secret_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    return _list(request, Secret, columns.SECRETS)


@guard(Right.SECRETS_MANAGE)
@require_http_methods(["GET", "POST"])
def secret_create(request: HttpRequest) -> HttpResponse:
    """The form; the value does not come back into it."""
    return _create(request, Secret)


@guard(Right.SECRETS_VIEW, live=True)
@require_GET
def secret_page(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """What is known of one, and who uses it."""
    return _page(request, get_of_swarm(request.user, Secret, swarm, ref))


@guard(Right.SECRETS_MANAGE)
@require_http_methods(["GET", "POST"])
def secret_labels(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """The form of its labels."""
    return _labels(request, get_of_swarm(request.user, Secret, swarm, ref))


@guard(Right.SECRETS_MANAGE)
@require_http_methods(["GET", "POST"])
def secret_replace(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """The form of another value for the services that use it."""
    return _replace(request, get_of_swarm(request.user, Secret, swarm, ref))


@guard(Right.SECRETS_MANAGE)
@require_POST
def secret_remove(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """Removes it; not while a service uses it."""
    return _remove(request, get_of_swarm(request.user, Secret, swarm, ref))


# ---------------------------------------------------------------- configs
@guard(Right.CONFIGS_VIEW, live=True)
@require_GET
def config_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    return _list(request, Config, columns.CONFIGS)


@guard(Right.CONFIGS_MANAGE)
@require_http_methods(["GET", "POST"])
def config_create(request: HttpRequest) -> HttpResponse:
    """The form."""
    return _create(request, Config)


@guard(Right.CONFIGS_VIEW, live=True)
@require_GET
def config_page(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """What is known of one, and who uses it."""
    return _page(request, get_of_swarm(request.user, Config, swarm, ref))


@guard(Right.CONFIGS_REVEAL)
@never_cache
@require_GET
def config_content(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """What is in it, asked now; with `download=1` as a file."""
    config = get_of_swarm(request.user, Config, swarm, ref)
    try:
        told = secrets.content(request.user, config)
    except DermagaError as error:
        messages.error(request, error.whole)
        return redirect(page_of(config))
    if request.GET.get("download") == "1":
        answer = HttpResponse(told, content_type="application/octet-stream")
        answer["Content-Disposition"] = attachment(config.name)
        return answer
    text = told.decode("utf-8", "replace")
    context = {"row": config, "noun": "config", "text": text[:SHOWN_AT_MOST], "is_cut": len(text) > SHOWN_AT_MOST}
    context["is_binary"] = "\0" in text[:1000]
    return render(request, "secrets/content.html", context)


@guard(Right.CONFIGS_MANAGE)
@require_http_methods(["GET", "POST"])
def config_labels(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """The form of its labels."""
    return _labels(request, get_of_swarm(request.user, Config, swarm, ref))


@guard(Right.CONFIGS_MANAGE)
@require_http_methods(["GET", "POST"])
def config_replace(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """The form of another value for the services that use it."""
    return _replace(request, get_of_swarm(request.user, Config, swarm, ref))


@guard(Right.CONFIGS_MANAGE)
@require_POST
def config_remove(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """Removes it; not while a service uses it."""
    return _remove(request, get_of_swarm(request.user, Config, swarm, ref))


# ---------------------------------------------------------------- both
def _list(request: HttpRequest, kind: Kind, file_columns: Any) -> HttpResponseBase:
    rows: Any = kind.objects.visible_to(request.user)
    if menu := filters.SECRETS.menu(request, rows):
        return menu
    if file := filters.SECRETS.file(request, rows, file_columns, f"{kind.noun}s", "swarm"):
        return file
    context = filters.SECRETS.context(request, rows.prefetch_related("swarm__members__host"), "swarm")
    _add_users(request.user, kind.noun, context["page"].items)
    context |= {"noun": kind.noun, "manage": allows(request.user, secrets.MANAGE[kind.noun])}
    context["any_swarm"] = where_something_is_made(request.user, secrets.MANAGE[kind.noun]).exists()
    return render(request, template_for(request, "secrets/page.html", "secrets/_rows.html"), context)


def _add_users(user: Any, noun: str, rows: list[Any]) -> None:
    """Gives each row `users`, the services that use it, by two queries at most."""
    wanted = {row.swarm_id for row in rows}
    users: dict[tuple[int, str], list[Service]] = {}
    found = Service.objects.visible_to(user).filter(swarm__in=wanted).only("swarm", "engine_id", "name", "data")
    for service in found.order_by("name"):
        for one in service.data.get(f"{noun}s", []):
            users.setdefault((service.swarm_id, one), []).append(service)
    for row in rows:
        row.users = users.get((row.swarm_id, row.engine_id), [])


def _create(request: HttpRequest, kind: Kind) -> HttpResponse:
    known = where_something_is_made(request.user, secrets.MANAGE[kind.noun]).prefetch_related("members__host")
    initial = {"swarm": request.GET.get("swarm", "")}
    form = NewForm(request.POST or None, request.FILES or None, kind.noun, known, initial=initial)
    error: DermagaError | None = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = soon(
                secrets.create,
                request.user,
                get_swarm_to_make_in(request.user, data["swarm"], secrets.MANAGE[kind.noun]),
                kind.noun,
                data["name"],
                form.content,
                labels=data["labels"],
                templating=data["templating"],
                driver=data.get("driver", ""),
            )
            messages.success(request, _("Made %(name)s in %(swarm)s.") % {"name": data["name"], "swarm": data["swarm"]})
            return go(request, reverse(f"{kind.noun}_page", args=[data["swarm"], made]))
        except Invalid as wrong:
            form.blame(wrong)
        except DermagaError as refused:
            error = refused
    status = 422 if request.method == "POST" else 200
    return render(request, "secrets/form.html", {"form": form, "error": error, "noun": kind.noun}, status=status)


def _page(request: HttpRequest, row: Secret | Config) -> HttpResponse:
    _add_users(request.user, row.noun, [row])
    context = {
        "row": row,
        "noun": row.noun,
        "swarm": row.swarm,
        "manage": may(request.user, secrets.MANAGE[row.noun], row),
    }
    context["stack"] = str(row.labels.get(STACK) or "")
    return render(request, template_for(request, "secrets/one.html", "secrets/_one.html"), context)


def _labels(request: HttpRequest, row: Secret | Config) -> HttpResponse:
    page = page_of(row)

    def change(labels: dict[str, str], version: int) -> None:
        soon(secrets.set_labels, request.user, row, labels, version=version)

    return labels_form(request, row, change, page)


def _replace(request: HttpRequest, row: Secret | Config) -> HttpResponse:
    form = ValueForm(request.POST or None, request.FILES or None, row.noun)
    page = page_of(row)
    error: DermagaError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            job = secret_versions.start_replace(request.user, row, form.content)
            return go(request, page_of(job))
        except Invalid as wrong:
            form.blame(wrong)
        except DermagaError as refused:
            error = refused
    _add_users(request.user, row.noun, [row])
    context = {"form": form, "row": row, "noun": row.noun, "page_url": page, "error": error}
    status = 422 if request.method == "POST" else 200
    return render(request, "secrets/replace.html", context, status=status)


def _remove(request: HttpRequest, row: Secret | Config) -> HttpResponse:
    try:
        soon(secrets.remove, request.user, row)
        messages.success(request, _("Removed %(name)s from %(host)s.") % {"name": row.name, "host": row.swarm.name})
    except DermagaError as error:
        messages.error(request, error.whole)
        return go(request, back(request, page_of(row)))
    return go(request, back(request, reverse(f"{row.noun}_list")))
