"""Too many attempts to log in, from one address."""

from typing import Any

import pytest
from django.test import Client


@pytest.mark.django_db
def test_too_many_logins_from_one_address_are_told_to_wait_in_our_own_look(client: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    sent = {"login": "ada", "password": "wrong"}
    answers = [client.post("/account/login/", sent, REMOTE_ADDR="203.0.113.77") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    page = answers[1].content.decode()
    assert "Too many attempts came from your address. Wait a minute" in page
    assert '<main class="entrance"' in page
