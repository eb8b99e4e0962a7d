"""Files inside a mail, each read by its own reader under the limits of the mail."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.readers import media
from connectors.readers.errors import ReadError
from connectors.readers.text import clean

if TYPE_CHECKING:
    from connectors.readers.model import Reading
    from connectors.readers.outline import Outline
    from connectors.readers.record import Record
    from connectors.readers.source import Source

_MAX_FILES = 100
_SHARE = 0.7


@dataclass
class Attachments:
    """Adds the blocks of attached files, each below a heading that is the file's name.

    A block keeps its page, which is one of the attached file; boxes are dropped, since the mail
    has no pages to show them on. What can't be read becomes a warning, never an error.
    """

    outline: Outline
    source: Source
    records: list[Record] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    n_files: int = 0

    def add(self, name: str, data: bytes) -> None:
        """Read one attached file."""
        name = clean(name) or "attachment"
        self.n_files += 1
        reason = self._refusal(data)
        if not reason:
            try:
                reading = self._read(name, data)
            except ReadError as error:
                reason = str(error)
            else:
                self._place(name, reading)
                return
        if reason:
            self.warnings.append(f"The attachment {name} was not read: {reason}")

    def _refusal(self, data: bytes) -> str:
        limits = self.source.limits
        if self.source.depth >= limits.depth:
            return f"Mails are nested deeper than {limits.depth}."
        if self.n_files > _MAX_FILES:
            return f"The mail has more than {_MAX_FILES} attachments."
        if len(data) > limits.file_bytes:
            return f"It has more than {limits.file_bytes / 1e6:.0f} MB."
        if _is_late():
            return "The rest of the mail took too long."
        return "" if data.strip() else "It is empty."

    def _read(self, name: str, data: bytes) -> Reading:
        from connectors.readers.child import read  # which names the readers of mails

        with tempfile.TemporaryDirectory(prefix="attached-") as folder:
            path = Path(folder).resolve() / "file"
            path.write_bytes(data)
            media_type = media.sniff(path, name=name)
            inner = replace(
                self.source,
                path=path,
                media_type=media_type,
                name=name,
                depth=self.source.depth + 1,
            )
            return read(inner)

    def _place(self, name: str, reading: Reading) -> None:
        self.outline.heading(name, 2)
        first = len(self.outline.blocks)
        path = self.outline.path
        self.outline.blocks += [
            replace(block, boxes=(), heading=(*path, *block.heading)) for block in reading.blocks
        ]
        self.records += [
            replace(record, block=None if record.block is None else record.block + first)
            for record in reading.records
        ]
        self.warnings += [f"{name}: {warning}" for warning in reading.warnings]


def _is_late() -> bool:
    """Whether most of the CPU time that this process may use is spent."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_CPU)
    return soft != resource.RLIM_INFINITY and time.process_time() > _SHARE * soft
