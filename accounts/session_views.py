"""Where somebody is logged in: one's own sessions, and those of anybody for administrators."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts import sessions
from accounts.guard import guard
from accounts.models import User
from accounts.rights import Right


@guard(Right.LOGIN)
@require_GET
def own_sessions(request: HttpRequest) -> HttpResponse:
    """One's own."""
    return _page(request, request.user)  # type: ignore[arg-type]


@guard(Right.LOGIN)
@require_POST
def own_session_end(request: HttpRequest, session: int) -> HttpResponse:
    """One of one's own."""
    return _end(request, request.user, session)  # type: ignore[arg-type]


@guard(Right.LOGIN)
@require_POST
def own_sessions_end(request: HttpRequest) -> HttpResponse:
    """All of one's own but this one."""
    return _end_all(request, request.user)  # type: ignore[arg-type]


@guard(Right.USERS_MANAGE)
@require_GET
def user_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody's."""
    return _page(request, get_object_or_404(User, pk=pk))


@guard(Right.USERS_MANAGE)
@require_POST
def user_session_end(request: HttpRequest, pk: int, session: int) -> HttpResponse:
    """One of somebody's."""
    return _end(request, get_object_or_404(User, pk=pk), session)


@guard(Right.USERS_MANAGE)
@require_POST
def user_sessions_end(request: HttpRequest, pk: int) -> HttpResponse:
    """All of somebody's."""
    return _end_all(request, get_object_or_404(User, pk=pk))


def _page(request: HttpRequest, user: User) -> HttpResponse:
    rows = sessions.of(user)
    for row in rows:
        row.client = sessions.client_of(row.user_agent)
        row.is_this = row.session_key == request.session.session_key
    others = sum(not row.is_this for row in rows)
    context = {"sessions": rows, "person": user, "is_own": user.pk == request.user.pk, "others": others}
    return render(request, "users/sessions.html", context)


def _end(request: HttpRequest, user: User, pk: int) -> HttpResponse:
    session = sessions.get(user, pk)
    is_this = session.session_key == request.session.session_key
    sessions.end(request.user, session)  # type: ignore[arg-type]
    if is_this:
        logout(request)
        return redirect("account_login")
    messages.success(request, _("Ended. That browser has to log in again."))
    return _back(request, user)


def _end_all(request: HttpRequest, user: User) -> HttpResponse:
    ended = sessions.end_all(request.user, user, keep=request.session.session_key)  # type: ignore[arg-type]
    messages.success(request, ngettext("Ended %(n)s session.", "Ended %(n)s sessions.", ended) % {"n": ended})
    return _back(request, user)


def _back(request: HttpRequest, user: User) -> HttpResponse:
    return redirect("own_sessions") if user.pk == request.user.pk else redirect("user_sessions", user.pk)
