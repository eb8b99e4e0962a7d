"""What is decided about a document before it is embedded: is it one we already have?"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from connectors.readers.model import Reading

_SPACE = re.compile(r"\s+")


def content_sha256(reading: Reading) -> str:
    """Return the SHA-256 of what a document says, in hex: equal for exact duplicates.

    Layout doesn't count: the same text as PDF and DOCX, with other spaces, line ends or Unicode
    composition, has the same hash. Capitals, digits and punctuation count.
    """
    text = " ".join(block.text for block in reading.blocks)
    normal = _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()
