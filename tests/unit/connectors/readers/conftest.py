"""Files written for a test and read in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.readers import Reading, sniff
from connectors.readers.child import read
from connectors.readers.limits import Limits
from connectors.readers.source import Source

ReadBytes = Callable[..., Reading]


@pytest.fixture
def read_bytes(tmp_path: Path) -> ReadBytes:
    """Write bytes under a name and read them by what they are."""

    def write_and_read(data: bytes | str, name: str, limits: Limits | None = None) -> Reading:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return read(Source(path, sniff(path), name, limits or Limits()))

    return write_and_read
