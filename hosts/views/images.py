"""Images of all hosts in one table, a page for each, and pull."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid, NotFound
from common.htmx import go, template_for
from hosts import columns, filters
from hosts.access import get_host, get_image
from hosts.actions import image_looks, images
from hosts.models import Host, Image
from hosts.views.uses import add_image_users, users_of_image
from jobs.models import Job


@guard(Right.IMAGES_VIEW, live=True)
@require_GET
def image_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    rows = filters.images_with_use(Image.objects.visible_to(request.user))
    if menu := filters.IMAGES.menu(request, rows):
        return menu
    if file := filters.IMAGES.file(request, rows, columns.IMAGES, "images", "host"):
        return file
    context = filters.IMAGES.context(request, rows, "host")
    add_image_users(request.user, context["page"].items)
    return render(request, template_for(request, "images/page.html", "images/_rows.html"), context)


# ---------------------------------------------------------------- page
@guard(Right.IMAGES_VIEW, live=True)
@require_GET
def image_page(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """What is known of it, from the tables; the page itself asks for configuration and layers (`image_facts`)."""
    image = get_image(request.user, host, ref)
    context: dict[str, Any] = {"image": image, **users_of_image(request.user, image)}
    fragment = "images/_head.html" if request.GET.get("part") == "head" else "images/_about.html"
    return render(request, template_for(request, "images/image.html", fragment), context)


@guard(Right.IMAGES_VIEW)
@require_GET
def image_facts(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Its configuration and layers, from the engine, with a short deadline: no part that is made once for many."""
    image = get_image(request.user, host, ref)
    context: dict[str, Any] = {"image": image}
    try:
        context["facts"] = image_looks.describe(request.user, image)
    except DermagaError as error:
        context |= {"sentence": str(error), "detail": error.unsaid}
    return render(request, "images/_facts.html", context)


# ---------------------------------------------------------------- acts on a host's images
@guard(Right.IMAGES_MANAGE)
@require_http_methods(["GET", "POST"])
def image_pull(request: HttpRequest) -> HttpResponse:
    """Asks which image; starts the job and shows it. A wrong name is said at the field and stays."""
    return _ask(request, "pull", lambda host: images.start_pull(request.user, host, request.POST.get("reference", "")))


def _ask(request: HttpRequest, verb: str, start: Callable[[Host], Job]) -> HttpResponse:
    """The dialog (or, without htmx, the page) of an act on one host's images; on POST the act."""
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            return go(request, reverse("job_page", args=[start(_host(request)).pk]))
        except DermagaError as refused:
            error = refused
    context = {
        "verb": verb,
        "hosts": Host.objects.visible_to(request.user).filter(enabled=True),
        "typed": request.POST.dict() or request.GET.dict(),
        "error": error,
        "field": getattr(error, "field", ""),
    }
    fragment = "images/_ask_form.html" if error else "images/_ask_dialog.html"
    return render(request, template_for(request, "images/ask.html", fragment), context, status=422 if error else 200)


def _host(request: HttpRequest) -> Host:
    """The host that was chosen. Raises Invalid."""
    try:
        return get_host(request.user, request.POST.get("host", ""))
    except NotFound as error:
        raise Invalid("host", gettext_noop("There is no such host. Choose one of the list.")) from error
