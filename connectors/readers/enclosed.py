"""Files inside a record, such as a PDF in a clinical document: read in place, or named."""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from pathlib import Path

from connectors.readers import media
from connectors.readers.errors import ReadError
from connectors.readers.limits import Limits
from connectors.readers.register import Register
from connectors.readers.source import Source

_READ = frozenset({media.PDF, media.HTML, media.PLAIN, media.MARKDOWN, media.CSV, media.DOCX})
_SUFFIX = {media.PLAIN: ".txt", media.HTML: ".html", media.MARKDOWN: ".md", media.CSV: ".csv"}


def place_base64(
    register: Register, written: str, name: str, limits: Limits, declared: str = ""
) -> None:
    """Add the text of a base64 file to the outline; warn about one that can't be read."""
    try:
        data = base64.b64decode(re.sub(r"\s+", "", written), validate=True)
    except (binascii.Error, ValueError):
        register.warn(f"An enclosed file ({name}) is no valid base64 and was left out.")
        return
    if data:
        place(register, data, name, limits, declared)


def place(register: Register, data: bytes, name: str, limits: Limits, declared: str = "") -> None:
    """Add the text of an enclosed file under a heading with its name."""
    from connectors.readers import child

    kind = ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"enclosed{_SUFFIX.get(declared, '')}"
        path.write_bytes(data)
        try:
            kind = media.sniff(path, hint=declared or None)
            if kind not in _READ:
                raise ReadError("unsupported", "It is not read inside another file.")
            reading = child.read(Source(path, kind, name, limits))
        except ReadError as error:
            register.warn(
                f"An enclosed file ({name}, {len(data)} bytes, {kind}) was left out: {error}"
            )
            return
    register.outline.heading(name, 3)
    above = register.outline.path
    for block in reading.blocks:
        register.outline.keep(block, above)
    for warning in reading.warnings:
        register.warn(f"{name}: {warning}")
