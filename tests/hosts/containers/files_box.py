"""A container whose files tests look at and change, through pages and API."""

from dataclasses import dataclass
from typing import Any

import requests

from tests.servers.product import Product
from tests.waiting import until

HTMX = {"HX-Request": "true"}


@dataclass
class Box:
    """A container that the product knows."""

    product: Product
    name: str
    host: str = "local"

    def get(self, page: str = "", *, session: requests.Session | None = None, **query: str) -> requests.Response:
        """A part of its pages, as htmx asks for it."""
        url = f"{self.product.url}/containers/{self.host}/{self.name}/files/{page}"
        return (session or self.product.http).get(url, params=query, headers=HTMX, timeout=30, allow_redirects=False)

    def form(self, verb: str, files: Any = None, **fields: str) -> requests.Response:
        """Sends a form of its pages, as htmx does."""
        http = self.product.http
        url = f"{self.product.url}/containers/{self.host}/{self.name}/files/{verb}/"
        headers = HTMX | {"Referer": url, "X-CSRFToken": http.cookies.get("csrftoken") or ""}
        return http.post(url, fields, files=files, headers=headers, timeout=60, allow_redirects=False)

    def rest(self, end: str = "", method: str = "GET", **options: Any) -> requests.Response:
        """Its routes of the API; `path` is a query's."""
        url = f"{self.product.url}/api/v1/containers/{self.host}/{self.name}/files{end}"
        headers = {"Authorization": f"Bearer {self.product.token}"}
        params = {"path": options.pop("path")} if "path" in options else None
        return requests.request(method, url, params=params, headers=headers, timeout=60, **options)

    def listed(self, path: str) -> dict[str, Any]:
        """The entries of a folder by their names."""
        answer = self.rest(path=path)
        assert answer.ok, answer.text
        assert answer.json()["cut"] == ""
        return {entry["name"]: entry for entry in answer.json()["items"]}

    def content(self, path: str) -> bytes:
        """A file, or a folder as a tar."""
        answer = self.rest("/content", path=path)
        assert answer.ok, answer.text
        return answer.content


def known(product: Product, name: str, state: str, host: str = "local") -> Box:
    """The container once the product's tables have it in this state."""
    until(
        lambda: product.api(f"containers?search={name}&state={state}&host={host}")["count"] == 1,
        f"{name} is {state}",
        20,
    )
    return Box(product, name, host)
