"""An OpenID provider: somebody is sent there, and what it says of them afterwards is believed only when all of it fits:
state, nonce, issuer, audience, signature. allauth has the states, the exchange of codes and the table of who is linked; its own
way in asks for neither nonce nor signature, and reads without an end."""

import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlencode

import jwt
import requests
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_noop
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from accounts.not_let_in import NotLetIn
from common.connections import Cut, Deadline, pools

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
ANSWER_AT_MOST = 1024 * 1024  # bytes
SECONDS = 10.0  # for one answer, from the connection to its end
STALL_SECONDS = 5.0  # for the connection, and without a byte
CLOCKS_DIFFER = 60  # seconds
SUBJECT_AT_MOST = 191  # characters, of the column


AWAY = gettext_noop("%(name)s does not answer as it should. Try again later, or log in another way.")
NOT_BELIEVED = gettext_noop("What %(name)s answered cannot be trusted, so nobody was logged in. Tell an administrator.")
NOT_BEGUN = gettext_noop("This login was not begun in this browser, or too long ago. Begin again.")
CANCELLED = gettext_noop("The login at %(name)s was cancelled or refused.")


def refusal(template: str, why: str) -> NotLetIn:
    """One of the sentences above."""
    return NotLetIn(template, why, settings.OIDC_NAME)


def provider_id() -> str:
    """Under which its people are kept: of another issuer they are others."""
    return "oidc-" + hashlib.sha256(settings.OIDC_ISSUER.encode()).hexdigest()[:16]


def subject_of(subject: str) -> str:
    """As it is kept."""
    long = len(subject) > SUBJECT_AT_MOST
    return "sha256:" + hashlib.sha256(subject.encode()).hexdigest() if long else subject


# ---------------------------------------------------------------- there
def begin(request: HttpRequest, process: str, after: str | None) -> str:
    """The address at the provider that the browser goes to. `process` is "login" or "link"; `after`: where to go then."""
    challenge = generate_code_challenge()
    back = request.build_absolute_uri(reverse("provider_back"))
    state = {
        "process": process,
        "next": after,
        "nonce": secrets.token_urlsafe(24),
        "verifier": challenge["code_verifier"],
        "back": back,
        "user": request.user.pk,
    }
    to = _address(_configuration(), "authorization_endpoint")
    asked = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": back,
        "scope": " ".join(dict.fromkeys(["openid", *settings.OIDC_SCOPES])),
        "nonce": state["nonce"],
        "code_challenge": challenge["code_challenge"],
        "code_challenge_method": "S256",
        "state": statekit.stash_state(
            request, provider_id=provider_id(), state=state, state_id=secrets.token_urlsafe(24)
        ),
    }
    return f"{to}{'&' if '?' in to else '?'}{urlencode(asked)}"


# ---------------------------------------------------------------- and back
def state_of(request: HttpRequest) -> dict[str, Any]:
    """What was begun in this browser; it holds once. Raises NotLetIn."""
    state_id = request.GET.get("state", "")
    found: dict[str, Any] | None = statekit.unstash_state(request, provider_id=provider_id(), state_id=state_id)
    if found is None:
        raise refusal(NOT_BEGUN, "state")
    return found


def claims_of(request: HttpRequest, state: dict[str, Any]) -> dict[str, Any]:
    """What the provider says of who came back. Raises NotLetIn."""
    if not (code := request.GET.get("code", "")):
        raise refusal(CANCELLED, f"error {request.GET.get('error', '')[:60]}")
    configuration = _configuration()
    tokens = _exchanged(configuration, code, state)
    claims = _verified(configuration, tokens.get("id_token"), state["nonce"])
    if configuration.get("userinfo_endpoint") and isinstance(token := tokens.get("access_token"), str):
        said = _asked("GET", _address(configuration, "userinfo_endpoint"), headers={"Authorization": f"Bearer {token}"})
        if said.get("sub") != claims["sub"]:
            raise refusal(NOT_BELIEVED, "userinfo is about somebody else")
        claims = said | claims
    return claims


