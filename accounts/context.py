"""What every template may ask about the user's rights: {{ may.containers_operate }}."""

from typing import Any

from django.http import HttpRequest

from accounts.rights import Right, allows


class May:
    """Attribute access to rights: `may.hosts_manage` is allows(user, Right.HOSTS_MANAGE)."""

    def __init__(self, user: Any) -> None:
        self._user = user

    def __getitem__(self, name: str) -> bool:
        return allows(self._user, Right[name.upper()])


def rights(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"may": May(getattr(request, "user", None))}
