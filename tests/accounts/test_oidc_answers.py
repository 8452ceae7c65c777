"""What an OpenID provider answers and is not believed, and what goes wrong there: a sentence soon, and nobody is in."""

import gzip
import hmac
import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from jwt.algorithms import RSAAlgorithm

from accounts.models import User
from common.connections import abort
from tests.accounts.openid import BEGIN, is_in, refusals, said, there, through
from tests.rows import person
from tests.servers.names import no_name_server
from tests.servers.openid import CLIENT, SECRET, OpenIdProvider

pytestmark = [pytest.mark.django_db, pytest.mark.core]
PASSWORD = "quay-side-4711"
NOT_BELIEVED = "cannot be trusted"
AWAY = "does not answer as it should"


# ---------------------------------------------------------------- what is not believed
SPOILED: dict[str, Any] = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": ""},
    "audience": {"aud": "another"},
    "party": {"aud": [CLIENT, "another"], "azp": "another"},
    "issuer": {"iss": "https://evil.example"},
    "expired": {"exp": int(time.time()) - 3600},
    "to come": {"iat": int(time.time()) + 3600},
    "nobody": {"sub": ""},
    "a number": {"sub": 1001},
    "no letter": {"sub": "1001\0"},
    "half a letter": {"sub": "\ud800"},
    "a nonce of half a letter": {"nonce": "\ud800"},
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_token_that_does_not_fit_lets_nobody_in(client: Client, provider: OpenIdProvider, what: str) -> None:
    provider.spoil = lambda claims: claims.update(SPOILED[what])
    assert NOT_BELIEVED in said(client, through(client))
    assert not is_in(client) and not User.objects.exists()
    assert refusals()[-1]["kind"] == "provider"


def written(claims: dict[str, Any], signed: Callable[[bytes], bytes], **header: Any) -> str:
    """A token as no library would make it; `signed` gives the signature of its first two parts."""
    parts = [base64(json.dumps(part).encode()) for part in ({"typ": "JWT", "kid": "one"} | header, claims)]
    return ".".join([*parts, base64(signed(".".join(parts).encode()))])


def base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def by_secret(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda told: hmac.digest(secret, told, "sha256")


def by_key(key: RSAPrivateKey) -> Callable[[bytes], bytes]:
    return lambda told: key.sign(told, PKCS1v15(), SHA256())


def public(provider: OpenIdProvider, encoding: Encoding, kind: PublicFormat) -> Callable[[bytes], bytes]:
    """The key that everybody can read, as the secret of a signature that one secret makes and checks."""
    return by_secret(provider.key.public_key().public_bytes(encoding, kind))


def of_modulus(provider: OpenIdProvider) -> bytes:
    numbers = provider.key.public_key().public_numbers()
    return numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)


