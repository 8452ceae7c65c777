"""Texts that are rendered once for all who have the same key."""

from django.utils.safestring import SafeString

from common.templatetags.kept import Kept


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    texts = Kept(10)
    texts.put("a", SafeString("12345"))
    texts.put("b", SafeString("12345"))
    assert texts.get("a") == "12345"
    texts.put("c", SafeString("123"))
    assert (texts.get("a"), texts.get("b"), texts.get("c")) == ("12345", None, "123")


def test_a_text_that_is_put_again_counts_once() -> None:
    texts = Kept(10)
    for _ in range(5):
        texts.put("a", SafeString("12345"))
    texts.put("b", SafeString("12345"))
    assert len(texts) == 2


def test_a_text_that_is_too_long_is_not_kept() -> None:
    texts = Kept(10)
    texts.put("a", SafeString("x" * 11))
    assert texts.get("a") is None
    assert len(texts) == 0
