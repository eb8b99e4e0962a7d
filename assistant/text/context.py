"""A chunk with what it stands under: the text that models are given."""

from __future__ import annotations

from assistant.domain import Chunk

MAX_PREFIX_CHARS = 240
"""Of title and headings in the embedding text: they help, but must leave room for the text."""


def embedding_text(title: str, chunk: Chunk) -> str:
    """Return what is embedded: title › headings, cut to 240 characters, then the text."""
    path: list[str] = []
    for part in (title, *chunk.heading):
        clean = " ".join(part.split())
        if clean and clean not in path:
            path.append(clean)
    prefix = " › ".join(path)
    if len(prefix) > MAX_PREFIX_CHARS:
        prefix = prefix[: MAX_PREFIX_CHARS - 1].rstrip() + "…"
    text = _own(chunk)
    return f"{prefix}\n{text}" if prefix else text or chunk.text


def _own(chunk: Chunk) -> str:
    """Return a chunk's text without what many documents repeat."""
    pieces: list[str] = []
    at = 0
    for start, end in chunk.omitted:
        pieces.append(chunk.text[at:start])
        at = end
    return "".join((*pieces, chunk.text[at:])).strip() if pieces else chunk.text