INFO, PKCS1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1
OTHER = rsa.generate_private_key(65537, 2048)
OTHER_PUBLISHED = json.loads(RSAAlgorithm.to_jwk(OTHER.public_key())) | {"kid": "one"}
FORGED: dict[str, Callable[[OpenIdProvider, dict[str, Any]], str]] = {
    "another key": lambda own, claims: written(claims, by_key(OTHER), alg="RS256"),
    "another key, brought along": lambda own, claims: written(
        claims, by_key(OTHER), alg="RS256", jwk=OTHER_PUBLISHED, jku=f"{own.issuer}/other"
    ),
    "an unknown key": lambda own, claims: written(claims, by_key(own.key), alg="RS256", kid="two"),
    "alg none": lambda own, claims: written(claims, lambda told: b"", alg="none"),
    "alg none in other letters": lambda own, claims: written(claims, lambda told: b"", alg="nOnE"),
    "alg none and a true signature": lambda own, claims: written(claims, by_key(own.key), alg="none"),
    "no alg": lambda own, claims: written(claims, by_key(own.key)),
    "no signature": lambda own, claims: written(claims, lambda told: b"", alg="RS256"),
    "HS256 by the public key, PEM": lambda own, claims: written(claims, public(own, Encoding.PEM, INFO), alg="HS256"),
    "HS256 by the public key, DER": lambda own, claims: written(claims, public(own, Encoding.DER, INFO), alg="HS256"),
    "HS256 by the public key, PKCS 1": lambda own, claims: written(
        claims, public(own, Encoding.PEM, PKCS1), alg="HS256"
    ),
    "HS256 by the public key, its modulus": lambda own, claims: written(
        claims, by_secret(of_modulus(own)), alg="HS256"
    ),
    "HS256 by the client's secret": lambda own, claims: written(claims, by_secret(SECRET.encode()), alg="HS256"),
    "HS256 by nothing": lambda own, claims: written(claims, by_secret(b""), alg="HS256"),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_signature_lets_nobody_in(client: Client, provider: OpenIdProvider, how: str) -> None:
    provider.token = lambda claims: FORGED[how](provider, claims)
    assert NOT_BELIEVED in said(client, through(client))
    assert not is_in(client) and not User.objects.exists()
    assert re.search("alg|key|signature", refusals()[-1]["why"], re.IGNORECASE)


def test_a_token_that_is_written_like_those_and_signed_by_the_key_lets_in(
    client: Client, provider: OpenIdProvider
) -> None:
    provider.token = lambda claims: written(claims, by_key(provider.key), alg="RS256")
    through(client)
    assert is_in(client) == "vera"


def test_a_way_back_holds_once_and_in_one_browser(client: Client, provider: OpenIdProvider) -> None:
    back = there(client)
    other = Client()
    assert "not begun in this browser" in said(other, other.get(back))
    assert not is_in(other)
    assert client.get(back)["Location"] == "/"
    client.post("/account/logout/")
    assert "not begun in this browser" in said(client, client.get(back))
    code = re.search(r"code=([^&]+)", back)
    assert code
    again = re.sub(r"code=[^&]+", f"code={code[1]}", there(client))  # a fresh state, a used code
    assert NOT_BELIEVED in said(client, client.get(again))
    assert not is_in(client)


def test_what_userinfo_says_of_somebody_else_counts_for_nothing(client: Client, provider: OpenIdProvider) -> None:
    provider.answers["/userinfo"] = b'{"sub": "1", "groups": ["chiefs"]}'
    assert NOT_BELIEVED in said(client, through(client))
    assert not User.objects.exists()


def test_who_refuses_there_is_told_so_here(client: Client, provider: OpenIdProvider) -> None:
    provider.person["denied"] = True
    answer = through(client, next="/jobs/")
    assert answer["Location"] == "/account/login/?next=%2Fjobs%2F"
    assert "The login at Harbour was cancelled or refused." in said(client, answer)


@pytest.mark.parametrize(
    "foreign",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", "http:evil.example"],
)
def test_a_login_ends_here_whatever_the_address_asks_for(
    client: Client, provider: OpenIdProvider, foreign: str
) -> None:
    asked = urlencode({"next": foreign})
    assert client.get(f"{there(client, next=foreign)}&{asked}")["Location"] == "/"
    assert is_in(client) == "vera"
    assert client.post(BEGIN, {"next": foreign})["Location"] == "/"  # who is in already
    other = Client()
    assert other.get(f"{there(other, f'{BEGIN}?{asked}')}&{asked}")["Location"] == "/"
    provider.person["denied"] = True
    refused = Client()
    assert refused.get(f"{there(refused, next=foreign)}&{asked}")["Location"] == "/account/login/"


def test_a_session_that_somebody_put_into_the_browser_is_not_the_one_that_is_logged_in(
    client: Client, provider: OpenIdProvider
) -> None:
    there(client)  # a stranger gets a session, and brings the victim's browser to use it
    known = client.session.session_key or ""
    victim, stranger = Client(), Client()
    for browser in (victim, stranger):
        browser.cookies["sessionid"] = known
    through(victim)
    assert is_in(victim) == "vera" and victim.session.session_key != known
    assert not is_in(stranger) and not is_in(client)


# ---------------------------------------------------------------- what goes wrong there
LASTS = 10.0  # seconds that a slow one goes on for


def silent(handler: Any) -> None:
    time.sleep(LASTS)


def drip(handler: Any, head: bytes = b"HTTP/1.0 200 OK\r\n\r\n") -> None:
    """Bytes without an end: each comes within any timeout."""
    with suppress(OSError):  # we hang up
        handler.wfile.write(head)
        for _ in range(int(LASTS / 0.05)):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)


