"""An OpenID provider on loopback: its pages redirect, its tokens are signed, its codes hold once and want their verifier.
What it does wrong on purpose, a test says."""

import hashlib
import json
import secrets
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "dermaga", "client-canary-4711"
Changes = Callable[[dict[str, Any]], None]


class OpenIdProvider:
    """`with OpenIdProvider() as provider`: `issuer`. `person` is who logs in there (claims), at once and without a question;
    "denied" in it refuses. `spoil(claims)` changes the claims of a token; `token(claims)` makes it, else `key` signs it;
    `answers` gives a path another answer: bytes, or a function that gets the handler."""

    def __init__(self, port: int = 0) -> None:
        self.key = a_key()
        self.person: dict[str, Any] = {}
        self.spoil: Changes = lambda claims: None
        self.answers: dict[str, bytes | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.given: dict[str, dict[str, Any]] = {}
        self.body = b""  # of the last request
        self.token: Callable[[dict[str, Any]], str] = self.signed
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "OpenIdProvider":
        threading.Thread(target=self._http.serve_forever, name="openid", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    # ------------------------------------------------------------ its pages
    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        place = urlsplit(handler.path)
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))  # unread, it would end the answer
        other = self.answers.get(place.path)
        if callable(other):
            return other(handler)
        if other is not None:
            return send(handler, 200, other)
        pages = {
            "/.well-known/openid-configuration": self._configuration,
            "/authorize": self._authorize,
            "/token": self._token,
            "/keys": self._keys,
            "/userinfo": self._userinfo,
        }
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        return pages[place.path](handler, query)

    def _configuration(self, handler: BaseHTTPRequestHandler, _query: dict[str, str]) -> None:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        send(handler, 200, told)

    def _authorize(self, handler: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        assert (query["client_id"], query["response_type"]) == (CLIENT, "code")
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        said = {"error": "access_denied"} if self.person.get("denied") else {"code": code}
        handler.send_response(302)
        handler.send_header("Location", f"{query['redirect_uri']}?{urlencode(said | {'state': query['state']})}")
        handler.end_headers()

    def _token(self, handler: BaseHTTPRequestHandler, _query: dict[str, str]) -> None:
        sent = {name: values[0] for name, values in parse_qs(self.body.decode()).items()}
        asked = self.codes.pop(sent["code"], None)
        client = b64decode(handler.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        challenge = urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).decode().rstrip("=")
        fits = asked and (asked["redirect_uri"], asked["code_challenge"]) == (sent["redirect_uri"], challenge)
        if not asked or not fits or unquote(client) != f"{CLIENT}:{SECRET}":
            return send(handler, 400, {"error": "invalid_grant"})
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"]} | self.person
        self.spoil(claims)
        access = secrets.token_urlsafe(16)
        self.given[access] = dict(self.person)
        send(handler, 200, {"access_token": access, "token_type": "Bearer", "id_token": self.token(claims)})

    def signed(self, claims: dict[str, Any]) -> str:
        """A token as it should be."""
        return jwt.encode(claims, self.key, "RS256", headers={"kid": "one"})

    def _keys(self, handler: BaseHTTPRequestHandler, _query: dict[str, str]) -> None:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        send(handler, 200, {"keys": [key | {"kid": "one", "use": "sig", "alg": "RS256"}]})

    def _userinfo(self, handler: BaseHTTPRequestHandler, _query: dict[str, str]) -> None:
        send(handler, 200, self.given[handler.headers["Authorization"].removeprefix("Bearer ")])


@cache
def a_key() -> rsa.RSAPrivateKey:
    """One for all: a new one takes a moment."""
    return rsa.generate_private_key(65537, 2048)


def send(handler: BaseHTTPRequestHandler, status: int, told: Any) -> None:
    """An answer of JSON."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
