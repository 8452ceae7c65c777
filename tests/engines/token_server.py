"""A token server as registries name one: it gives signed tokens to who logs in, and others to nobody."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.engines.certificates import Authority

ISSUER, SERVICE = "tests", "registry.tests"


class TokenServer:
    """Listens on `host`; `asked` are the requests so far as (authorization header, query)."""

    def __init__(self, host: str, users: dict[str, str]) -> None:
        self.users = users
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.authority = Authority("Tokens")
        self._pair = self.authority.server("tokens")
        key = serialization.load_pem_private_key(self._pair.key.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._http = ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self._http.server_address[1]}/token"
        threading.Thread(target=self._http.serve_forever, name="tokens", daemon=True).start()

    def config(self, folder: Path) -> str:
        """What a registry's configuration says of it."""
        bundle = folder / "tokens.pem"
        bundle.write_text(self.authority.ca)
        return (
            f"auth:\n  token: {{realm: '{self.url}', service: {SERVICE}, issuer: {ISSUER}, rootcertbundle: {bundle}}}\n"
        )

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        header = handler.headers.get("Authorization", "")
        self.asked.append((header, query))
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        if header and self.users.get(user) != password:
            self._send(handler, 401, {"details": "incorrect username or password"})
        else:
            self._send(handler, 200, {"token": self.token(query.get("scope", "") if user else ""), "expires_in": 300})

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def token(self, scope: str) -> str:
        """A JWT that allows `scope`, such as repository:web:pull,push."""
        now = int(time.time())
        chain = x509.load_pem_x509_certificate(self._pair.cert.encode()).public_bytes(serialization.Encoding.DER)
        head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(chain).decode()]}
        access = []
        for part in scope.split():
            kind, _, rest = part.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        claims = {
            "iss": ISSUER,
            "aud": SERVICE,
            "sub": "",
            "exp": now + 300,
            "nbf": now - 10,
            "iat": now - 10,
            "jti": str(now),
            "access": access,
        }
        text = f"{_plain(json.dumps(head).encode())}.{_plain(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_plain(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def stop(self) -> None:
        """Ends it."""
        self._http.shutdown()
        self._http.server_close()


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
