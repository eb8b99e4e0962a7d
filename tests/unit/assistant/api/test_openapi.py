"""The committed description of the API."""

from __future__ import annotations

from tests.support import openapi


def test_the_committed_description_is_current() -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.current(), (
        "the API changed: run `python -m tests.support.openapi`"
    )
