"""The guard: every view names its rule, and a view without one is not served (default deny)."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.rights import Right, allows
from common.error_pages import denied, not_found, problem

View = TypeVar("View", bound=Callable[..., Any])

# Views of libraries cannot carry a rule themselves. What is not listed here is not served.
FOREIGN_RULES: dict[str, Right] = {
    "account_login": Right.PUBLIC,
    "account_logout": Right.LOGIN,
    "account_change_password": Right.LOGIN,
    "account_reauthenticate": Right.LOGIN,
    "account_inactive": Right.PUBLIC,
}


def guard(rule: Right) -> Callable[[View], View]:
    """Names the rule that a request must meet before the view runs."""

    def mark(view: View) -> View:
        view.rule = rule  # type: ignore[attr-defined]
        return view

    return mark


def rule_of(view: Any, url_name: str | None) -> Right | None:
    """The rule of a resolved view, or None: then nobody may call it."""
    return getattr(view, "rule", None) or FOREIGN_RULES.get(url_name or "")


class GuardMiddleware:
    """Checks the rule of each view before it runs. The API's routes carry theirs in the API's own authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match and "api-1" in match.namespaces:
            return None  # api.urls checks token or session and the right of each operation
        rule = rule_of(view, match.view_name if match else None)
        if rule is None:
            return not_found(request)
        if allows(request.user, rule):
            return None
        return denied(request) if request.user.is_authenticated else to_login(request)


def to_login(request: HttpRequest) -> HttpResponse:
    """Sends a browser to the login page and back afterwards; tells htmx to load it; answers programs with 401."""
    if request.path.startswith("/api/"):
        return problem(401, "not_logged_in", "Log in, or send an API token.")
    url = f"{reverse('account_login')}?next={quote(request.get_full_path())}"
    if getattr(request, "htmx", False):
        return HttpResponse(status=401, headers={"HX-Redirect": reverse("account_login")})
    return HttpResponseRedirect(url)
