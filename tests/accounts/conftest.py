"""An OpenID provider that really runs."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Team
from tests.servers.openid import CLIENT, SECRET, OpenIdProvider


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenIdProvider]:
    """In it vera has a login, and is in the group that is mapped to north."""
    monkeypatch.setenv("NO_PROXY", "*")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a quick one
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}
    with OpenIdProvider() as provider:
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = provider.issuer, CLIENT, SECRET
        settings.OIDC_NAME = "Harbour"
        settings.OIDC_TEAMS = {"crew": [("north", False)], "chiefs": [("north", True), ("south", False)]}
        provider.person = {"sub": "1001", "preferred_username": "vera", "email": "vera@x.example", "groups": ["crew"]}
        for name in ("north", "south", "east"):
            Team.objects.create(name=name)
        yield provider
