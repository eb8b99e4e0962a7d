"""Why a file could not be read."""

from __future__ import annotations

from typing import Literal

Cause = Literal[
    "corrupt",
    "encrypted",
    "empty",
    "too_large",
    "bomb",
    "unsafe_xml",
    "unsupported",
    "timeout",
    "out_of_memory",
    "crashed",
    "too_many_pages",
]


class ReadError(Exception):
    """A file could not be read; the message is one sentence an admin can act on.

    `cause` is a stable slug for counters and filters.
    """

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause
