"""Readers: what a file of any format says, read in a limited child process.

from connectors.readers import read_file
reading = read_file(Path("policy.pdf"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.readers.errors import ReadError
from connectors.readers.limits import Limits
from connectors.readers.media import sniff
from connectors.readers.model import Block, Box, Reading
from connectors.readers.wire import reading_json, reading_of

if TYPE_CHECKING:
    from connectors.readers.sandbox import Sandbox, read_file

__all__ = [
    "Block",
    "Box",
    "Limits",
    "ReadError",
    "Reading",
    "Sandbox",
    "read_file",
    "reading_json",
    "reading_of",
    "sniff",
]


def __getattr__(name: str) -> Any:
    """Import what starts children only in a parent: a child needs none of it."""
    if name not in ("Sandbox", "read_file"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from connectors.readers import sandbox

    return sandbox.Sandbox if name == "Sandbox" else sandbox.read_file
