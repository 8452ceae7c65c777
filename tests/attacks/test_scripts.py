"""Scripts planted wherever somebody else's words show: in names, labels, environments, log lines, histories of images,
attributes of events, logs of jobs, labels of hosts, what a registry answers, what people call things. Every page of the
product is opened in Chromium, and none of them runs, or becomes part of a page."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Dialog, Page

from tests.attacks.poison import MARK, PLANTED, URL, poison
from tests.browser.conftest import logged_in
from tests.fake_engine import FakeEngine
from tests.hosts.registry.scripted import Scripted
from tests.servers.browser import OpenPage
from tests.servers.product import Product
from tests.waiting import until

__all__ = ["logged_in"]
HOST = "planter"
EACH = 1  # page of each route
WATCH = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (one) => window.violations.push(
    `${one.violatedDirective} ${one.blockedURI} ${one.sample}`));
"""
LOOK = f"""() => ({{
  ran: window.ran,
  violations: window.violations,
  elements: [...document.querySelectorAll("[{MARK}], img[src=x]")].map((one) => one.outerHTML),
  links: [...document.querySelectorAll("a, form, iframe, [formaction], [hx-get], [hx-post]")]
    .flatMap((one) => ["href", "action", "src", "formaction", "hx-get", "hx-post"].map((name) => one.getAttribute(name)))
    .filter((to) => /^\\s*(javascript|data|vbscript):/i.test(to || "")),
  handlers: [...document.querySelectorAll("*")].filter((one) =>
    [...one.attributes].some((attribute) => attribute.name.startsWith("on"))).map((one) => one.outerHTML.slice(0, 200)),
  shows: (document.documentElement.textContent + [...document.querySelectorAll("[value], [title]")]
    .map((one) => (one.value || "") + one.title).join("")).includes("{MARK}"),
}})"""


@pytest.fixture
def planted(product: Product, fake_engine: FakeEngine) -> Iterator[Scripted]:
    """Hostile words everywhere."""
    poison(fake_engine)
    script = Scripted()
    script.says["/v2/"] = (200, {}, b"{}")
    script.says["/v2/_catalog"] = (
        200,
        {},
        b'{"repositories": ["app", "' + PLANTED.replace('"', '\\"').encode() + b'"]}',
    )
    script.says["/v2/app/tags/list"] = (200, {}, b'{"tags": ["' + PLANTED.replace('"', '\\"').encode() + b'", "1"]}')
    product.api(
        "hosts", "POST", name=HOST, url=fake_engine.url, labels={"note": PLANTED.replace("=", ":"), "home": URL}
    )
    product.api("registries", "POST", name=HOST, address=script.address, plain_http=True)
    product.api("teams", "POST", name=HOST, about=PLANTED)
    product.api("roles", "POST", name=HOST, about=PLANTED, rights=["containers.view"])
    product.post("/account/tokens/add/", name=PLANTED[:90])
    product.session()  # and one of a browser that is called so
    product.http.get(f"{product.url}/", headers={"User-Agent": PLANTED})
    job = product.api(f"images/{HOST}/pull", "POST", image="planted/app:1")["job"]
    until(lambda: product.api(f"jobs/{job}")["state"] in {"done", "failed"}, "the pull has ended")
    until(lambda: product.api(f"containers?host={HOST}")["count"] == 3, "its containers show")
    until(lambda: product.api("swarms")["count"], "its swarm shows")
    fake_engine.emit("container", "start", "c" * 64, name=f"gone{PLANTED}", note=PLANTED, home=URL)
    until(lambda: "gone" in str(product.api(f"events?host={HOST}")), "the event shows")
    try:
        yield script
    finally:
        for path in (f"hosts/{HOST}", f"registries/{HOST}", f"teams/{HOST}", f"roles/{HOST}"):
            product.api(path, "DELETE")
        script.close()


def pages(product: Product) -> dict[str, list[str]]:
    """Addresses by the route that they are of: all that pages lead to, from the first one on. What this host has comes
    before what others have."""
    found: dict[str, list[str]] = {}
    waiting, known = ["/", "/hosts/planter/"], {"/", "/hosts/planter/"}
    while waiting:
        waiting.sort(key=lambda address: HOST not in address)
        address = waiting.pop(0)
        try:
            route = resolve(urlsplit(address).path).route
        except Resolver404:
            continue
        if route in SKIPPED or len(found.get(route, [])) >= EACH or route.startswith(("api/", "static/")):
            continue
        answer = product.http.get(product.url + address, timeout=30)
        if answer.status_code == 405 or "text/html" not in answer.headers.get("Content-Type", ""):
            continue
        found.setdefault(route, []).append(address)
        for to in re.findall(r'(?:href|hx-get|data-url|src)="(/[^"]*)"', answer.text):
            to = unescape(to).partition("#")[0]
            if to not in known and not to.startswith("/static/"):
                known.add(to)
                waiting.append(to)
    return found


SKIPPED = {"account/logout/", "language/", "account/2fa/totp/deactivate/"}


def test_nothing_that_is_planted_runs_on_any_page(
    open_page: OpenPage, product: Product, logged_in: Any, planted: Scripted, page_errors: list[str]
) -> None:
    page: Page = open_page(storage_state=logged_in)
    dialogs: list[str] = []

    def heard(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", heard)
    page.add_init_script(WATCH)
    found, shown, seen = {}, set(), 0
    for route, addresses in pages(product).items():
        for address in addresses:
            page.goto(product.url + address)
            if "logs" in route or "events" in route:
                page.wait_for_timeout(300)
            told = page.evaluate(LOOK)
            seen += 1
            if told.pop("shows"):
                shown.add(route)
            if wrong := {name: value for name, value in told.items() if value}:
                found[address] = wrong
    assert not found, found
    assert dialogs == []
    page_errors[:] = [error for error in page_errors if "status of 4" not in error and "status of 5" not in error]
    assert seen > 90 and len(shown) > 40


def test_the_test_would_see_it(open_page: OpenPage, page_errors: list[str]) -> None:
    """The other way round."""
    page = open_page()
    page.add_init_script(WATCH)
    page.goto("about:blank")
    page.set_content(f"<p title='x{PLANTED}'>{PLANTED}</p><a href='{URL}'>x</a>")
    until(lambda: page.evaluate("window.ran"), "it runs")
    told = page.evaluate(LOOK)
    assert told["elements"] and told["links"] and told["handlers"]
    page_errors.clear()
