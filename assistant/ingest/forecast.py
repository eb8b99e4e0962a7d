"""What a sync run would do, found by listing and comparing alone: nothing is fetched or stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from assistant.access.principals import qualify
from assistant.domain import DocumentId
from assistant.ingest.body import facts
from assistant.ingest.curate import Curator
from assistant.ingest.page import Page
from assistant.ingest.progress import Counts
from assistant.store import acls, catalog, tombstones
from assistant.store.document import KnownDocument
from assistant.store.sources import Source
from connectors.contract import Access, Gone, Item


class Forecast:
    """Follows a listing page by page, and remembers what it would have changed so far.

    Documents are compared by the source's version: one whose version changed but whose content
    did not is counted as changed here, and one that can't be read is not foreseen.
    """

    def __init__(self, source: Source, curator: Curator) -> None:
        self.counts = Counts()
        self._source = source
        self._curator = curator
        self._new_acls: dict[tuple[frozenset[str], ...], int] = {}
        self._seen: set[bytes] = set()
        self._kept_beneath: list[str] = []
        self._changed: dict[str, KnownDocument | None] = {}
        self._n_added = 0

    def page(self, conn: Connection, page: Page) -> None:
        """Compare a page as `commit.page` would write it."""
        page.leave_out(tombstones.found(conn, self._source.id, page.ids))
        self.counts.add(page.counts)
        known = catalog.known_documents(conn, self._source.id, list(page.ids))
        known = {key: one for key, one in known.items() if one.is_live}
        for key in page.ids & self._changed.keys():
            known.pop(key, None)
            if (after := self._changed[key]) is not None:
                known[key] = after
        for item in sorted(map(self._curator.cleaned, page.items), key=lambda item: item.id):
            self.counts.listed += 1
            self._seen.add(_digest(item.id))
            self._item(conn, item, known)
        for event in page.gone:
            self._gone(event, known)
        for failed in page.failed:
            self.counts.failed += 1
            if failed.id.endswith("/"):
                self._kept_beneath.append(failed.id)
            else:
                self._seen.add(_digest(failed.id))

    def sweep(self, conn: Connection, run_no: int) -> tuple[int, int]:
        """Return how many documents the end of a whole pass would delete, and of how many."""
        n_unseen = sum(
            not self._is_kept(external_id)
            for external_id in catalog.unseen(conn, self._source.id, run_no)
        )
        n_live = catalog.count_unseen(conn, self._source.id, run_no)[1]
        return n_unseen, n_live + self._n_added

    def _is_kept(self, external_id: str) -> bool:
        if external_id in self._changed and self._changed[external_id] is None:
            return True
        return _digest(external_id) in self._seen or external_id.startswith(
            tuple(self._kept_beneath)
        )

    def _item(self, conn: Connection, item: Item, known: Mapping[str, KnownDocument]) -> None:
        before = known.get(item.id)
        access_id = self._acl(conn, item.access)
        if before is None:
            self.counts.added += 1
            self._n_added += 1
            self._changed[item.id] = _as_new(item, self._source, access_id)
            return
        same = facts(
            item,
            self._source,
            title=before.facts.title,
            lang=before.facts.lang,
            media_type=before.facts.media_type,
        )
        after = replace(before, version=item.version, access_id=access_id, facts=same)
        if before.version != item.version:
            self.counts.changed += 1
        elif before.access_id != access_id or before.facts != same:
            self.counts.access_changed += 1
        else:
            self.counts.unchanged += 1
            return
        self._changed[item.id] = after

    def _gone(self, event: Gone, known: Mapping[str, KnownDocument]) -> None:
        now = self._changed.get(event.id, known.get(event.id))
        if now is not None:
            self.counts.deleted += 1
            self._n_added -= 1
            self._changed[event.id] = None

    def _acl(self, conn: Connection, access: Access) -> int:
        """Return the id of an access list; those that the catalog lacks get negative ones."""
        lists = tuple(
            frozenset(qualify(self._source.name, principal) for principal in principals)
            for principals in (access.allow, access.deny, access.all_of)
        )
        found = acls.known_acl_id(conn, *lists)
        if found is None:
            found = self._new_acls.setdefault(lists, -1 - len(self._new_acls))
        return found


def _as_new(item: Item, source: Source, access_id: int) -> KnownDocument:
    return KnownDocument(
        id=DocumentId(""),
        external_id=item.id,
        version=item.version,
        version_no=1,
        access_id=access_id,
        content_sha256="",
        facts=facts(item, source, title="", lang="", media_type=""),
        is_live=True,
    )


def _digest(external_id: str) -> bytes:
    return hashlib.blake2b(external_id.encode(), digest_size=16).digest()
