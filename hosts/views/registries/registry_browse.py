"""What is in a registry, asked live by parts of pages that are there already."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, NotFound
from hosts.access import get_account, get_registry
from hosts.actions.containers import browse
from hosts.actions.registries import registries
from hosts.models import Registry, RegistryAccount
from hosts.registry.names import DIGEST, TAG, image_name

SEARCH_AT_MOST = 100


def asked_of(request: HttpRequest) -> dict[str, Any]:
    """What the address says: which part, with which account."""
    page, account = request.GET.get("page", ""), request.GET.get("account", "")
    return {
        "search": request.GET.get("search", "").replace("\0", "").strip()[:SEARCH_AT_MOST],
        "page": int(page) if page.isdecimal() and 0 < len(page) < 6 else 1,
        "account": int(account) if account.isdecimal() and len(account) < 16 else None,
    }


@guard(Right.REGISTRIES_VIEW)
@require_GET
def registry_repositories(request: HttpRequest, name: str) -> HttpResponse:
    """The part of a registry's page that lists its repositories."""
    registry = get_registry(request.user, name)
    asked = asked_of(request)
    context: dict[str, Any] = {"registry": registry, "asked": asked}
    try:
        context["found"] = browse.repositories(request.user, registry, **asked)
    except DermagaError as error:
        context["error"] = error
    return render(request, "registries/_repositories.html", context)


@guard(Right.REGISTRIES_VIEW)
@require_GET
def registry_tags(request: HttpRequest, name: str) -> HttpResponse:
    """The tags of a repository: the page at once, what the registry says in its part."""
    registry = get_registry(request.user, name)
    repository, asked = _repository(request), asked_of(request)
    context: dict[str, Any] = {"registry": registry, "repository": repository, "asked": asked}
    if "part" not in request.GET:
        context["usable"] = RegistryAccount.objects.filter(registry=registry).usable(request.user)
        return render(request, "registries/tags.html", context)
    context["image"] = image_name(registry.address, repository)
    try:
        context["found"] = browse.tags(request.user, registry, repository, **asked)
    except DermagaError as error:
        context["error"] = error
    return render(request, "registries/_tags.html", context)


@guard(Right.REGISTRIES_MANAGE)
@require_http_methods(["GET", "POST"])
def registry_tag_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Says what goes with a tag; deletes it on POST."""
    registry = get_registry(request.user, name, Right.REGISTRIES_MANAGE)
    repository, tag, asked = _repository(request), _tag(request), asked_of(request)
    context: dict[str, Any] = {"registry": registry, "repository": repository, "tag": tag, "asked": asked}
    if request.method == "POST":
        return _delete(request, registry, repository, tag)
    if "part" not in request.GET:
        return render(request, "registries/remove_tag.html", context)
    try:
        context["found"] = browse.sharing(request.user, registry, repository, tag, account=asked["account"])
    except DermagaError as error:
        context["error"] = error
    return render(request, "registries/_remove_tag.html", context)


def _delete(request: HttpRequest, registry: Registry, repository: str, tag: str) -> HttpResponse:
    digest, pk = request.POST.get("digest", ""), request.POST.get("account", "")
    if not DIGEST.fullmatch(digest):
        raise NotFound
    try:
        account = get_account(request.user, registry, pk, Right.REGISTRIES_MANAGE) if pk else None
        registries.delete_tag(request.user, registry, repository, tag, digest=digest, account=account)
        messages.success(request, _("Deleted %(name)s.") % {"name": f"{repository}:{tag}"})
    except DermagaError as error:
        messages.error(request, error.whole)
    return redirect(f"{reverse('registry_tags', args=[registry.name])}?repository={repository}")


def _repository(request: HttpRequest) -> str:
    return request.GET.get("repository", "").replace("\0", "").strip().strip("/")[:300]


def _tag(request: HttpRequest) -> str:
    tag = request.GET.get("tag", "")
    if not TAG.fullmatch(tag):
        raise NotFound
    return tag
