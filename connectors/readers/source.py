"""The file that a reader is asked to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from connectors.readers.limits import Limits


def _nobody_waits() -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file on disk, its sniffed media type, its name in the source, and what it may cost.

    `depth` counts the mails around it. A reader that takes long on purpose calls `alive` before
    each page, so that whoever waits goes on waiting.
    """

    path: Path
    media_type: str
    name: str
    limits: Limits = field(default_factory=Limits)
    depth: int = 0
    alive: Callable[[], None] = _nobody_waits
