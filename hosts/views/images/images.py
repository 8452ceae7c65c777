"""Images of all hosts in one table, a page for each, and pull."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from common.htmx import go, template_for
from hosts import columns, filters, logins
from hosts.access import chosen_host, get_image
from hosts.actions.images import image_looks, images
from hosts.models import Host, Image
from hosts.pages import page_of
from hosts.views.uses import add_image_users, users_of_image


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
    """Asks which image, and with which account; starts the job and shows it. What is wrong is said at its field, and
    what was typed stays."""
    error: DermagaError | None = None
    post = request.POST
    if request.method == "POST":
        try:
            job = images.start_pull(
                request.user,
                chosen_host(request.user, request.POST.get("host", "")),
                post.get("reference", ""),
                account=post.get("account"),
                platform=post.get("platform", ""),
                all_tags=post.get("all_tags") == "1",
            )
            return go(request, page_of(job))
        except DermagaError as refused:
            error = refused
    typed = post.dict() or request.GET.dict()
    context = {
        "hosts": Host.objects.visible_to(request.user).filter(enabled=True),
        "typed": typed,
        "error": error,
        "field": getattr(error, "field", ""),
        **accounts_of(request, typed.get("reference", "")),
    }
    fragment = "images/_ask_form.html" if error else "images/_ask_dialog.html"
    return render(request, template_for(request, "images/ask.html", fragment), context, status=422 if error else 200)


@guard(Right.IMAGES_MANAGE)
@require_GET
def image_accounts(request: HttpRequest) -> HttpResponse:
    """The part of a form that offers the accounts of an image's registry, while its name is typed."""
    typed = request.GET.dict()
    name = typed.get("reference") or typed.get("new_name") or typed.get("name", "")
    context = {"typed": typed, **accounts_of(request, name)}
    return render(request, "images/_accounts.html", context)


@guard(Right.IMAGES_MANAGE)
@require_GET
def image_tag_count(request: HttpRequest) -> HttpResponse:
    """How many tags a pull of all of them would bring, asked of the registry by a part of a page that is there."""
    name = request.GET.get("reference", "").replace("\0", "").strip()[:400]
    try:
        account = logins.choose(request.user, name, request.GET.get("account"))
        count = logins.count_tags(request.user, name, account)
    except DermagaError:
        count = None
    return render(request, "images/_tag_count.html", {"count": count})


def accounts_of(request: HttpRequest, image: str) -> dict[str, Any]:
    """For images/_accounts.html: `registry` (the address) of the image and its `accounts`; all of them while the image
    is not known."""
    registry = logins.registry_of(image.replace("\0", "").strip())
    rows = logins.usable(request.user)
    return {"registry": registry, "accounts": rows.filter(registry__address=registry) if registry else rows}
