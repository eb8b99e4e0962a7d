"""How much there is to read under given ACLs, by everything that a reader can filter by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import aggregate_order_by

from assistant.store.tables import documents, sources

N_EXAMPLES = 3


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


def readable_shares(
    conn: Connection, access_ids: Collection[int], closed_collections: Collection[str] = ()
) -> list[ReadableShare]:
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
        .where(
            documents.c.state == "live",
            documents.c.access_id == sa.any_(allowed),
            documents.c.collection.not_in(sorted(closed_collections)),
        )
        .group_by(*keys)
        .order_by(documents.c.collection, sources.c.name)
    )
    return [ReadableShare(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Target:
    """One document, or those of a source whose external ids begin with `prefix`."""

    document_id: str = ""
    source: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """The live documents of a source that share collection and ACL; `examples` are ids of some."""

    source: str
    collection: str
    access_id: int
    access_as_of: datetime | None
    targeted: bool
    n_documents: int
    examples: tuple[str, ...]


def shares(conn: Connection, target: Target | None = None) -> list[Share]:
    """Count all live documents, whoever may read them; what `target` names is counted apart."""
    targeted = _targeted(target).label("targeted")
    keys = (
        sources.c.name,
        documents.c.collection,
        documents.c.access_id,
        sources.c.synced_at,
        targeted,
    )
    some = sa.func.array_agg(aggregate_order_by(documents.c.id, documents.c.id))
    rows = conn.execute(
        sa.select(*keys, sa.func.count(), sa.type_coerce(some, sa.ARRAY(sa.Text))[1:N_EXAMPLES])
        .join(sources, documents.c.source_id == sources.c.id)
        .where(documents.c.state == "live")
        .group_by(*keys)
        .order_by(documents.c.collection, sources.c.name, documents.c.access_id)
    )
    return [Share(row[0], row[1], row[2], row[3], row[4], row[5], tuple(row[6])) for row in rows]


def _targeted(target: Target | None) -> sa.ColumnElement[bool]:
    if target is None:
        return sa.literal(False)
    if target.document_id:
        return documents.c.id == target.document_id
    beneath = documents.c.external_id.startswith(target.prefix, autoescape=True)
    return sa.and_(sources.c.name == target.source, beneath)
