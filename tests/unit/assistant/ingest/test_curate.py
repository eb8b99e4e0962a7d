"""Exact duplicates have one hash, whatever their layout."""

from __future__ import annotations

from assistant.ingest.curate import content_sha256
from connectors.readers.model import Block, Reading


def reading(*texts: str, media_type: str = "text/plain") -> Reading:
    return Reading(media_type, "t", tuple(Block("paragraph", text) for text in texts))


def test_layout_does_not_count() -> None:
    one = content_sha256(reading("A política vale.", "Fim."))
    assert one == content_sha256(reading("A pol\u00edtica  vale.\nFim.", media_type="text/html"))
    assert one == content_sha256(reading("A poli\u0301tica\u00a0vale. ", " Fim."))
    assert len(one) == 64


def test_words_numbers_and_capitals_count() -> None:
    texts = ["Fee: 1.5", "Fee: 15", "fee: 1.5", "Fee 1.5", ""]
    assert len({content_sha256(reading(text)) for text in texts}) == len(texts)


def test_the_hash_does_not_change_between_versions() -> None:
    """It is stored: another normalisation would make every document look new."""
    expected = "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f"
    assert content_sha256(reading("Hello, World!")) == expected
