"""What an image's field offers while somebody types: images on the hosts, and tags in the name's registry."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right, allows
from common.errors import DermagaError
from hosts.actions.containers import browse
from hosts.models import Image

HERE_AT_MOST = 8
TYPED_AT_MOST = 400


@guard(Right.CONTAINERS_CREATE)
@require_GET
def image_suggestions(request: HttpRequest) -> HttpResponse:
    """Options of a listbox for `image`: those on the hosts at once; with `registry=1` the tags, for which a registry is
    asked."""
    typed = request.GET.get("image", "").strip().replace("\0", "")[:TYPED_AT_MOST]
    if request.GET.get("registry") == "1":
        return render(request, "containers/_image_options.html", _tags(request, typed))
    images = Image.objects.visible_to(request.user).exclude(name="").filter(name__icontains=typed)
    names = images.order_by("name").values_list("name", flat=True).distinct()
    return render(request, "containers/_image_options.html", {"here": list(names[:HERE_AT_MOST])})


def _tags(request: HttpRequest, typed: str) -> dict[str, object]:
    """Full names, or why there are none."""
    if not typed or not allows(request.user, Right.REGISTRIES_VIEW):
        return {"tags": []}
    before, colon, tag = typed.rpartition(":")
    name, search = (before, tag) if colon and "/" not in tag else (typed, "")  # the colon of a port is no tag's
    try:
        found = browse.suggest(request.user, name, search)
    except DermagaError as error:
        return {"tags": [], "problem": str(error)}
    return {"tags": [f"{name}:{tag}" for tag in found["items"]], "more": found["more"], "problem": found["problem"]}
