"""Before a container is stopped or removed, it is said who leans on it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.engines.runner import Runner
from tests.servers.browser import log_in
from tests.servers.product import Product
from tests.waiting import until

SLEEP = "sleep 1000"
COMPOSE = "com.docker.compose"


@pytest.fixture
def base(product: Product, run: Runner) -> Iterator[dict[str, str]]:
    """A container called `base`, and by how they lean on it the names of those that do; one, `alone`, does not."""
    shop = ("--label", f"{COMPOSE}.project=shop", "--label")
    names = {"base": run(SLEEP, *shop, f"{COMPOSE}.service=db", "-v", "/data")}
    base = names["base"]
    names["namespace"] = run(SLEEP, "--network", f"container:{base}")
    names["volumes"] = run(SLEEP, "--volumes-from", f"{base}:ro")
    names["link"] = run(SLEEP, "--link", f"{base}:database")
    depends = f"{COMPOSE}.depends_on=cache:service_started:false,db:service_healthy:true"
    names["depends"] = run(SLEEP, *shop, f"{COMPOSE}.service=web", "--label", depends)
    names["alone"] = run(SLEEP, "--label", f"{COMPOSE}.project=other", "--label", depends)

    def known() -> bool:
        rows = {row["name"] for row in product.api("containers?host=local&limit=200")["items"]}
        return {*names.values()} <= rows and len(affected(product, base)) == 4

    until(known, "all of them are known")
    yield names


def affected(product: Product, name: str) -> dict[str, str]:
    """By how it leans, who does."""
    return {row["how"]: row["name"] for row in product.api(f"containers/local/{name}/affected")["items"]}


def test_each_way_to_lean_on_a_container_is_found(product: Product, base: dict[str, str]) -> None:
    wanted = {how: name for how, name in base.items() if how not in {"base", "alone"}}
    assert affected(product, base["base"]) == wanted
    assert affected(product, base["alone"]) == {}


def test_the_dialogs_say_it_and_leave_out_who_is_chosen_too(product: Product, base: dict[str, str]) -> None:
    name = base["base"]
    for verb in ("stop", "kill", "remove"):
        page = product.http.get(f"{product.url}/containers/local/{name}/ask/{verb}/").text
        assert "Others are affected" in page and base["namespace"] in page and base["alone"] not in page

    def told(*names: str) -> Any:
        params = [("target", f"local/{name}") for name in names]
        return product.http.get(f"{product.url}/containers/affected/", params=params).json()["affected"]

    assert len(told(name)) == 4
    assert len(told(name, base["link"], base["depends"])) == 2
    assert told(base["alone"]) == []
    assert product.http.get(f"{product.url}/containers/affected/", params={"target": "local/gone"}).status_code == 404


def test_the_confirmation_of_a_button_says_it(product: Product, base: dict[str, str], page: Page) -> None:
    log_in(page, product.url)
    page.goto(f"{product.url}/containers/local/{base['base']}/")
    page.locator("#container-acts > form button", has_text="Stop").click()
    told = page.locator("confirm-dialog .notice")
    expect(told).to_contain_text(f"{base['link']} is linked to {base['base']}.")
    page.locator("confirm-dialog button[data-answer=no]").click()
    page.goto(f"{product.url}/containers/local/{base['alone']}/")
    with page.expect_response("**/containers/affected/**") as answer:
        page.locator("#container-acts > form button", has_text="Restart").click()
    assert answer.value.json() == {"affected": []}
    expect(page.locator("confirm-dialog dialog")).to_be_visible()
    expect(told).to_be_hidden()


def test_the_confirmation_for_chosen_rows_says_it(product: Product, base: dict[str, str], page: Page) -> None:
    log_in(page, product.url)
    page.goto(f"{product.url}/containers/?search={base['base']}")
    page.locator("tr", has_text=base["base"]).locator("input[name=target]").check()
    page.locator(".chosen-bar button", has_text="Remove").click()
    expect(page.locator("confirm-dialog .notice li")).to_have_count(4)
