"""The HTTP API v2 of registries (OCI Distribution): ping, login, repositories, tags, manifests, deleting."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from itertools import count
from time import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hosts.engine.errors import clean
from hosts.registry import errors
from hosts.registry.login import Challenge, basic, challenge_of
from hosts.registry.places import Login, Place
from hosts.registry.transport import Answer, Transport

SECONDS = 10.0  # for all that one page asks
ANSWER_AT_MOST = 4 * 1024 * 1024  # bytes; also the most that a manifest may have
TOKEN_AT_MOST = 16 * 1024
NAMES_A_REQUEST = 1000
NAMES_AT_MOST = 10_000  # of repositories or tags
REQUESTS_A_LIST = 20
TOKEN = re.compile(r"[\x21-\x7e]+")


class Client:
    """One conversation with a registry, `seconds` long at most; for several threads. Use it with `with`.

    Every method raises RegistryError.
    """

    def __init__(self, place: Place, login: Login | None = None, *, seconds: float = SECONDS) -> None:
        self.place = place
        self.login = login
        self._transport = Transport(place, seconds)
        self._authorization: dict[str, str] = {}  # by scope

    def __enter__(self) -> "Client":
        self._transport.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.__exit__()

    @property
    def user(self) -> str:
        """Who logs in, for sentences."""
        return self.login.username if self.login else ""

    # ---------------------------------------------------------------- asking
    def ping(self) -> str:
        """How it wants a login: "token", "password" or "none". Raises WrongLogin when the login does not do."""
        answer = self._send("GET", "/v2/", "")
        challenge = challenge_of(answer.challenges)
        if answer.status == 401 and challenge:
            if challenge.kind == "basic" and self.login is None:
                return "password"
            retried = self._log_in(answer, challenge, "", "GET", "/v2/", None, "")
            if retried.status == 401:
                raise self._not_let_in(challenge)
            answer = retried
        self._check(answer)
        if answer.status != 200 or answer.headers.get("content-type", "").startswith("text/html"):
            raise errors.NotARegistry(f"HTTP {answer.status}", where=self.place.address)
        if challenge is None:
            return "none"
        return "token" if challenge.kind == "bearer" else "password"

    def ask(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
        at_most: int = ANSWER_AT_MOST,
    ) -> Answer:
        """One request of the API, logged in as it wants; 401, 403, 429 and 5xx are raised."""
        answer = self._send(method, path, scope, params, accept, at_most)
        if answer.status == 401:
            challenge = challenge_of(answer.challenges)
            if challenge is None:
                raise errors.NotARegistry("HTTP 401 without a challenge", where=self.place.address)
            answer = self._log_in(answer, challenge, scope, method, path, params, accept, at_most)
            if answer.status == 401:
                raise self._not_let_in(challenge_of(answer.challenges) or challenge)
        self._check(answer)
        return answer

    def _send(
        self,
        method: str,
        path: str,
        scope: str,
        params: Mapping[str, str] | None = None,
        accept: str = "",
        at_most: int = ANSWER_AT_MOST,
    ) -> Answer:
        headers = {"Accept": accept or "*/*"}
        authorization = self._authorization.get(scope) or self._authorization.get("*")
        if authorization:
            headers["Authorization"] = authorization
        origin = self.place.origin
        return self._transport.send(origin, method, path, params=params, headers=headers, at_most=at_most)

    def _check(self, answer: Answer) -> None:
        where = self.place.address
        if answer.status == 429:
            raise errors.Limited.until(retry_seconds(answer.headers.get("retry-after", "")), where)
        if answer.status == 403:
            raise errors.NotAllowed(where=where, user=self.user) if self.login else errors.NeedsLogin(where=where)
        if answer.status >= 500:
            raise errors.RegistryError(self.words(answer), where=where)

    def words(self, answer: Answer) -> str:
        """The registry's own words, without the secret should it repeat it."""
        text = clean(answer.words)
        return text.replace(self.login.secret, "•••") if self.login and self.login.secret else text

    # ---------------------------------------------------------------- login
    def _log_in(
        self,
        answer: Answer,
        challenge: Challenge,
        scope: str,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        accept: str,
        at_most: int = ANSWER_AT_MOST,
    ) -> Answer:
        """Asks again, as the challenge wants it."""
        if answer.origin != self.place.origin:  # where a redirect led: it gets no login
            raise errors.NeedsLogin(where=answer.origin)
        if challenge.kind == "bearer":
            self._authorization[scope] = f"Bearer {self._token(challenge, scope)}"
        elif self.login is None:
            raise errors.NeedsLogin(where=self.place.address)
        else:
            self._authorization["*"] = basic(self.login)
        return self._send(method, path, scope, params, accept, at_most)

    def _not_let_in(self, challenge: Challenge) -> errors.RegistryError:
        where = self.place.address
        if self.login is None:
            return errors.NeedsLogin(where=where)
        if challenge.kind == "bearer":  # the login was good enough for a token
            return errors.NotAllowed(where=where, user=self.user)
        return errors.WrongLogin(where=where, user=self.user)

    def _token(self, challenge: Challenge, scope: str) -> str:
        """From the token server that the registry names; it gets the login, so it must be one that may have it."""
        where = self.place.address
        origin = self.place.lets_login_go_to(challenge.realm)
        if origin is None:
            raise errors.BadRealm(where=where, realm=challenge.realm[:200] or "?")
        parts = urlsplit(challenge.realm)
        params = dict(parse_qsl(parts.query))
        if challenge.service:
            params["service"] = challenge.service
        if scope or challenge.scope:
            params["scope"] = scope or challenge.scope
        headers = {}
        if self.login:
            params["account"] = self.login.username
            headers["Authorization"] = basic(self.login)
        answer = self._transport.send(
            origin, "GET", parts.path or "/", params=params, headers=headers, at_most=TOKEN_AT_MOST * 4
        )
        if answer.status in {400, 401, 403}:
            raise errors.WrongLogin(where=where, user=self.user) if self.login else errors.NeedsLogin(where=where)
        self._check(answer)
        found = answer.json()
        token = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
        if not isinstance(token, str) or len(token) > TOKEN_AT_MOST or not TOKEN.fullmatch(token):
            raise errors.NotARegistry(f"{origin} gave no token: HTTP {answer.status}", where=where)
        return token

    # ---------------------------------------------------------------- lists
    def names(self, path: str, key: str, scope: str) -> tuple[list[str], bool, Answer]:
        """All names that a paged list has, NAMES_AT_MOST of them; whether there are more; the last answer."""
        found: list[str] = []
        params: dict[str, str] = {"n": str(NAMES_A_REQUEST)}
        for request in count(1):
            answer = self.ask("GET", path, scope=scope, params=params)
            listed = answer.json()
            part = listed.get(key) if isinstance(listed, dict) and answer.status == 200 else None
            found += [clean(name, 300) for name in part if isinstance(name, str)] if isinstance(part, list) else []
            following = _next(answer.headers.get("link", ""))
            enough = len(found) >= NAMES_AT_MOST or request >= REQUESTS_A_LIST
            if not following or following == params or enough:
                return found[:NAMES_AT_MOST], bool(following), answer
            params = following
        raise AssertionError("count() has no end")


def _next(link: str) -> dict[str, str]:
    """The query of the next page. Only that: where the link leads is the registry's own list and nowhere else."""
    found = re.match(r'\s*<([^<>]{1,2000})>\s*;[^,]*rel="?next"?', link)
    return dict(parse_qsl(urlsplit(found[1]).query)) if found else {}


def retry_seconds(text: str) -> int | None:
    """A Retry-After header: seconds, or a date."""
    if text.isascii() and text.isdecimal() and len(text) < 9:
        return int(text)
    try:
        return max(0, int(parsedate_to_datetime(text).timestamp() - time()))
    except (ValueError, TypeError, OverflowError):
        return None


def as_dict(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
