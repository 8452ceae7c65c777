"""What the pages do with files of a container: dialogs that ask, acts at once, uploads as a job."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, NotFound
from common.htmx import go, template_for
from hosts import options
from hosts.access import get_container
from hosts.actions.containers import file_uploads, files, looks
from hosts.actions.short import soon
from hosts.engine.paths import base, parent, shown
from hosts.models import Container
from hosts.pages import args_of, page_of
from hosts.views.containers.container_files import file_context

ENDS = {"lf": "\n", "crlf": "\r\n"}


@dataclass(frozen=True)
class Verb:
    """What a dialog asks: `title` (with %(name)s), the `button`, and the input's `field` and `label`; "" for none."""

    title: str
    button: str
    field: str = ""
    label: str = ""


VERBS = {
    "folder": Verb(gettext_noop("New folder in %(name)s"), gettext_noop("Make it"), "name", gettext_noop("Name")),
    "file": Verb(gettext_noop("New file in %(name)s"), gettext_noop("Make it"), "name", gettext_noop("Name")),
    "rename": Verb(
        gettext_noop("Rename %(name)s"),
        gettext_noop("Rename"),
        "new",
        gettext_noop("New name, or a path to move it to"),
    ),
    "chmod": Verb(gettext_noop("Mode of %(name)s"), gettext_noop("Change"), "mode", gettext_noop("Mode in octal")),
    "delete": Verb(gettext_noop("Delete %(name)s?"), gettext_noop("Delete")),
    "upload": Verb(gettext_noop("Upload into %(name)s"), gettext_noop("Upload"), "files", gettext_noop("Files")),
}


@guard(Right.CONTAINERS_FILES)
@require_GET
def file_ask(request: HttpRequest, host: str, ref: str, verb: str) -> HttpResponse:
    """The dialog (or, without htmx, the page) of an act on `path`."""
    if verb not in VERBS:
        raise NotFound
    container = get_container(request.user, host, ref, Right.CONTAINERS_FILES)
    return _ask(request, container, verb, options.path(request.GET.get("path", "")))


def _ask(
    request: HttpRequest, container: Container, verb: str, path: str, error: DermagaError | None = None
) -> HttpResponse:
    """After an error it says what is wrong, at the field, and keeps what was typed."""
    about = VERBS[verb]
    typed = request.POST.get(about.field, "") if error else _first_value(request, container, verb, path)
    context = {
        "container": container,
        "verb": verb,
        "path": path,
        "title": _(about.title) % {"name": shown(base(path)) or "/"},
        "button": _(about.button),
        "input": about.field,
        "label": _(about.label) if about.label else "",
        "typed": typed,
        "mount": mount_of(container, path),
        "error": error,
        "field": getattr(error, "field", ""),
        "back": folder_url(container, path if verb in {"folder", "file", "upload"} else parent(path)),
        "to": reverse(f"container_file_{verb}", args=args_of(container)),
    }
    fragment = "containers/_file_ask_form.html" if error else "containers/_file_ask_dialog.html"
    template = template_for(request, "containers/file_ask.html", fragment)
    return render(request, template, context, status=422 if error else 200)


def _first_value(request: HttpRequest, container: Container, verb: str, path: str) -> str:
    if verb == "chmod":
        return f"{looks.path_facts(request.user, container, path).mode:03o}"
    return base(path) if verb == "rename" else ""


def mount_of(container: Container, path: str) -> dict[str, str]:
    """Where a path really is when something is mounted there: {"type", "name", "at"}, else empty."""
    detail = getattr(container, "detail", None)
    mounts = (detail.inspect.get("Mounts") if detail else None) or []
    found: dict[str, str] = {}
    for mount in mounts:
        at = str(mount.get("Destination") or "")
        if at and f"{path}/".startswith(f"{at.rstrip('/')}/") and len(at) > len(found.get("at", "")):
            kind = str(mount.get("Type") or "")
            found = {"type": kind, "name": str(mount.get("Name") or mount.get("Source") or ""), "at": at}
    return found


