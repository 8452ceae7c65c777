"""Whom a session belongs to, for pages, the API and sockets alike."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from accounts import second_factor
from accounts.models import User


class Backend(ModelBackend):
    """Django's, which also learns whether the user's role needs a second factor that is not set up yet: one query."""

    def get_user(self, user_id: Any) -> User | None:
        user = second_factor.with_duty([user_id]).get(user_id)
        return user if user is not None and user.is_active else None
