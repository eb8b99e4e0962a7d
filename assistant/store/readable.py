"""How much there is to read under given ACLs, by everything that a reader can filter by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.store.tables import documents, sources


@dataclass(frozen=True, slots=True)
class ReadableShare:
    """The readable documents of one source that agree in everything named here."""

    source_id: int
    source: str
    source_title: str
    synced_at: datetime | None
    collection: str
    industry: str
    lang: str
    media_type: str
    n_documents: int


def readable_shares(conn: Connection, access_ids: Collection[int]) -> list[ReadableShare]:
    """Count the live documents under these ACLs; nothing else of a source is mentioned."""
    keys = (
        sources.c.id,
        sources.c.name,
        sources.c.title,
        sources.c.synced_at,
        documents.c.collection,
        documents.c.industry,
        documents.c.lang,
        documents.c.media_type,
    )
    allowed = sa.literal(sorted(access_ids), sa.ARRAY(sa.Integer))
    rows = conn.execute(
        sa.select(*keys, sa.func.count())
        .join(sources, documents.c.source_id == sources.c.id)
        .where(documents.c.state == "live", documents.c.access_id == sa.any_(allowed))
        .group_by(*keys)
        .order_by(documents.c.collection, sources.c.name)
    )
    return [ReadableShare(*row) for row in rows]