def _exchanged(configuration: dict[str, Any], code: str, state: dict[str, Any]) -> dict[str, Any]:
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": state["back"],
        "code_verifier": state["verifier"],
    }
    client = (settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)
    methods = configuration.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    basic = "client_secret_post" not in methods
    if not basic:
        sent |= {"client_id": client[0], "client_secret": client[1]}
    to = _address(configuration, "token_endpoint")
    return _asked("POST", to, data=sent, auth=client if basic else None, refused="code")


def _verified(configuration: dict[str, Any], token: Any, nonce: str) -> dict[str, Any]:
    if not isinstance(token, str):
        raise refusal(NOT_BELIEVED, "no id_token")
    try:
        keys = jwt.PyJWKSet.from_dict(_asked("GET", _address(configuration, "jwks_uri"))).keys
        wanted = jwt.get_unverified_header(token).get("kid")
        fitting = [key for key in keys if wanted is None or key.key_id == wanted]
        if not fitting:
            raise refusal(NOT_BELIEVED, "signed by an unknown key")
        claims: dict[str, Any] = jwt.decode(
            token,
            fitting[0],
            algorithms=ALGORITHMS,
            audience=settings.OIDC_CLIENT_ID,
            issuer=settings.OIDC_ISSUER,
            leeway=CLOCKS_DIFFER,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, AttributeError, TypeError, ValueError) as error:
        raise refusal(NOT_BELIEVED, f"id_token: {error}"[:200]) from error
    if claims.get("nonce") != nonce:
        raise refusal(NOT_BELIEVED, "nonce")
    if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
        raise refusal(NOT_BELIEVED, "for another party")
    if not claims["sub"] or not claims["sub"].isprintable():
        raise refusal(NOT_BELIEVED, "about nobody")
    return claims


# ---------------------------------------------------------------- HTTP
def _configuration() -> dict[str, Any]:
    told = _asked("GET", settings.OIDC_ISSUER.rstrip("/") + "/.well-known/openid-configuration")
    if told.get("issuer") != settings.OIDC_ISSUER:
        raise refusal(NOT_BELIEVED, f"it calls itself {str(told.get('issuer'))[:100]}")
    return told


def _address(configuration: dict[str, Any], name: str) -> str:
    """One that the configuration names; over TLS where the issuer is."""
    address = configuration.get(name)
    allowed = "https://" if settings.OIDC_ISSUER.startswith("https://") else ("http://", "https://")
    if not isinstance(address, str) or not address.startswith(allowed):
        raise refusal(AWAY, f"no {name}")
    return address


def _asked(method: str, url: str, refused: str = "", **options: Any) -> dict[str, Any]:
    """A JSON object, whole within SECONDS and ANSWER_AT_MOST. Raises NotLetIn; `refused` is what a 4xx is about."""
    try:
        with requests.Session() as session, Cut(Deadline(SECONDS)) as cut:
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Adapter(cut))
            options |= {"timeout": STALL_SECONDS, "stream": True, "allow_redirects": False}
            answer = session.request(method, url, **options)
            body = _read(answer)
            cut.deadline.left()  # what it had by then may look whole
        if refused and 400 <= answer.status_code < 500:
            raise refusal(NOT_BELIEVED, f"{refused}: {answer.status_code}")
        if answer.status_code != 200:
            raise refusal(AWAY, f"{url}: {answer.status_code}")
        told = json.loads(body)
    except (requests.RequestException, HTTPError, OSError, ValueError, RecursionError) as error:
        raise refusal(AWAY, f"{url}: {type(error).__name__}") from error
    if not isinstance(told, dict):
        raise refusal(AWAY, f"{url}: no object")
    return told


def _read(answer: requests.Response) -> bytes:
    body = b""
    while part := answer.raw.read1(65536, decode_content=True):
        body += part
        if len(body) > ANSWER_AT_MOST:
            raise OSError("too much")
    return body


class _Adapter(HTTPAdapter):
    """Whose connections, also to a proxy, are cut."""

    def __init__(self, cut: Cut) -> None:
        self._pools = pools(lambda host, port: cut.connect(host, port, STALL_SECONDS))
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager
