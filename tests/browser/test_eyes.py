"""The banner of who looks through a user's eyes: readable in both themes, as wide as the window, and a way out."""

from tests.browser.test_accessibility import serious, too_wide
from tests.servers.browser import OpenPage, log_in
from tests.servers.product import Product

SIZES = {1440: 900, 390: 844}


def test_the_banner_is_accessible_and_ends_the_look(open_page: OpenPage, product: Product) -> None:
    own = open_page()  # a session of its own: others share one
    log_in(own, product.url)
    product.api("users", "POST", name="nils", role="viewer", password="ships-pass-by-4711")
    own.goto(f"{product.url}/users/")
    own.get_by_role("link", name="nils", exact=True).first.click()
    own.get_by_role("button", name="Look as nils").click()
    banner = own.get_by_role("complementary", name="Looking")
    banner.get_by_text("You look through the eyes of nils").wait_for()
    for width, height in SIZES.items():
        own.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            own.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            assert [*serious(own), *too_wide(own)] == [], (width, theme)
    own.goto(f"{product.url}/containers/")
    banner.get_by_role("button", name="Stop looking").click()
    own.get_by_text("You look through your own eyes again.").wait_for()
    assert banner.count() == 0
