"""An OpenID provider: somebody is sent there, and what it says of them afterwards is believed only when all of it fits:
state, nonce, issuer, audience, signature. allauth has the states, the exchange of codes and the table of who is linked; its own
way in asks for neither nonce nor signature, and reads without an end."""

import hashlib
import json
import secrets
import socket
import threading
from contextlib import suppress
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

from common.errors import DermagaError

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
ANSWER_AT_MOST = 1024 * 1024  # bytes
SECONDS = 10.0  # for one answer, from the connection to its end
STALL_SECONDS = 5.0  # for the connection, and without a byte
CLOCKS_DIFFER = 60  # seconds
SUBJECT_AT_MOST = 191  # characters, of the column


class ProviderError(DermagaError):
    """Nobody is let in by the provider; `why`, for the audit and the log, is for administrators."""

    status = 403
    code = "provider"

    def __init__(self, template: str, why: str = "", **params: Any) -> None:
        self.why = why
        super().__init__(template, {"name": settings.OIDC_NAME, **params})


AWAY = gettext_noop("%(name)s does not answer as it should. Try again later, or log in another way.")
NOT_BELIEVED = gettext_noop("What %(name)s answered cannot be trusted, so nobody was logged in. Tell an administrator.")
NOT_BEGUN = gettext_noop("This login was not begun in this browser, or too long ago. Begin again.")
CANCELLED = gettext_noop("The login at %(name)s was cancelled or refused.")


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
    """What was begun in this browser; it holds once. Raises ProviderError."""
    state_id = request.GET.get("state", "")
    found: dict[str, Any] | None = statekit.unstash_state(request, provider_id=provider_id(), state_id=state_id)
    if found is None:
        raise ProviderError(NOT_BEGUN, "state")
    return found


def claims_of(request: HttpRequest, state: dict[str, Any]) -> dict[str, Any]:
    """What the provider says of who came back. Raises ProviderError."""
    if not (code := request.GET.get("code", "")):
        raise ProviderError(CANCELLED, f"error {request.GET.get('error', '')[:60]}")
    configuration = _configuration()
    tokens = _exchanged(configuration, code, state)
    claims = _verified(configuration, tokens.get("id_token"), state["nonce"])
    if configuration.get("userinfo_endpoint") and isinstance(token := tokens.get("access_token"), str):
        said = _asked("GET", _address(configuration, "userinfo_endpoint"), headers={"Authorization": f"Bearer {token}"})
        if said.get("sub") != claims["sub"]:
            raise ProviderError(NOT_BELIEVED, "userinfo is about somebody else")
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
        raise ProviderError(NOT_BELIEVED, "no id_token")
    try:
        keys = jwt.PyJWKSet.from_dict(_asked("GET", _address(configuration, "jwks_uri"))).keys
        wanted = jwt.get_unverified_header(token).get("kid")
        fitting = [key for key in keys if wanted is None or key.key_id == wanted]
        if not fitting:
            raise ProviderError(NOT_BELIEVED, "signed by an unknown key")
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
        raise ProviderError(NOT_BELIEVED, f"id_token: {error}"[:200]) from error
    if claims.get("nonce") != nonce:
        raise ProviderError(NOT_BELIEVED, "nonce")
    if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
        raise ProviderError(NOT_BELIEVED, "for another party")
    if not claims["sub"] or not claims["sub"].isprintable():
        raise ProviderError(NOT_BELIEVED, "about nobody")
    return claims


# ---------------------------------------------------------------- HTTP
def _configuration() -> dict[str, Any]:
    told = _asked("GET", settings.OIDC_ISSUER.rstrip("/") + "/.well-known/openid-configuration")
    if told.get("issuer") != settings.OIDC_ISSUER:
        raise ProviderError(NOT_BELIEVED, f"it calls itself {str(told.get('issuer'))[:100]}")
    return told


def _address(configuration: dict[str, Any], name: str) -> str:
    """One that the configuration names; over TLS where the issuer is."""
    address = configuration.get(name)
    allowed = "https://" if settings.OIDC_ISSUER.startswith("https://") else ("http://", "https://")
    if not isinstance(address, str) or not address.startswith(allowed):
        raise ProviderError(AWAY, f"no {name}")
    return address


def _asked(method: str, url: str, refused: str = "", **options: Any) -> dict[str, Any]:
    """A JSON object, whole within SECONDS and ANSWER_AT_MOST. Raises ProviderError; `refused` is what a 4xx is about."""
    try:
        with requests.Session() as session, _Cut(SECONDS) as cut:
            for scheme in ("http://", "https://"):
                session.mount(scheme, cut)
            options |= {"timeout": STALL_SECONDS, "stream": True, "allow_redirects": False}
            answer = session.request(method, url, **options)
            body = _read(answer)
        if refused and 400 <= answer.status_code < 500:
            raise ProviderError(NOT_BELIEVED, f"{refused}: {answer.status_code}")
        if answer.status_code != 200:
            raise ProviderError(AWAY, f"{url}: {answer.status_code}")
        told = json.loads(body)
    except (requests.RequestException, HTTPError, OSError, ValueError, RecursionError) as error:
        raise ProviderError(AWAY, f"{url}: {type(error).__name__}") from error
    if not isinstance(told, dict):
        raise ProviderError(AWAY, f"{url}: no object")
    return told


def _read(answer: requests.Response) -> bytes:
    body = b""
    while part := answer.raw.read1(65536, decode_content=True):
        body += part
        if len(body) > ANSWER_AT_MOST:
            raise OSError("too much")
    return body


class _Cut(HTTPAdapter):
    """Ends its connections after so many seconds: the library's timeout begins anew with each byte, also of a head or of
    a TLS handshake."""

    def __init__(self, seconds: float) -> None:
        self._held: list[socket.socket] = []
        self._over = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        super().__init__()

    def __enter__(self) -> "_Cut":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for held in self._held:
            held.close()
        if self._over:  # what it had by then may look whole
            raise OSError("too slow")

    def _cut(self) -> None:
        self._over = True
        for held in self._held:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self._tell(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        self._tell(manager)
        return manager

    def _tell(self, manager: Any) -> None:
        """Its connections tell their sockets."""
        cut = self

        def telling(kind: Any) -> Any:
            class Connection(kind.ConnectionCls):
                def _new_conn(self) -> socket.socket:
                    made: socket.socket = super()._new_conn()
                    cut._held.append(made.dup())  # TLS takes the first one over
                    if cut._over:
                        cut._cut()
                    return made

            return type(kind.__name__, (kind,), {"ConnectionCls": Connection})

        known = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {scheme: telling(kind) for scheme, kind in known.items()}
