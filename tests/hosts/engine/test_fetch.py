"""One question, one answer: bounded in time and size, and never taken for something that it is not."""

import pytest

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import NotAnEngine, TimedOut
from hosts.engine.streams import fetch
from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Hang, Raw

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"


@pytest.mark.parametrize("body", [b"", b"  \n", b"[1, 2", b"<html>"])
async def test_an_answer_that_is_no_json_is_an_error_and_never_an_empty_list(
    fake_engine: FakeEngine, body: bytes
) -> None:
    fake_engine.misbehave("/containers/json", Raw(HEAD + body))
    with pytest.raises(NotAnEngine):
        await fetch(Endpoint(fake_engine.url), "/containers/json", api_version="1.41")


async def test_a_change_may_be_answered_with_nothing(fake_engine: FakeEngine) -> None:
    fake_engine.misbehave("/containers/web/start", Raw(b"HTTP/1.0 204 No Content\r\n\r\n"))
    answer = await fetch(Endpoint(fake_engine.url), "/containers/web/start", api_version="1.41", method="POST")
    assert answer is None


async def test_an_answer_without_end_is_given_up(fake_engine: FakeEngine) -> None:
    fake_engine.misbehave("/containers/json", Raw(HEAD + b"[" + b" " * 100_000))
    with pytest.raises(NotAnEngine) as caught:
        await fetch(Endpoint(fake_engine.url), "/containers/json", api_version="1.41", at_most=50_000)
    assert "more than 50000 bytes" in caught.value.detail


async def test_no_answer_is_waited_for_no_longer_than_was_said(fake_engine: FakeEngine) -> None:
    fake_engine.misbehave("/containers/json", Hang())
    with pytest.raises(TimedOut):
        await fetch(Endpoint(fake_engine.url), "/containers/json", api_version="1.41", timeout=0.3)
