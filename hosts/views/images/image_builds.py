"""Building an image: the form, and the job that it starts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from hosts import logins
from hosts.access import chosen_host
from hosts.actions.images import image_builds
from hosts.models import Host
from hosts.pages import page_of
from jobs.models import Job

TEXTS = (
    "source", "name", "dockerfile", "remote", "path", "args", "secret_args", "labels", "target", "cache_from", "platform",
    "network", "extra_hosts", "shm_size",
)  # fmt: skip


@guard(Right.IMAGES_MANAGE)
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def image_build(request: HttpRequest) -> HttpResponse:
    """Asks for all of it; starts the job and shows it. What was typed stays, but for secrets and files."""
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
        "accounts": logins.usable(request.user),
        "chosen": request.POST.getlist("accounts"),
    }
    return render(request, "images/build.html", context, status=422 if error else 200)


def _start(request: HttpRequest) -> Job:
    post = request.POST
    host = chosen_host(request.user, post.get("host", ""))
    texts: dict[str, Any] = {name: post.get(name, "") for name in TEXTS}
    files = request.FILES.getlist("files")
    wanted = image_builds.Wanted(
        **texts,
        files=files,
        no_cache=post.get("no_cache") == "1",
        pull=post.get("pull") == "1",
        login=post.get("no_login") != "1",
        accounts=post.getlist("accounts"),
    )
    return image_builds.start_build(request.user, host, wanted)
