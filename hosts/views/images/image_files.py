"""Images as files: download, load, import."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from hosts.access import chosen_host, get_image
from hosts.actions.images import image_files
from hosts.models import Host
from hosts.pages import page_of
from jobs.models import Job


@guard(Right.IMAGES_MANAGE)
@require_GET
def image_save(request: HttpRequest, host: str, ref: str) -> StreamingHttpResponse:
    """The image with its names as a tar."""
    image = get_image(request.user, host, ref, Right.IMAGES_MANAGE)
    return image_files.save(request.user, image.host, [image])


@guard(Right.IMAGES_MANAGE)
@require_http_methods(["GET", "POST"])
def image_load(request: HttpRequest) -> HttpResponse:
    """Asks for a file and what is in it; starts the job and shows it. What was typed stays, the file does not."""
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            return redirect(page_of(_start(request)))
        except DermagaError as refused:
            error = refused
    context = {
        "hosts": Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"),
        "typed": request.POST.dict() or request.GET.dict(),
        "error": error,
        "field": getattr(error, "field", ""),
    }
    return render(request, "images/load.html", context, status=422 if error else 200)


def _start(request: HttpRequest) -> Job:
    post, file = request.POST, request.FILES.get("file")
    host = chosen_host(request.user, post.get("host", ""))
    if post.get("kind") != "import":
        return image_files.start_load(request.user, host, file)
    return image_files.start_import(
        request.user,
        host,
        file,
        name=post.get("name", ""),
        message=post.get("message", ""),
        changes=post.get("changes", ""),
    )
