"""To an OpenID provider and back, as a browser goes."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import requests
from django.test import Client

from accounts.models import AuditEntry

BEGIN, LINK, BACK = "/account/provider/", "/account/provider/link/", "/account/provider/back/"


def there(client: Client, begin: str = BEGIN, **fields: str) -> str:
    """Goes to the provider; the address here that it sends the browser back to."""
    page = client.post(begin, fields)
    assert page.status_code == 200, page["Location"]
    found = re.search(r'content="0; url=([^"]+)"', page.content.decode())
    assert found
    answer = requests.get(unescape(found[1]), allow_redirects=False, timeout=5, proxies={"http": ""})
    back = urlsplit(answer.headers["Location"])
    assert back.path == BACK
    return f"{back.path}?{back.query}"


def through(client: Client, begin: str = BEGIN, **fields: str) -> Any:
    """There and back; the answer here."""
    return client.get(there(client, begin, **fields))


def said(client: Client, answer: Any) -> str:
    """The sentence on the page that follows."""
    page = client.get(answer["Location"]).content.decode()
    return unescape(
        " ".join(re.findall(r'role="alert"><p>(.*?)</p>|<div class="toast error"><div>(.*?)</div>', page)[0])
    )


def is_in(client: Client) -> str:
    """As whom, or ""."""
    user = client.get("/account/sessions/").context
    return str(user["user"].username) if user and user["user"].is_authenticated else ""


def refusals() -> list[dict[str, Any]]:
    return list(AuditEntry.objects.filter(action="login", outcome="refused").values_list("detail", flat=True))
