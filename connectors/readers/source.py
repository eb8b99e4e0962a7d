"""The file that a reader is asked to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from connectors.readers.limits import Limits


@dataclass(frozen=True, slots=True)
class Source:
    """A file on disk, its sniffed media type, its name in the source, and what it may cost."""

    path: Path
    media_type: str
    name: str
    limits: Limits = field(default_factory=Limits)
