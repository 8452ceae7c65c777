"""The page that creates a container, or edits one by making it anew: one specification in three views, each typed or pasted, each copied out."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import go, template_for
from hosts import logins
from hosts.access import chosen_host, get_container
from hosts.actions import policing
from hosts.actions.containers import create, looks, recreate
from hosts.forms.create import VIEWS, CreateForm, fields
from hosts.leaning import sharing
from hosts.models import Container, Host, Image, Network, Volume
from hosts.pages import page_of
from hosts.specs.spec import ContainerSpec
from hosts.views.containers.container_recreate import seconds
from jobs.models import Job

IMAGES_OFFERED = 200
OFFERED = 300
RUNNING = {"running", "restarting", "paused"}


@guard(Right.CONTAINERS_CREATE)
@require_http_methods(["GET", "POST"])
def container_create(request: HttpRequest) -> HttpResponse:
    """Shows another view of what was typed (`show`), or creates it. What is wrong is said at its field, and all stays."""
    if request.method == "GET":
        return _begin(request)
    form = CreateForm.sent(fields(request))
    if form.errors:
        return _page(request, form, status=422)
    if form.wanted:
        return _page(request, form)
    try:
        job = _start(request, form)
    except Invalid as error:
        if error.field == "account":
            return _page(request, form, account_error=error, status=422)
        form.blame(error)
        return _page(request, form, status=422)
    except DermagaError as error:
        return _page(request, form, error, status=422)
    return go(request, page_of(job))


def _start(request: HttpRequest, form: CreateForm) -> Job:
    """A new container, or another in the place of the one that is edited."""
    if not form.edits:
        host, account = chosen_host(request.user, form.host), request.POST.get("account")
        return create.start_create(request.user, host, form.spec, start=form.start, account=account)
    return recreate.start_recreate(
        request.user,
        _edited(request, form.edits),
        form.spec,
        start=form.start,
        settle=seconds(request, "settle", recreate.SETTLE_SECONDS),
        healthy_within=seconds(request, "healthy_within", recreate.HEALTHY_WITHIN),
    )


def _edited(request: HttpRequest, edits: str) -> Container:
    host, _slash, ref = edits.partition("/")
    return get_container(request.user, host, ref, Right.CONTAINERS_CREATE)


def _begin(request: HttpRequest) -> HttpResponse:
    """An empty form, or one filled from a container: that comes as a part, since its engine is asked."""
    edits = request.GET.get("edit", "")
    source = edits or request.GET.get("from", "")
    if not source:
        return _page(
            request,
            CreateForm.of(ContainerSpec(image=request.GET.get("image", "")[:400])),
            host=request.GET.get("host", ""),
        )
    container = _edited(request, source)
    host = container.host.name
    if "part" not in request.GET:
        return render(request, "containers/create.html", {"source": container, "edits": edits})
    try:
        spec = looks.specification(request.user, container)
    except DermagaError as error:
        return _page(request, CreateForm.of(ContainerSpec()), error, host=host)
    if edits:
        edits = f"{host}/{container.engine_id}"
        return _page(request, CreateForm.of(spec, host=host, edits=edits, start=container.state in RUNNING))
    spec.name = ""
    return _page(request, CreateForm.of(spec, host=host), host=host)


def _plain(host: str) -> str:
    """No database takes a NUL."""
    return host.replace("\0", "")


def _suggested(request: HttpRequest, host: str) -> dict[str, list[str]]:
    """Names for the fields that take a volume, a network or an address: of the host, or of all while none is chosen."""

    def names(rows: Any) -> list[str]:
        rows = rows.filter(host__name=_plain(host)) if host else rows
        return list(rows.order_by("name").values_list("name", flat=True).distinct()[:OFFERED])

    return {
        "volumes": names(Volume.objects.visible_to(request.user).exclude(name__regex="^[0-9a-f]{64}$")),
        "networks": names(Network.objects.visible_to(request.user)),
        "addresses": ["127.0.0.1", "0.0.0.0", "::"],  # noqa: S104 - of a published port, where it is a choice
    }


def _page(
    request: HttpRequest,
    form: CreateForm,
    error: DermagaError | None = None,
    *,
    account_error: Invalid | None = None,
    host: str = "",
    status: int = 200,
) -> HttpResponse:
    form.host = form.host or host
    edited = _edited(request, form.edits) if form.edits else None
    hosts = Host.objects.visible_to(request.user).filter(enabled=True)
    chosen = edited.host if edited else hosts.filter(name=_plain(form.host)).first() or hosts.first()
    images = Image.objects.visible_to(request.user).exclude(name="").values_list("name", flat=True)
    context = {
        "form": form,
        "views": VIEWS,
        "suggested": _suggested(request, form.host),
        "hosts": hosts,
        "images": images.order_by("name").distinct()[:IMAGES_OFFERED],
        "error": error,
        "edited": edited,
        "sharing": sharing(request.user, edited) if edited else [],
        "settle": form.kept.get("settle", recreate.SETTLE_SECONDS),
        "healthy_within": form.kept.get("healthy_within", recreate.HEALTHY_WITHIN),
        "account_error": account_error,
        "typed": {"account": request.POST.get("account", "")},
        "accounts": logins.usable(request.user),
        "forbidden": policing.forbidden(request.user, chosen) if chosen else [],
        "policy_host": chosen.name if chosen else "",
    }
    template = template_for(request, "containers/create.html", "containers/_create_form.html")
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"  # it may hold secrets of an environment
    return response
