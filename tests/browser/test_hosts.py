"""Adding a host by TLS in the page: certificates are pasted, tested, mended, stored."""

from playwright.sync_api import Page, expect

from tests.engines.certificates import Authority, Certificate
from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until


def paste(page: Page, certificate: Certificate, ca: str) -> None:
    page.get_by_label("CA certificate", exact=True).fill(ca)
    page.get_by_label("Client certificate", exact=True).fill(certificate.cert)
    page.get_by_label("Client key", exact=True).fill(certificate.key)


def test_a_host_is_added_by_tls(page: Page, product: Product, tls_engine: DockerEngine, page_errors: list[str]) -> None:
    certificate = tls_engine.client_certificate
    assert certificate
    tls_engine.docker("create", "--name", "behind-tls", "busybox")
    page.goto(f"{product.url}/hosts/add/")
    page.get_by_label("Name").fill("pier")
    expect(page.get_by_label("CA certificate", exact=True)).to_be_hidden()
    page.get_by_label("Connection").select_option("tls")
    page.get_by_label("Address").fill(tls_engine.tls_url)

    paste(page, certificate, "this is no certificate")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#id_tls_ca_error")).to_contain_text("PEM")
    expect(page.get_by_label("Client key", exact=True)).to_have_value(certificate.key.strip() + "\n")

    paste(page, certificate, Authority("somebody else").ca)
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_role("alert")).to_contain_text("certificate", ignore_case=True)
    expect(page.get_by_label("Name")).to_have_value("pier")

    paste(page, certificate, certificate.ca)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator(".notice.good")).to_contain_text(f"Docker {tls_engine.version} answers on pier")
    assert product.api("hosts?search=pier")["count"] == 0  # nothing is stored by a test
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_contain_text("online", timeout=15000)
    page.goto(f"{product.url}/containers/?host=pier")
    expect(page.locator("tr", has_text="behind-tls")).to_contain_text("created", timeout=15000)

    page.goto(f"{product.url}/hosts/pier/edit/")
    expect(page.get_by_label("Client key", exact=True)).to_have_value("")
    page.goto(f"{product.url}/hosts/pier/remove/")
    page.get_by_role("button", name="Remove pier").click()
    expect(page.locator(".toast")).to_contain_text("Removed pier")
    until(lambda: product.api("hosts?search=pier")["count"] == 0, "it is gone")
    tls_engine.docker("rm", "behind-tls")
    page_errors.clear()  # Chromium writes an error for the answer 422


def test_a_lost_host_turns_grey_with_the_reason_and_comes_back(
    desktop: Page, product: Product, tls_engine: DockerEngine
) -> None:
    certificate = tls_engine.client_certificate
    assert certificate
    files = certificate.write(product.folder / "quay")
    keys = [
        f"--{option}={files / file}" for option, file in (("ca", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem"))
    ]
    product.manage("host", "add", "leaves", tls_engine.tls_url, *keys)
    try:
        desktop.goto(product.url)
        card = desktop.locator(".host-card", has_text="leaves")
        expect(card.locator(".state-ok")).to_be_visible(timeout=15000)
        tls_engine.cut("refuse")
        expect(card).to_contain_text("refused since", timeout=30000)
        expect(card).to_contain_text("refused the connection")
        expect(desktop.locator(".attention")).to_contain_text("leaves")
        expect(desktop.locator(".top .pill").first).to_contain_text("1 of 2 hosts", timeout=15000)
        tls_engine.heal()
        expect(card.locator(".state-ok")).to_be_visible(timeout=30000)
    finally:
        tls_engine.heal()
        product.manage("host", "remove", "leaves")


def test_the_map_of_networks_lights_up_what_the_focus_is_on(
    desktop: Page, product: Product, docker_engine: DockerEngine
) -> None:
    docker_engine.docker("network", "create", "pier-net")
    docker_engine.docker("run", "-d", "--name", "moored", "--network", "pier-net", "busybox", "sleep", "300")
    docker_engine.docker("run", "-d", "--name", "adrift", "busybox", "sleep", "300")  # a stopped one gives no event
    try:
        desktop.goto(f"{product.url}/hosts/local/map/")
        drawn = desktop.locator("network-map")
        link = drawn.get_by_role("link", name="moored", exact=True)
        link.focus()
        address = docker_engine.docker(
            "inspect", "-f", '{{(index .NetworkSettings.Networks "pier-net").IPAddress}}', "moored"
        )
        expect(drawn.locator("g.lit text")).to_contain_text([address.strip()])
        expect(drawn.locator(".map-head.lit")).to_contain_text("pier-net")
        drawn.get_by_role("link", name="Only containers of pier-net").click()
        expect(desktop.locator(".map-names li")).to_have_count(1)
        docker_engine.docker("network", "connect", "pier-net", "adrift")  # the drawing is live
        expect(desktop.locator(".map-names li")).to_have_count(2, timeout=15000)
    finally:
        docker_engine.docker("rm", "-f", "moored", "adrift")
        docker_engine.docker("network", "rm", "pier-net")
