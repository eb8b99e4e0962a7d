"""Sitemaps (sitemaps.org 0.9): lists of pages and indexes of lists, read as they come in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from lxml import etree

from connectors.contract import ConnectorError
from connectors.http import inflated

MAX_ENTRIES = 50_000
"""What the protocol allows in one file."""
MAX_BYTES = 52_428_800
MAX_TAGS = 1_000
"""More tags between two entries are an attack on the memory, not a sitemap."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page, or another sitemap; `lastmod` as it is written."""

    url: str
    lastmod: str
    is_sitemap: bool

    @property
    def modified_at(self) -> datetime | None:
        """Return the moment of `lastmod`, a day's midnight in UTC where it is only a day."""
        try:
            if len(self.lastmod) == len("2024-01-31"):
                return datetime.combine(date.fromisoformat(self.lastmod), time(), UTC)
            found = datetime.fromisoformat(self.lastmod)
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)


async def entries(pieces: AsyncIterator[bytes], name: str) -> AsyncIterator[Entry]:
    """Yield what a sitemap lists; gzip is known by its first bytes.

    Raises `ConnectorError` if it is no sitemap, is broken, or lists more than 50,000.
    """
    # No entities, no external files; a DOCTYPE has no business in a sitemap.
    parser = etree.XMLPullParser(
        events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False
    )
    n_entries = n_bytes = 0
    try:
        async for piece in _plain(pieces, name):
            n_bytes += len(piece)
            if n_bytes > MAX_BYTES:
                raise ConnectorError(f"{name} is larger than {MAX_BYTES} bytes; split it.")
            parser.feed(piece)
            for entry in _read(parser, name):
                n_entries += 1
                if n_entries > MAX_ENTRIES:
                    raise ConnectorError(f"{name} lists more than {MAX_ENTRIES}; split it.")
                yield entry
        parser.close()
    except etree.XMLSyntaxError as error:
        raise ConnectorError(f"{name} is not a valid sitemap: {error.msg}.") from error


def _read(parser: Any, name: str) -> list[Entry]:
    found: list[Entry] = []
    n_tags = 0
    for event, element in parser.read_events():
        tag = _local(element)
        parent = element.getparent()
        if event == "start":
            n_tags += 1
            if n_tags > MAX_TAGS * (1 + len(found)):
                raise ConnectorError(f"{name} is no sitemap: it has tags without end.")
            if parent is None and tag not in ("urlset", "sitemapindex"):
                raise ConnectorError(f"{name} is no sitemap: it begins with <{tag}>.")
            continue
        if tag in ("url", "sitemap") and parent is not None and parent.getparent() is None:
            texts = {_local(child): (child.text or "").strip() for child in element}
            if url := texts.get("loc", ""):
                found.append(Entry(url, texts.get("lastmod", ""), tag == "sitemap"))
            element.clear()
            while element.getprevious() is not None:
                del parent[0]
    return found


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


async def _plain(pieces: AsyncIterator[bytes], name: str) -> AsyncIterator[bytes]:
    start = b""
    async for piece in pieces:
        start += piece
        if len(start) >= len(_GZIP):
            break
    source = _chained(start, pieces)
    async for piece in inflated(source, name) if start.startswith(_GZIP) else source:
        yield piece


async def _chained(start: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield start
    async for piece in pieces:
        yield piece
