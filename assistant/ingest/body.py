"""The body of an item: fetched to disk, read in a child process, chunked, ready to embed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from assistant.domain import Chunk
from assistant.ingest.chunk import chunk, chunk_of_blocks
from assistant.ingest.curate import Curated, Curator, repeated_blocks
from assistant.ingest.progress import Stages
from assistant.store.document import Facts, Original
from assistant.store.records import NewRecord
from assistant.store.sources import Source
from assistant.text.language import detect_language
from connectors.contract import Connector, Item
from connectors.readers import Limits, ReadError, Sandbox
from connectors.readers.model import Reading
from connectors.readers.record import record_json

PAGED = frozenset({"application/pdf"})
"""Media types whose originals are kept, since their pages can be shown as images."""

MAX_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class Body:
    """What a file says: its chunks, and a hash of all that enters their embeddings.

    `original` is missing where something was masked: its pages would show it.
    """

    title: str
    lang: str
    media_type: str
    chunks: tuple[Chunk, ...]
    content_sha256: str
    warnings: tuple[str, ...]
    original: Original | None
    curated: Curated
    records: tuple[NewRecord, ...] = ()

    def without(self, repeated: frozenset[int]) -> Body:
        """Return this with the edges that many documents repeat, by their keys, left to one side.

        They stay in the text, but models aren't given them.
        """
        edges = frozenset(self.curated.curation.edges) & repeated
        if not edges:
            return self
        blocks = repeated_blocks(self.curated, edges)
        curation = self.curated.curation
        findings = {**curation.findings, "repeated": len(blocks)}
        curation = replace(curation, repeated=tuple(sorted(edges)), findings=findings)
        reading = self.curated.reading
        return replace(
            self,
            chunks=tuple(chunk(reading, self.lang, blocks)),
            records=placed_records(reading, blocks),
            content_sha256=content_sha256(self.title, self.lang, reading, blocks),
            curated=replace(self.curated, curation=curation),
        )


async def fetch(connector: Connector, item: Item, folder: Path, max_bytes: int) -> Path:
    """Stream an item's body into a file of the folder; raises `ReadError` when it is too large."""
    # The file keeps its own name, from which a reader may take the title.
    path = folder / hashlib.sha256(item.id.encode()).hexdigest() / _file_name(item.id)
    path.parent.mkdir()
    size = 0
    with path.open("wb") as file:
        async for piece in connector.fetch(item):
            size += len(piece)
            if size > max_bytes:
                raise ReadError(
                    "too_large",
                    f"The file is larger than {max_bytes:,} bytes; "
                    "split it, or raise `sync.max_file_bytes`.",
                )
            file.write(piece)
    return path


def _file_name(item_id: str) -> str:
    """Return the last part of an id, no longer than a file system allows."""
    name = PurePosixPath(item_id).name
    if name in ("", ".."):
        return "document"
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    path = PurePosixPath(name)
    return path.stem.encode()[:200].decode(errors="ignore") + path.suffix[:10]


def understand(
    path: Path, item: Item, sandbox: Sandbox, limits: Limits, curator: Curator, stages: Stages
) -> Body:
    """Read, curate and chunk a fetched file; raises `ReadError` with a cause, or `PersonalData`."""
    with stages.timed("read", 1, path.stat().st_size):
        reading = sandbox.read(path, limits=limits)
    text = "\n".join(block.text for block in reading.blocks)
    if not text.strip():
        raise ReadError("empty", "The file holds no text; if it is a scan, it needs OCR first.")
    declared = item.meta.get("lang")
    lang = detect_language(text, declared if isinstance(declared, str) else reading.lang)
    with stages.timed("curate", 1):
        curated = curator.curate(item, reading, item.title or reading.title or item.id, lang)
    reading, title = curated.reading, curated.title
    kept = reading.media_type in PAGED and not curated.masked
    with stages.timed("chunk"):
        chunks = tuple(chunk(reading, lang))
    stages.add("chunk", 0, len(chunks), sum(len(one.text.encode()) for one in chunks))
    return Body(
        title=title,
        lang=lang,
        media_type=reading.media_type,
        chunks=chunks,
        content_sha256=content_sha256(title, lang, reading),
        warnings=reading.warnings,
        original=Original(reading.media_type, path.read_bytes()) if kept else None,
        curated=curated,
        records=placed_records(reading),
    )


def placed_records(
    reading: Reading, repeated: frozenset[int] = frozenset()
) -> tuple[NewRecord, ...]:
    """Return the records of a reading, each with the place of the chunk that words it."""
    if not reading.records:
        return ()
    places = chunk_of_blocks(reading, repeated)
    return tuple(
        NewRecord(record, None if record.block is None else places.get(record.block))
        for record in reading.records
    )


def facts(item: Item, source: Source, *, title: str, lang: str, media_type: str) -> Facts:
    """Return what the item and its source say besides the content."""
    return Facts(
        uri=item.uri,
        title=item.title or title,
        media_type=media_type,
        lang=lang,
        collection=_text(item.meta.get("collection")) or source.name,
        industry=_text(item.meta.get("industry")) or source.industry,
        dated=_date(item.meta.get("date")),
        modified_at=item.modified_at,
        meta=item.meta,
        superseded_by=_text(item.meta.get("superseded_by")) or None,
    )


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _date(value: JsonValue) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def content_sha256(
    title: str, lang: str, reading: Reading, repeated: frozenset[int] = frozenset()
) -> str:
    """Return a hash of all that is stored of a reading, in hex."""
    parts: list[object] = [title, lang, reading.media_type]
    parts += [[block.kind, block.text, block.page, block.heading] for block in reading.blocks]
    parts += [sorted(repeated)] if repeated else []
    if reading.records:
        parts += [record_json(record) for record in reading.records]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
