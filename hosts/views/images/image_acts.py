"""What the pages do to one image: copy, push, tag, untag, remove, and the dialogs that ask first."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, NotFound
from common.htmx import go, template_for
from hosts.access import get_image
from hosts.actions.images import image_copies, image_names, image_pushes
from hosts.actions.short import soon
from hosts.models import Host, Image
from hosts.pages import page_of
from hosts.views.images.images import accounts_of
from hosts.views.uses import users_of_image

ASKED = {"copy", "push", "tag", "remove"}


@guard(Right.IMAGES_MANAGE)
@require_GET
def image_ask(request: HttpRequest, host: str, ref: str, verb: str) -> HttpResponse:
    """The dialog (or, without htmx, the page) that asks for the options of an act, and says who is affected."""
    if verb not in ASKED:
        raise NotFound
    return _ask(request, get_image(request.user, host, ref, Right.IMAGES_MANAGE), verb)


def _ask(request: HttpRequest, image: Image, verb: str, error: DermagaError | None = None) -> HttpResponse:
    """After an error it says what is wrong, at the field, and keeps what was typed."""
    context = {
        "image": image,
        "verb": verb,
        "typed": request.POST.dict(),
        "error": error,
        "field": getattr(error, "field", ""),
        "others": Host.objects.visible_to(request.user).filter(enabled=True).exclude(pk=image.host_id).order_by("name"),
        **users_of_image(request.user, image),
    }
    if verb == "push":
        typed = request.POST
        name = typed.get("new_name") or typed.get("name") or (image.tags[0] if image.tags else "")
        context |= accounts_of(request, name)
    fragment = "images/_act_form.html" if error else "images/_act_dialog.html"
    template = template_for(request, "images/act.html", fragment)
    return render(request, template, context, status=422 if error else 200)


def _act(request: HttpRequest, image: Image, verb: str, act: Callable[[], str]) -> HttpResponse:
    """Does it and goes where `act` says; an error is said in the dialog."""
    try:
        return go(request, act())
    except DermagaError as error:
        return _ask(request, image, verb, error)


@guard(Right.IMAGES_MANAGE)
@require_POST
def image_tag(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Gives it another name."""
    image = get_image(request.user, host, ref, Right.IMAGES_MANAGE)

    def act() -> str:
        name = soon(image_names.tag, request.user, image, request.POST.get("name", ""))
        messages.success(request, _("The image on %(host)s is now called %(name)s.") % {"host": host, "name": name})
        return page_of(image)

    return _act(request, image, "tag", act)


@guard(Right.IMAGES_MANAGE)
@require_POST
def image_untag(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Takes one of its names away."""
    image = get_image(request.user, host, ref, Right.IMAGES_MANAGE)
    name = request.POST.get("name", "")
    try:
        soon(image_names.untag, request.user, image, name)
        messages.success(
            request, _("The image on %(host)s is no longer called %(name)s.") % {"host": host, "name": name}
        )
    except DermagaError as error:
        messages.error(request, error.whole)
    return redirect(page_of(image))


@guard(Right.IMAGES_MANAGE)
@require_POST
def image_copy(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Puts it on another host, in a job."""
    image = get_image(request.user, host, ref, Right.IMAGES_MANAGE)
    to = Host.objects.visible_to(request.user).filter(name=request.POST.get("to", "").replace("\0", "")).first()
    return _act(
        request,
        image,
        "copy",
        lambda: page_of(image_copies.start_copy(request.user, image, to)),
    )


@guard(Right.IMAGES_MANAGE)
@require_POST
def image_push(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Pushes it, in a job."""
    image, post = get_image(request.user, host, ref, Right.IMAGES_MANAGE), request.POST

    def act() -> str:
        job = image_pushes.start_push(
            request.user,
            image,
            post.get("name", ""),
            account=post.get("account"),
            all_tags=post.get("all_tags") == "1",
            new_name=post.get("new_name", ""),
            untag=post.get("untag") == "1",
        )
        return page_of(job)

    return _act(request, image, "push", act)


@guard(Right.IMAGES_MANAGE)
@require_POST
def image_remove(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Removes it, in a job."""
    image = get_image(request.user, host, ref, Right.IMAGES_MANAGE)
    force = request.POST.get("force") == "1"
    return _act(
        request,
        image,
        "remove",
        lambda: page_of(image_names.start_remove(request.user, image, force=force)),
    )
