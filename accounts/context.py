"""What every template may ask about the user's rights: {{ may.containers_operate }}."""

from typing import Any

from django.http import HttpRequest

from accounts.rights import Right, standing_of


class May:
    """Attribute access to rights: `may.hosts_manage` says whether the user has Right.HOSTS_MANAGE on the `host` that the
    page is about, or on some host where it is about none."""

    def __init__(self, user: Any, host: str = "") -> None:
        self._user = user
        self._host = host

    def __getitem__(self, name: str) -> bool:
        reach = standing_of(self._user).reach(Right[name.upper()])
        return reach.touches(self._host) if self._host else reach.anywhere


def rights(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    kwargs = match.kwargs if (match := request.resolver_match) else {}
    return {"may": May(getattr(request, "user", None), str(kwargs.get("host") or kwargs.get("name") or ""))}
