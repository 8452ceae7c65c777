"""Making a container anew from the newest image, many at once, and putting back one that was set aside."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import back, go, template_for
from hosts.access import get_container
from hosts.actions.containers import bulk, recreate
from hosts.leaning import sharing
from hosts.pages import page_of

SECONDS_DIGITS = 6


def seconds(request: HttpRequest, field: str, default: int) -> int:
    """A number of seconds from a form. Raises Invalid."""
    typed = request.POST.get(field, "").strip() or str(default)
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= SECONDS_DIGITS):
        raise Invalid(field, gettext_noop("Write a whole number of seconds."))
    return int(typed)


@guard(Right.CONTAINERS_CREATE)
@require_http_methods(["GET", "POST"])
def container_recreate(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Says what will happen and to whom; starts the job and shows it."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_CREATE)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            job = recreate.start_recreate(
                request.user,
                container,
                settle=seconds(request, "settle", recreate.SETTLE_SECONDS),
                healthy_within=seconds(request, "healthy_within", recreate.HEALTHY_WITHIN),
            )
            return go(request, page_of(job))
        except DermagaError as refused:
            error = refused
    context = {
        "container": container,
        "sharing": sharing(request.user, container),
        "typed": {"settle": recreate.SETTLE_SECONDS, "healthy_within": recreate.HEALTHY_WITHIN, **request.POST.dict()},
        "error": error,
        "field": getattr(error, "field", ""),
    }
    fragment = "containers/_recreate_form.html" if error else "containers/_recreate_dialog.html"
    template = template_for(request, "containers/recreate.html", fragment)
    return render(request, template, context, status=422 if error else 200)


@guard(Right.CONTAINERS_CREATE)
@require_POST
def container_recreate_chosen(request: HttpRequest) -> HttpResponse:
    """A job for each chosen container (`target` = HOST/ID, repeated): each is put back by itself if it fails."""
    targets = request.POST.getlist("target")[: bulk.TARGETS_AT_MOST]
    chosen = [get_container(request.user, *target.partition("/")[::2], Right.CONTAINERS_CREATE) for target in targets]
    if not chosen:
        messages.error(request, _("No container was chosen."))
        return redirect(back(request, "container_list"))
    jobs = [recreate.start_recreate(request.user, container) for container in chosen]
    said = ngettext("Started %(n)s job: a container keeps running until its new one is well.", "Started %(n)s jobs: a container keeps running until its new one is well.", len(jobs))  # fmt: skip
    messages.info(request, said % {"n": len(jobs)})
    return redirect("job_list")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_put_back(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Starts the job and shows it."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_OPERATE)
    try:
        job = recreate.start_put_back(request.user, container)
    except DermagaError as error:
        messages.error(request, error.whole)
        return go(request, page_of(container))
    return go(request, page_of(job))
