"""The way to a volume's files: through the pages of the helper container that opens it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from common.htmx import go
from hosts.access import get_volume
from hosts.actions.short import soon
from hosts.actions.volumes import volume_files
from hosts.pages import page_of


@guard(Right.CONTAINERS_FILES)
@require_POST
def volume_files_open(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Opens them, and leads there."""
    volume = get_volume(request.user, host, ref)
    try:
        opened = soon(volume_files.open_files, request.user, volume)
    except DermagaError as error:
        messages.error(request, error.whole)
        return go(request, page_of(volume))
    to = reverse("container_files", args=[host, opened["container"][:12]])
    where = urlencode({"path": opened["path"]})
    return go(request, f"{to}?{where}")
