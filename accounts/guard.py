"""The guard: every view names its rule, and a view without one is not served (default deny)."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts import eyes, origin, sessions, tokens
from accounts.audit import record
from accounts.models import User
from accounts.rights import Right, allows
from common.error_pages import answer, denied, not_found, path_of, problem

View = TypeVar("View", bound=Callable[..., Any])

# Views of libraries cannot carry a rule themselves. What is not listed here is not served.
FOREIGN_RULES: dict[str, Right] = {
    "account_login": Right.PUBLIC,
    "account_logout": Right.PUBLIC,  # also between password and second factor, to be somebody else
    "account_change_password": Right.LOGIN,
    "account_reauthenticate": Right.LOGIN,
    "account_inactive": Right.PUBLIC,
    "mfa_authenticate": Right.PUBLIC,  # after the password, which it asks the session for
    "mfa_reauthenticate": Right.LOGIN,
    "mfa_activate_totp": Right.LOGIN,
    "mfa_deactivate_totp": Right.LOGIN,
    "mfa_add_webauthn": Right.LOGIN,
    "mfa_edit_webauthn": Right.LOGIN,
    "mfa_remove_webauthn": Right.LOGIN,
    "mfa_view_recovery_codes": Right.LOGIN,
    "mfa_generate_recovery_codes": Right.LOGIN,
}


# All that is left to who has to set up a second factor.
SETTING_UP = {"account_reauthenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_add_webauthn"}


def guard(rule: Right, *, by_token: bool = False, live: bool = False) -> Callable[[View], View]:
    """Names the rule that a request must meet before the view runs. `by_token`: programs call it with an API token, and
    a browser's session does not open it. `live`: its parts are the same for all with the same rights, so that one is
    made for many (hosts.consumers.parts)."""

    def mark(view: View) -> View:
        view.rule = rule  # type: ignore[attr-defined]
        view.by_token = by_token  # type: ignore[attr-defined]
        view.live = live  # type: ignore[attr-defined]
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
        came = origin.begin(request.META.get("REMOTE_ADDR", ""))
        request.eyes_over = look(request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        if isinstance(request.user, User) and request.user.token is None and request.user.looker is None:
            sessions.seen(request)
        refused = response.status_code == HTTPStatus.FORBIDDEN and request.method not in {"GET", "HEAD", "OPTIONS"}
        if refused and not came.entries and isinstance(request.user, User):  # before any act began
            record(request.user, "request", f"{request.method} {path_of(request)}", outcome="refused")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if refusal := self._while_looking(request, rule_of(view, match.view_name if match else None)):
            return refusal
        if match and "api-1" in match.namespaces:
            return None  # api.urls checks token or session and the right of each operation
        rule = rule_of(view, match.view_name if match else None)
        if rule is None:
            return not_found(request)
        if getattr(view, "by_token", False):
            return let_program_in(request, rule)
        if allows(request.user, rule):
            return None
        if getattr(request.user, "lacks_second_factor", False):
            return None if match and match.view_name in SETTING_UP else to_set_up(request)
        return denied(request) if request.user.is_authenticated else to_login(request)

    def _while_looking(self, request: HttpRequest, rule: Right | None) -> HttpResponse | None:
        """What is refused to who looks through others' eyes, also in the request that finds the time over."""
        looks = getattr(request.user, "looker", None) is not None
        if not looks and not request.eyes_over:  # type: ignore[attr-defined]
            return None
        if getattr(request, "shared", False):  # it began after the part was asked for: each asks for their own
            return HttpResponse(status=HTTPStatus.NOT_ACCEPTABLE)
        name = request.resolver_match.view_name if request.resolver_match else ""
        if request.method not in eyes.READS:
            return None if name in eyes.WRITES else answer(request, eyes.Looking())
        return denied(request) if looks and rule is Right.LOGIN and name not in eyes.OPEN else None


def look(request: HttpRequest) -> bool:
    """Makes the user whose eyes the session looks through the request's; whether that has come to its end just now."""
    told = request.session.get(eyes.KEY)
    if not told:
        return False
    admin = request.user
    request.user = seen = eyes.through(admin, told)
    if seen is admin:
        eyes.end(request, admin if admin.is_authenticated else None, "over")
    return seen is admin


def let_program_in(request: HttpRequest, rule: Right) -> HttpResponse | None:
    """Makes the token's user the request's; the answer that refuses it, or None."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        if kind.lower() != "bearer":
            return ask_for_token("not_logged_in", "Send an API token: Authorization: Bearer TOKEN.")
        request.user = user = tokens.let_in(token.strip())
    except tokens.TokenRefused as error:
        return ask_for_token(error.code, str(error))
    return None if allows(user, rule) else denied(request)


def ask_for_token(code: str, sentence: str) -> HttpResponse:
    """401 as programs read it."""
    answer = problem(401, code, sentence)
    answer["WWW-Authenticate"] = "Bearer"
    return answer


def to_set_up(request: HttpRequest) -> HttpResponse:
    """Sends a browser to where a second factor is set up."""
    url = reverse("mfa_activate_totp")
    if getattr(request, "htmx", False):
        return HttpResponse(status=403, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def to_login(request: HttpRequest) -> HttpResponse:
    """Sends a browser to the login page and back afterwards; tells htmx to load it; answers programs with 401."""
    if request.path.startswith("/api/"):
        return problem(401, "not_logged_in", "Log in, or send an API token.")
    url = f"{reverse('account_login')}?next={quote(request.get_full_path())}"
    if getattr(request, "htmx", False):
        return HttpResponse(status=401, headers={"HX-Redirect": reverse("account_login")})
    return HttpResponseRedirect(url)
