"""What the pages do to services: make, change, scale, redeploy, roll back, remove."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import Denied, DermagaError, Invalid, NotFound
from common.htmx import go, template_for
from hosts import logins
from hosts.access import get_of_swarm, get_swarm_to_make_in, may
from hosts.actions.short import soon
from hosts.actions.swarm import services
from hosts.forms.create import fields
from hosts.forms.services import ServiceForm
from hosts.models import Config, Image, Network, Secret, Service, Swarm, Task
from hosts.models.swarms import where_something_is_made
from hosts.pages import page_of
from hosts.service_specs import revision_of
from hosts.specs.services.spec import ServiceSpec
from jobs.models import Job

OFFERED = 200
VERBS = ("scale", "redeploy", "rollback", "remove")


@guard(Right.SERVICES_MANAGE)
@require_http_methods(["GET", "POST"])
def service_create(request: HttpRequest) -> HttpResponse:
    """Shows the other view of what was typed (`show`), or makes it. What is wrong is said at its field, and all stays."""
    if request.method == "GET":
        form = ServiceForm.of(ServiceSpec(image=request.GET.get("image", "")[:400]), host=request.GET.get("swarm", ""))
        return _page(request, form)
    form = _sent(request)
    if form.errors or form.wanted:
        return _shown(request, form)
    try:
        job = _start(request, form)
    except DermagaError as error:
        return _refused(request, form, error)
    return go(request, page_of(job))


@guard(Right.SERVICES_MANAGE)
@require_http_methods(["GET", "POST"])
def service_edit(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """The same for one that is there, filled from what it is. Its environment is in it: who may not see that may not
    change it here, and who sees it is in the audit."""
    service = get_of_swarm(request.user, Service, swarm, ref, Right.SERVICES_MANAGE)
    if not may(request.user, Right.CONTAINERS_REVEAL, service):
        raise Denied
    if request.method == "GET":
        spec = services.revealed(request.user, service)
        form = ServiceForm.of(spec, host=swarm, revision=revision_of(service.spec))
        return _page(request, form, service)
    form = _sent(request)
    if form.errors or form.wanted:
        return _shown(request, form, service)
    try:
        account = request.POST.get("account")
        job = services.start_edit(
            request.user, service, form.spec, revision=form.revision, pin=form.start, account=account
        )
    except DermagaError as error:
        return _refused(request, form, error, service)
    return go(request, page_of(job))


def _start(request: HttpRequest, form: ServiceForm) -> Job:
    swarm, account = _swarm(request, form.host), request.POST.get("account")
    return services.start_create(request.user, swarm, form.spec, pin=form.start, account=account)


def _sent(request: HttpRequest) -> ServiceForm:
    return ServiceForm.sent(fields(request))


def _shown(request: HttpRequest, form: ServiceForm, service: Service | None = None) -> HttpResponse:
    return _page(request, form, service, status=422 if form.errors else 200)


def _refused(
    request: HttpRequest, form: ServiceForm, error: DermagaError, service: Service | None = None
) -> HttpResponse:
    if isinstance(error, Invalid) and error.field == "account":
        return _page(request, form, service, account_error=error, status=422)
    if isinstance(error, Invalid):
        form.blame(error)
        return _page(request, form, service, status=422)
    return _page(request, form, service, error, status=422)


def _swarm(request: HttpRequest, name: str) -> Swarm:
    try:
        return get_swarm_to_make_in(request.user, name, Right.SERVICES_MANAGE)
    except NotFound as error:
        raise Invalid("swarm", gettext_noop("There is no such swarm. Choose one of the list.")) from error


def _page(
    request: HttpRequest,
    form: ServiceForm,
    service: Service | None = None,
    error: DermagaError | None = None,
    *,
    account_error: Invalid | None = None,
    status: int = 200,
) -> HttpResponse:
    user = request.user
    images = Image.objects.visible_to(user).exclude(name="").order_by("name").values_list("name", flat=True)
    networks = Network.objects.visible_to(user).filter(scope="swarm", host__member__isnull=False)

    def names(rows: Any) -> list[str]:
        return list(rows.order_by("name").values_list("name", flat=True).distinct()[:OFFERED])

    context = {
        "form": form,
        "views": form.views,
        "service": service,
        "swarms": where_something_is_made(user, Right.SERVICES_MANAGE).prefetch_related("members__host"),
        "images": images.distinct()[:OFFERED],
        "suggested": {"networks": [name for name in names(networks) if name != "ingress"]},
        "offered": {
            "networks": [name for name in names(networks) if name != "ingress"],
            "secrets": names(Secret.objects.visible_to(user)),
            "configs": names(Config.objects.visible_to(user)),
        },
        "error": error,
        "account_error": account_error,
        "typed": {"account": request.POST.get("account", "")},
        "accounts": logins.usable(user),
    }
    response = render(
        request, template_for(request, "services/form.html", "services/_form.html"), context, status=status
    )
    response["Cache-Control"] = "no-store"  # it may hold secrets of an environment
    return response


# ---------------------------------------------------------------- dialogs
@guard(Right.SERVICES_MANAGE)
@require_http_methods(["GET", "POST"])
def service_ask(request: HttpRequest, swarm: str, ref: str, verb: str) -> HttpResponse:
    """Says what will happen and asks; does it on POST."""
    if verb not in VERBS:
        raise NotFound
    service = get_of_swarm(request.user, Service, swarm, ref, Right.SERVICES_MANAGE)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            return go(request, _do(request, service, verb))
        except DermagaError as refused:
            error = refused
    running = Task.objects.visible_to(request.user).filter(
        swarm=service.swarm, service_ref=service.engine_id, current=True, state="running"
    )
    context = {
        "service": service,
        "verb": verb,
        "typed": {
            "replicas": request.POST.get("replicas", service.replicas if service.replicas is not None else ""),
            "account": request.POST.get("account", ""),
        },
        "accounts": _accounts_for(request.user, service) if verb == "redeploy" else [],
        "registry": logins.registry_of(service.image),
        "pin": request.method == "GET" or request.POST.get("pin") == "1",
        "running": running.count(),
        "nodes": running.values("node_ref").distinct().count(),
        "error": error,
        "field": getattr(error, "field", ""),
    }
    fragment = "services/_ask_form.html" if error else "services/_ask_dialog.html"
    return render(request, template_for(request, "services/ask.html", fragment), context, status=422 if error else 200)


def _accounts_for(user: Any, service: Service) -> Any:
    return logins.usable(user).filter(registry__address=logins.registry_of(service.image))


def _do(request: HttpRequest, service: Service, verb: str) -> str:
    """Does it, and says where to go."""
    user, pin = request.user, request.POST.get("pin") == "1"
    match verb:
        case "scale":
            job = services.start_scale(user, service, _number(request.POST.get("replicas", "")))
        case "redeploy":
            job = services.start_redeploy(user, service, pin=pin, account=request.POST.get("account"))
        case "rollback":
            job = services.start_rollback(user, service)
        case _:
            soon(services.remove, user, service)
            messages.success(request, _("Removed the service %(name)s.") % {"name": service.name})
            return reverse("service_list")
    return page_of(job)


def _number(text: str) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Invalid("replicas", gettext_noop("Write a whole number, like 3."))
    return int(text)
