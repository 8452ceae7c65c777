"""Saved views: a list's filters and order under a name, each person's own."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from accounts.guard import guard
from accounts.models import SavedView
from accounts.rights import Right
from common.errors import DermagaError, Invalid, NotFound
from common.htmx import back, is_fragment

NAME_AT_MOST, QUERY_AT_MOST, VIEWS_AT_MOST = 60, 2000, 50
NOT_KEPT = ("page", "facet", "target")  # the moment's, not the view's


@guard(Right.LOGIN)
@require_GET
def view_menu(request: HttpRequest) -> HttpResponse:
    """The menu of a list: its saved views, and a field that saves what is shown."""
    return _menu(request, _page(request.GET.get("of", "")), request.GET.get("query", ""))


def _menu(request: HttpRequest, page: str, query: str, error: DermagaError | None = None) -> HttpResponse:
    context = {
        "views": SavedView.objects.filter(user=request.user.pk, page=page),
        "of": page,
        "query": kept_of(query),
        "typed": request.POST.get("name", ""),
        "error": error,
    }
    return render(request, "components/saved_views_menu.html", context, status=422 if error else 200)


@guard(Right.LOGIN)
@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Saves a view; one of the same name is replaced."""
    page, query = _page(request.POST.get("of", "")), request.POST.get("query", "")
    try:
        save(request.user, page, request.POST.get("name", ""), query)
        error = None
    except Invalid as refused:
        error = refused
    if is_fragment(request):
        return _menu(request, page, query, error)
    return redirect(back(request, f"{reverse(page)}?{kept_of(query)}"))


@guard(Right.LOGIN)
@require_POST
def view_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forgets one of the person's own views."""
    view = SavedView.objects.filter(user=request.user.pk, pk=pk).first()
    if view is None:
        raise NotFound
    view.delete()
    if is_fragment(request):
        return _menu(request, view.page, request.POST.get("query", ""))
    return redirect(view.page)


def save(user: Any, page: str, name: str, query: str) -> SavedView:
    """Stores it. Raises Invalid."""
    name, query = " ".join(name.replace("\0", "").split()), kept_of(query)
    if not name or len(name) > NAME_AT_MOST:
        raise Invalid("name", gettext_noop("Give the view a name of at most %(n)s characters."), {"n": NAME_AT_MOST})
    if len(query) > QUERY_AT_MOST:
        raise Invalid("query", gettext_noop("This view has too many filters to be saved. Take some away."))
    others = SavedView.objects.filter(user=user).exclude(page=page, name=name)
    if others.count() >= VIEWS_AT_MOST:
        raise Invalid(
            "name", gettext_noop("You have %(n)s views, the most there can be. Remove one."), {"n": VIEWS_AT_MOST}
        )
    view, _made = SavedView.objects.update_or_create(user=user, page=page, name=name, defaults={"query": query})
    return view


def kept_of(query: str) -> str:
    """A query string without what belongs to the moment."""
    values = QueryDict(query[: QUERY_AT_MOST * 2])
    return urlencode(
        [(name, value) for name, found in values.lists() if name not in NOT_KEPT for value in found if value]
    )


def _page(name: str) -> str:
    """The name of a list. Raises NotFound for any other word."""
    try:
        if not name.endswith("_list"):
            raise NoReverseMatch
        reverse(name)
    except NoReverseMatch as error:
        raise NotFound from error
    return name