def drip_head(handler: Any) -> None:
    """The same before there is a body."""
    drip(handler, b"HTTP/1.0 200 OK\r\nX-Drip: ")


def pour(handler: Any) -> None:
    """As fast as they are read."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b" " * 65536)


def bomb(handler: Any) -> None:
    """Megabytes that are few on the way."""
    packed = gzip.compress(b'{"a": "' + b" " * 5_000_000 + b'"}')
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed)


def no_gzip(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + b"x" * 100)


def ends_early(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{}")


def hangs_up(handler: Any) -> None:
    """In the middle, not politely."""
    ends_early(handler)
    abort(handler.connection)


def fails(handler: Any) -> None:
    handler.send_error(500)


def leads_away(handler: Any) -> None:
    handler.send_response(302)
    handler.send_header("Location", "/elsewhere")
    handler.end_headers()


BROKEN: dict[str, Any] = {
    "HTTP 500": fails,
    "a redirect": leads_away,
    "silent": silent,
    "no gzip": no_gzip,
    "ends early": ends_early,
    "hangs up": hangs_up,
    "no JSON": b"<html>",
    "a list": b"[]",
    "nested": b"[" * 100_000,
    "huge": b'{"a": "' + b"x" * 2_000_000 + b'"}',
    "a bomb": bomb,
    "endless and slow": drip,
    "endless and fast": pour,
    "an endless head": drip_head,
    "empty": b"{}",
}
PATHS = ["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"]


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("path", PATHS)
def test_an_answer_that_is_none_is_a_sentence_soon_and_logs_nobody_in(
    client: Client, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch, path: str, what: str
) -> None:
    monkeypatch.setattr("accounts.oidc.SECONDS", 0.5)
    back = "" if path == PATHS[0] else there(client)
    provider.answers[path] = BROKEN[what]
    began = time.monotonic()
    answer = client.get(back) if back else client.post(BEGIN)
    assert time.monotonic() - began < LASTS - 2
    assert (NOT_BELIEVED if what == "empty" else AWAY) in said(client, answer)
    assert not is_in(client) and not User.objects.exists()
    assert refusals()[-1]["kind"] == "provider"


def test_a_provider_that_is_away_is_a_sentence_and_passwords_still_log_in(
    client: Client, provider: OpenIdProvider
) -> None:
    back = there(client)
    provider.__exit__()
    assert AWAY in said(client, client.get(back))
    assert AWAY in said(client, client.post(BEGIN))
    person("olga", "viewer")
    client.post("/account/login/", {"login": "olga", "password": PASSWORD})
    assert is_in(client) == "olga"


def test_one_whose_name_nobody_finds_out_is_a_sentence_soon(
    client: Client, provider: OpenIdProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.oidc.SECONDS", 0.5)
    settings.OIDC_ISSUER = "http://4711.login.example"
    began = time.monotonic()
    with no_name_server(monkeypatch, "4711.login.example"):
        assert AWAY in said(client, client.post(BEGIN))
    assert time.monotonic() - began < LASTS - 2


def test_it_is_asked_through_a_proxy_and_that_is_cut_too(
    client: Client, provider: OpenIdProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider is its own proxy."""
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", provider.issuer)
    settings.OIDC_ISSUER = provider.issuer = "http://login.example"
    assert "http://login.example/authorize?" in client.post(BEGIN).content.decode()
    monkeypatch.setattr("accounts.oidc.SECONDS", 0.5)
    provider.answers[PATHS[0]] = drip_head
    began = time.monotonic()
    assert AWAY in said(client, client.post(BEGIN))
    assert time.monotonic() - began < LASTS - 2


def test_one_that_calls_itself_something_else_is_not_asked_further(
    client: Client, provider: OpenIdProvider, settings: Any
) -> None:
    settings.OIDC_ISSUER = f"{provider.issuer}/"
    assert NOT_BELIEVED in said(client, client.post(BEGIN))
