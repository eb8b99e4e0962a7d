"""What `make test-nightly` does at length and `make test` in short."""

from __future__ import annotations

import pytest

from connectors.following import MANY


def many(request: pytest.FixtureRequest, in_short: int) -> int:
    """How many documents to list: all that others do, or fewer in short."""
    is_nightly = request.config.getoption("--hypothesis-profile", None) == "nightly"
    return MANY if is_nightly else in_short
