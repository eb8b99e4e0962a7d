"""From what a page lists to what its documents hold: compared, fetched, read, chunked, embedded."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from assistant.errors import DependencyError, DiskFull, is_disk_full
from assistant.ingest.body import Body, fetch, understand
from assistant.ingest.curate import REPEATED_IN, Curator, PersonalData
from assistant.ingest.duplicates import settle
from assistant.ingest.page import Page, Unread
from assistant.ingest.progress import Gauge, Progress
from assistant.ingest.step import step
from assistant.ports import Embedder
from assistant.store import catalog, curation_report, curations, tombstones
from assistant.store.database import Database
from assistant.store.document import NewChunk
from assistant.store.jobs import Held
from assistant.store.sources import Source
from assistant.text.context import embedding_text
from assistant.text.instructions import INSTRUCTION
from connectors.contract import Connector, Item, RetryLater
from connectors.readers import Limits, ReadError, Sandbox

MAX_READERS = 2


class Intake:
    """Fills the pages of one run, with a sandbox of its own until it is closed.

    What the catalog has in the same version is left out, unless everything is read `again`.
    """

    def __init__(
        self,
        source: Source,
        connector: Connector,
        database: Database,
        embedder: Embedder,
        limits: Limits,
        progress: Progress,
        gauge: Gauge,
        curator: Curator,
        *,
        again: bool,
    ) -> None:
        self._source = source
        self._connector = connector
        self._database = database
        self._embedder = embedder
        self._limits = limits
        self._progress = progress
        self._gauge = gauge
        self._curator = curator
        self._again = again
        self._sandbox = Sandbox()

    def close(self) -> None:
        """End the reading processes."""
        self._sandbox.close()

    def compare(self, page: Page) -> None:
        """Look up what the catalog knows of the page's items."""
        with self._database.reading() as conn:
            page.leave_out(tombstones.found(conn, self._source.id, page.ids))
        ids = [item.id for item in page.items if item.id not in page.compared]
        with self._database.reading() as conn:
            page.known |= catalog.known_documents(conn, self._source.id, ids)
        known = [(item, page.known[item.id]) for item in page.items if item.id in page.known]
        page.outdated = {item.id for item, old in known if self._curator.is_outdated(item, old)}
        page.compared.update(ids)
        step("page compared")

    def is_outdated(self) -> bool:
        """Say whether documents were curated under other rules: they are found by listing all."""
        with self._database.reading() as conn:
            held = curations.collections(conn, self._source.id)
        return any(rules not in {"", self._curator.rules(name)} for name, rules in held)

    async def settle(self, held: Held) -> None:
        """Find out which documents are alike, once all are committed, and report."""

        def settled() -> None:
            settle(self._database)
            with self._database.begin() as conn:
                found = curation_report.report(conn, self._source.id, INSTRUCTION)
                curation_report.keep(conn, held.lease, held.run_id, found)

        with self._gauge.stages.timed("curate"):
            await asyncio.to_thread(settled)

    def may_wait(self, page: Page) -> bool:
        """Say whether a page with nothing to read may grow by the next: few large commits."""
        return not (self._again or page.gone or page.failed or any(map(page.is_new, page.items)))

    async def fill(self, page: Page) -> None:
        """Find out what the page's new items hold: fetch, read, chunk."""
        wanted = [item for item in page.items if self._again or page.is_new(item)]
        if not wanted:
            return
        with _room() as folder:
            gate = asyncio.Semaphore(MAX_READERS)
            reading = (self._read(item, folder, gate) for item in wanted)
            found = await asyncio.gather(*reading)
        page.found = {
            item.id: self._withdrawn(item, page, body) if isinstance(body, Unread) else body
            for item, body in zip(wanted, found, strict=True)
        }
        with self._gauge.stages.timed("curate"):
            await asyncio.to_thread(self._set_aside, page)

    def _withdrawn(self, item: Item, page: Page, unread: Unread) -> Unread:
        """Have what is stored go if the policy has changed and it can't be looked at again."""
        known = page.known.get(item.id)
        must_go = known is not None and self._curator.is_in_doubt(item, known)
        return replace(unread, withdrawn=unread.withdrawn or must_go)

    def _set_aside(self, page: Page) -> None:
        """Leave to one side what documents of the source repeat at their edges."""
        own = Counter(edge for body in page.bodies.values() for edge in body.curated.curation.edges)
        if not own:
            return
        again = [page.known[key].id for key in page.bodies if key in page.known]
        with self._database.reading() as conn:
            others = curations.n_having(conn, own, again, REPEATED_IN)
        repeated = frozenset(key for key in own if own[key] + others.get(key, 0) >= REPEATED_IN)
        page.found |= {key: body.without(repeated) for key, body in page.bodies.items()}

    async def _read(self, item: Item, folder: Path, gate: asyncio.Semaphore) -> Body | Unread:
        """Read one item; whatever goes wrong with it never stops the run."""
        async with gate:
            self._gauge.stage, self._gauge.item = "read", item.id
            try:
                with self._gauge.stages.timed("fetch", 1):
                    path = await fetch(self._connector, item, folder, self._limits.file_bytes)
                self._gauge.stages.add("fetch", 0, 0, path.stat().st_size)
                step("body fetched")
                body = await asyncio.to_thread(
                    understand,
                    path,
                    item,
                    self._sandbox,
                    self._limits,
                    self._curator,
                    self._gauge.stages,
                )
                path.unlink()
            except PersonalData as error:
                outcome: Body | Unread = Unread("personal_data", str(error), withdrawn=True)
            except ReadError as error:
                outcome = Unread(error.cause, str(error))
            except (RetryLater, DependencyError):
                raise
            except Exception as error:
                if is_disk_full(error):
                    raise
                outcome = Unread("unreadable", f"{type(error).__name__}: {error}")
            else:
                outcome = body
        step("body read")
        self._gauge.n_read += 1
        self._progress.read(item.id, outcome.cause if isinstance(outcome, Unread) else None)
        return outcome

    async def embed(self, pages: Sequence[Page], before: Sequence[Page]) -> None:
        """Give the pages' bodies chunks with vectors, those of a twin where there is one."""
        made = {
            page.bodies[item_id].content_sha256: page.chunks[item_id]
            for page in before
            for item_id in page.embedded
        }
        with self._gauge.stages.timed("embed"):
            await asyncio.to_thread(self._embed_now, pages, made)

    def _embed_now(self, pages: Sequence[Page], made: dict[str, list[NewChunk]]) -> None:
        new: dict[str, Body] = {}
        with self._database.begin() as conn:
            for page in pages:
                for item_id, body in page.bodies.items():
                    known = catalog.reuse_by_content(conn, body.content_sha256, self._embedder.name)
                    if known is not None:
                        page.chunks[item_id] = known
                        continue
                    page.embedded.add(item_id)
                    if body.content_sha256 not in made:
                        new[body.content_sha256] = body
        texts = [embedding_text(body.title, c) for body in new.values() for c in body.chunks]
        self._gauge.stages.add("embed", 0, len(texts), sum(len(text.encode()) for text in texts))
        vectors = iter(self._embedder.embed_documents(texts))
        for sha256, body in new.items():
            made[sha256] = [NewChunk(c, next(vectors), self._embedder.name) for c in body.chunks]
        for page in pages:
            bodies = page.bodies
            for item_id in page.embedded:
                page.chunks[item_id] = made[bodies[item_id].content_sha256]
        step("page embedded")


@contextmanager
def _room() -> Iterator[Path]:
    """Give a folder for bodies; raises `DiskFull`: that no document is to blame for."""
    try:
        with tempfile.TemporaryDirectory(prefix="assistant-sync-") as folder:
            yield Path(folder)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull() from error
        raise