def folder_url(container: Container, path: str) -> str:
    """The page of a folder."""
    url = reverse("container_files", args=args_of(container))
    return f"{url}?{urlencode({'path': path or '/'})}"


def file_url(container: Container, path: str) -> str:
    """The page of a file."""
    url = reverse("container_file", args=args_of(container))
    return f"{url}?{urlencode({'path': path})}"


def _act(
    request: HttpRequest, host: str, ref: str, verb: str, act: Callable[[Container, str], tuple[str, str]]
) -> HttpResponse:
    """Does it; `act` gives what is said then and where to go."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_FILES)
    path = options.path(request.POST.get("path", ""))
    try:
        words, to = act(container, path)
    except DermagaError as error:
        return _ask(request, container, verb, path, error)
    messages.success(request, words)
    return go(request, to)


@guard(Right.CONTAINERS_FILES)
@require_POST
def file_folder(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Makes a folder."""

    def act(container: Container, path: str) -> tuple[str, str]:
        made = soon(files.make, request.user, container, path, request.POST.get("name", ""))
        return _("Made %(path)s.") % {"path": shown(made)}, folder_url(container, made)

    return _act(request, host, ref, "folder", act)


@guard(Right.CONTAINERS_FILES)
@require_POST
def file_file(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Makes an empty file and opens it."""

    def act(container: Container, path: str) -> tuple[str, str]:
        made = soon(files.make, request.user, container, path, request.POST.get("name", ""), "file")
        return _("Made %(path)s.") % {"path": shown(made)}, file_url(container, made)

    return _act(request, host, ref, "file", act)


@guard(Right.CONTAINERS_FILES)
@require_POST
def file_rename(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Renames it."""

    def act(container: Container, path: str) -> tuple[str, str]:
        now = soon(files.rename, request.user, container, path, request.POST.get("new", ""))
        return _("It is %(path)s now.") % {"path": shown(now)}, folder_url(container, parent(now))

    return _act(request, host, ref, "rename", act)


@guard(Right.CONTAINERS_FILES)
@require_POST
def file_chmod(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Changes its mode."""

    def act(container: Container, path: str) -> tuple[str, str]:
        soon(files.change_mode, request.user, container, path, request.POST.get("mode", ""))
        return _("Changed the mode of %(path)s.") % {"path": shown(path)}, folder_url(container, parent(path))

    return _act(request, host, ref, "chmod", act)


@guard(Right.CONTAINERS_FILES)
@require_POST
def file_delete(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Deletes it."""

    def act(container: Container, path: str) -> tuple[str, str]:
        soon(files.delete, request.user, container, path)
        return _("Deleted %(path)s.") % {"path": shown(path)}, folder_url(container, parent(path))

    return _act(request, host, ref, "delete", act)


@guard(Right.CONTAINERS_FILES)
@require_POST
def file_upload(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Starts the job that puts files into a folder, and shows it."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_FILES)
    path = options.path(request.POST.get("path", ""))
    try:
        job = file_uploads.start_upload(
            request.user, container, path, request.FILES.getlist("files"), unpack=request.POST.get("unpack") == "1"
        )
    except DermagaError as error:
        return _ask(request, container, "upload", path, error)
    return go(request, page_of(job))


@guard(Right.CONTAINERS_FILES)
@require_POST
def file_save(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Stores a text. When it cannot be stored, what was typed stays in the page."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_FILES)
    path = options.path(request.POST.get("path", ""))
    text, stamp, ends = (request.POST.get(name, "") for name in ("text", "stamp", "ends"))
    try:
        soon(files.save, request.user, container, path, text, stamp, ENDS.get(ends, "\n"))
    except DermagaError as error:
        context = file_context(container, path) | {"error": error, "text": text, "stamp": stamp, "ends": ends}
        return render(request, "containers/file_conflict.html", context, status=error.status)
    messages.success(request, _("Stored %(path)s.") % {"path": shown(path)})
    return go(request, file_url(container, path))
