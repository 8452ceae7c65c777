"""A container as an image or as a file."""

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from common.htmx import go, template_for
from hosts.access import get_container
from hosts.actions.containers import commits
from hosts.pages import page_of

FIELDS = ("image", "message", "author", "changes")


@guard(Right.IMAGES_MANAGE)
@require_http_methods(["GET", "POST"])
def container_commit(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Asks how the image is called and what is different in it; starts the job and shows it."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_OPERATE)
    typed: dict[str, Any] = {"pause": "1"}
    error: DermagaError | None = None
    if request.method == "POST":
        typed = {name: request.POST.get(name, "") for name in (*FIELDS, "pause")}
        options = {name: typed[name] for name in FIELDS}
        try:
            job = commits.start_commit(request.user, container, pause=typed["pause"] == "1", **options)
            return go(request, page_of(job))
        except DermagaError as refused:
            error = refused
    context = {"container": container, "typed": typed, "error": error, "field": getattr(error, "field", "")}
    fragment = "containers/_commit_form.html" if error else "containers/_commit_dialog.html"
    template = template_for(request, "containers/commit.html", fragment)
    return render(request, template, context, status=422 if error else 200)


@guard(Right.CONTAINERS_FILES)
@require_GET
def container_export(request: HttpRequest, host: str, ref: str) -> StreamingHttpResponse:
    """Its root file system as a tar file."""
    return commits.export(request.user, get_container(request.user, host, ref, Right.CONTAINERS_FILES))
