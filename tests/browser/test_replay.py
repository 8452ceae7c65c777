"""A recorded terminal, replayed in the page."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.servers.product import Product

SHOWN = [
    [0.1, "o", "first\r\n"],
    # a title, a clipboard, a link, a question to the terminal: drawn or dropped, never done
    [
        0.2,
        "o",
        "\x1b]0;taken over\x07\x1b]52;c;Y2FuYXJ5\x07\x1b]8;;https://evil.example/\x1b\\here\x1b]8;;\x1b\\\x1b[6n\r\n",
    ],
    [0.3, "r", "60x10"],
    [900.0, "o", "last <b>ahoy</b>\r\n"],
]
MADE = """
import json
from hosts import recordings
from hosts.models import Recording
about = dict(host="quay", container="replayed", by_name="otto", mode="exec", command="sh", columns=80, rows=24)
recording = Recording.objects.create(**about)
lines = b"".join(json.dumps(line).encode() + b"\\n" for line in json.loads({shown!r}))
cut = b'[901.0, "o", "of a process that was ki'
recordings._write(recording, 0, recordings.header(recording) + lines + cut, dict(seconds=900.0, bytes=30, end="ended"))
print(recording.pk)
"""


@pytest.fixture(scope="module")
def recording(product: Product) -> str:
    said = product.manage("shell", "--no-imports", "-c", MADE.format(shown=json.dumps(SHOWN)))
    return f"{product.url}/audit/terminals/{said.split()[-1]}/"


def test_it_plays_pauses_and_is_looked_through(page: Page, recording: str) -> None:
    page.goto(recording)
    title, screen = page.title(), page.locator(".xterm-rows")
    place = page.get_by_role("slider", name="Place in the recording")
    expect(page.get_by_role("timer")).to_have_text("0:00 / 0:02")  # silence is shortened
    page.get_by_role("button", name="Play").click()
    expect(screen).to_contain_text("first")
    expect(screen).to_contain_text("last <b>ahoy</b>", timeout=8000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # it has ended
    link = page.get_by_text("here").bounding_box()
    assert link
    page.mouse.click(link["x"] + 12, link["y"] + 6)
    assert page.title() == title and page.url == recording and len(page.context.pages) == 1
    place.fill("0.1")
    expect(screen).not_to_contain_text("last")
    expect(screen).to_contain_text("first")
    place.fill("2")
    expect(screen).to_contain_text("here")
    page.get_by_label("Speed").select_option("8×")
    page.get_by_role("button", name="Play").click()
    expect(screen).to_contain_text("last", timeout=4000)


def test_one_that_is_gone_says_so(desktop: Page, recording: str, page_errors: list[str]) -> None:
    desktop.route("**/cast/", lambda route: route.fulfill(status=404))
    desktop.goto(recording)
    expect(desktop.get_by_role("status").filter(has_text="cannot be loaded")).to_be_visible()
    expect(desktop.get_by_role("button", name="Play")).to_be_disabled()
    assert all("404" in error for error in page_errors)
    page_errors.clear()
