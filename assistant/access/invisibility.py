"""“Why can't I see it?”: an answer that says nothing of documents its reader may not know of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from assistant.access.acl import access_filter, readable_document
from assistant.domain import Caller
from assistant.store.passages import documents_called
from assistant.store.readable import readable_shares


@dataclass(frozen=True, slots=True)
class Contact:
    """A source of which the reader sees something, so they may be told to ask there."""

    source: str
    title: str
    synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Invisibility:
    """Whether a reader sees a document; if not, all that may be said: where they could ask.

    For a missing, a deleted and a forbidden document this is the same, because nothing but the
    reader's own rights goes into it.
    """

    visible: bool
    contacts: tuple[Contact, ...]


def why(conn: Connection, caller: Caller, name: str, max_age_s: float = 0.0) -> Invisibility:
    """Tell a reader whether they see a document, and otherwise whom to ask.

    The document is named by its id, address, path or title; only those are looked through that
    the reader may read.
    """
    access = access_filter(conn, caller)
    called = documents_called(conn, name, access.access_ids)
    if any(readable_document(conn, caller, row.id, max_age_s) for row in called):
        return Invisibility(True, ())
    seen = {
        share.source: Contact(share.source, share.source_title or share.source, share.synced_at)
        for share in readable_shares(conn, access.access_ids, access.closed_collections)
    }
    return Invisibility(False, tuple(seen[name] for name in sorted(seen)))
