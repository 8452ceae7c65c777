"""Begins and ends looking through the eyes of a user."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import eyes
from accounts.guard import guard
from accounts.models import User
from accounts.rights import Right
from common.errors import Conflict


@guard(Right.USERS_MANAGE)
@require_POST
def eyes_begin(request: HttpRequest, pk: int) -> HttpResponse:
    """From now on in this browser."""
    try:
        eyes.begin(request, get_object_or_404(User, pk=pk))
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("user_edit", pk)
    return redirect("overview")


@guard(Right.LOGIN)
@require_POST
def eyes_stop(request: HttpRequest) -> HttpResponse:
    """One's own eyes again."""
    admin = getattr(request.user, "looker", None)
    eyes.end(request, admin or request.user, "stopped")
    if admin:
        messages.success(request, _("You look through your own eyes again."))
    return redirect("overview")
