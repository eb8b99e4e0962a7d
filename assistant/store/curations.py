"""What was found in each document before it was stored, and which documents are alike.

`arrived` is the order in which documents came in; a document is a duplicate of the earliest one it
is alike to. `state` says whether that was looked up: of a FRESH document and its neighbours, of a
STALE one only for itself. Nothing here decides who may read what.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy import Connection

from assistant.domain import DocumentId
from assistant.store.curation_tables import curations
from assistant.store.tables import documents

FRESH, STALE, SETTLED = 0, 1, 2

_LOCK = 0x6375726174  # "curat": one transaction at a time settles


@dataclass(frozen=True, slots=True)
class Curation:
    """What is kept of a document's curation besides its text.

    `rules` name the policy it was made under. `keys` are what alike documents share one of,
    `edges` those of the paragraphs at its begin and end, `repeated` the edges that many documents
    of its source had.
    """

    rules: str
    text_sha256: str
    signature: bytes
    family: str
    rank: tuple[int, ...]
    keys: tuple[int, ...]
    edges: tuple[int, ...]
    repeated: tuple[int, ...]
    findings: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Curated:
    """A live document as its likeness to others is judged by."""

    document_id: DocumentId
    arrived: int
    source_id: int
    access_id: int
    text_sha256: str
    signature: bytes
    family: str
    rank: tuple[int, ...]
    edges: tuple[int, ...]
    state: int


@dataclass(frozen=True, slots=True)
class Links:
    """What a document is a duplicate of, how alike they are, and what replaces it."""

    original_id: DocumentId | None = None
    likeness: float | None = None
    successor_id: DocumentId | None = None


_PUT = sa.text(
    """
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            external_id text, rules text, text_sha256 text, signature text, family text,
            rank int[], edges bigint[], repeated bigint[], findings jsonb
        )
    )
    INSERT INTO curations (
        document_id, rules, text_sha256, signature, family, rank, edges, repeated, findings
    )
    SELECT d.id, g.rules, g.text_sha256, decode(g.signature, 'base64'), g.family, g.rank, g.edges,
        g.repeated, g.findings
    FROM given g JOIN documents d
        ON d.source_id = :source_id AND d.external_id = g.external_id AND d.state = 'live'
    ORDER BY d.external_id
    ON CONFLICT (document_id) DO UPDATE SET
        rules = excluded.rules, text_sha256 = excluded.text_sha256,
        signature = excluded.signature, family = excluded.family, rank = excluded.rank,
        edges = excluded.edges, repeated = excluded.repeated, findings = excluded.findings,
        state = CASE
            WHEN curations.text_sha256 = excluded.text_sha256
                AND (curations.family, curations.rank, curations.edges)
                    = (excluded.family, excluded.rank, excluded.edges)
            THEN curations.state ELSE 0
        END
    RETURNING document_id, arrived
    """
)
_OLD_TRACES = sa.text("DELETE FROM traces WHERE arrived = ANY(:arrived)")
_TRACES = sa.text(
    """
    INSERT INTO traces (key, arrived)
    SELECT * FROM unnest(CAST(:keys AS bigint[]), CAST(:arrived AS bigint[]))
    ON CONFLICT DO NOTHING
    """
)
_NEIGHBOURS = sa.text(
    """
    SELECT DISTINCT mine.arrived AS mine, c.document_id, c.arrived, d.source_id, d.access_id,
        c.text_sha256, c.signature, c.family, c.rank, c.edges, c.state
    FROM traces mine
    CROSS JOIN LATERAL (
        SELECT other.arrived FROM traces other
        WHERE other.key = mine.key AND other.arrived <> mine.arrived
            AND NOT (other.key = ANY(CAST(:edges AS bigint[])))
        ORDER BY other.arrived LIMIT :most
    ) shared
    JOIN curations c ON c.arrived = shared.arrived
    JOIN documents d ON d.id = c.document_id AND d.state = 'live'
    WHERE mine.arrived = ANY(CAST(:arrived AS bigint[]))
    """
)
_COUNTS = sa.text(
    """
    SELECT k.key, count(found.arrived) AS n
    FROM unnest(CAST(:keys AS bigint[])) AS k(key)
    CROSS JOIN LATERAL (
        SELECT t.arrived FROM traces t JOIN curations c ON c.arrived = t.arrived
        WHERE t.key = k.key AND c.document_id <> ALL(CAST(:without AS text[]))
        LIMIT :most
    ) found
    GROUP BY k.key
    """
)
_OUTDATE = sa.text(
    """
    WITH crossed AS (
        SELECT k.key
        FROM unnest(CAST(:keys AS bigint[])) AS k(key)
        CROSS JOIN LATERAL (
            SELECT k.key = ANY(c.repeated) AS known
            FROM traces t JOIN curations c ON c.arrived = t.arrived
            WHERE t.key = k.key ORDER BY t.arrived LIMIT 64
        ) first
        GROUP BY k.key HAVING count(*) >= :least AND NOT bool_and(first.known)
    ), wanted AS (
        SELECT c.document_id FROM crossed
        JOIN traces t ON t.key = crossed.key JOIN curations c ON c.arrived = t.arrived
        WHERE NOT (t.key = ANY(c.repeated)) AND c.rules <> ''
        ORDER BY c.document_id FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE curations SET rules = '' FROM wanted WHERE curations.document_id = wanted.document_id
    """
)
_UNMOORED = sa.text(
    """
    UPDATE curations SET state = least(state, 1)
    WHERE document_id IN (
        SELECT pointing.document_id FROM curations changed
        JOIN curations pointing ON pointing.original_id = changed.document_id
            OR pointing.successor_id = changed.document_id
        WHERE changed.arrived = ANY(:arrived) AND changed.state = 0
        ORDER BY pointing.document_id FOR UPDATE OF pointing
    )
    """
)


def put(conn: Connection, source_id: int, found: Mapping[str, Curation]) -> None:
    """Keep what was found in documents of a source, by external id."""
    if not found:
        return
    rows = [
        {
            "external_id": external_id,
            "rules": one.rules,
            "text_sha256": one.text_sha256,
            "signature": base64.b64encode(one.signature).decode(),
            "family": one.family,
            "rank": one.rank,
            "edges": one.edges,
            "repeated": one.repeated,
            "findings": one.findings,
        }
        for external_id, one in sorted(found.items())
    ]
    conn.execute(_PUT, {"rows": json.dumps(rows), "source_id": source_id})
    arrived = conn.execute(
        sa.select(documents.c.external_id, curations.c.arrived)
        .join(curations, curations.c.document_id == documents.c.id)
        .where(documents.c.source_id == source_id, documents.c.state == "live")
        .where(documents.c.external_id == sa.any_(_texts(found)))
    ).all()
    pairs = [(key, row.arrived) for row in arrived for key in found[row.external_id].keys]
    conn.execute(_OLD_TRACES, {"arrived": [row.arrived for row in arrived]})
    conn.execute(_TRACES, {"keys": [k for k, _ in pairs], "arrived": [a for _, a in pairs]})
    conn.execute(_UNMOORED, {"arrived": [row.arrived for row in arrived]})


def forget(conn: Connection, document_ids: Collection[DocumentId]) -> None:
    """Drop what was found in deleted documents; what pointed to them looks for another."""
    ids = _texts(document_ids)
    conn.execute(sa.delete(curations).where(curations.c.document_id == sa.any_(ids)))
    for pointer in (curations.c.original_id, curations.c.successor_id):
        pointing = (
            sa.select(curations.c.document_id)
            .where(pointer == sa.any_(ids))
            .order_by(curations.c.document_id)
            .with_for_update()
        )
        conn.execute(
            sa.update(curations)
            .where(curations.c.document_id.in_(pointing))
            .values({pointer: None, curations.c.state: sa.func.least(curations.c.state, STALE)})
        )


def collections(conn: Connection, source_id: int) -> set[tuple[str, str | None]]:
    """Return the collections of a source's live documents with the rules they were curated by."""
    rows = conn.execute(
        sa.select(documents.c.collection, curations.c.rules)
        .distinct()
        .outerjoin(curations, curations.c.document_id == documents.c.id)
        .where(documents.c.source_id == source_id, documents.c.state == "live")
    )
    return {(row.collection, row.rules) for row in rows}


def n_having(
    conn: Connection, keys: Collection[int], without: Collection[str], most: int
) -> dict[int, int]:
    """Return how many other documents have each key, counted up to `most`."""
    rows = conn.execute(_COUNTS, {"keys": list(keys), "without": list(without), "most": most})
    return {row.key: row.n for row in rows}


def take_unsettled(conn: Connection, limit: int) -> list[Curated]:
    """Return documents whose likeness to others is not looked up yet, those that came first.

    One transaction at a time settles, so that of two documents the later one sees the other.
    """
    conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    rows = conn.execute(
        _curated()
        .where(curations.c.state < SETTLED)
        .order_by(curations.c.arrived)
        .limit(limit)
        .with_for_update(of=curations, skip_locked=True)
    )
    return [_row(row) for row in rows]


def neighbours(conn: Connection, found: Sequence[Curated], most: int) -> dict[int, list[Curated]]:
    """Return by `arrived` the documents that share a key with one, the first `most` of each key."""
    values = {
        "arrived": [one.arrived for one in found],
        "edges": sorted({edge for one in found for edge in one.edges}),
        "most": most,
    }
    near: dict[int, list[Curated]] = {one.arrived: [] for one in found}
    for row in conn.execute(_NEIGHBOURS, values):
        near[row.mine].append(_row(row))
    return near


def settle(conn: Connection, links: Mapping[DocumentId, Links]) -> None:
    """Keep what documents are found to be alike to."""
    for document_id, link in sorted(links.items()):
        conn.execute(
            sa.update(curations)
            .where(curations.c.document_id == document_id)
            .values(
                original_id=link.original_id,
                likeness=link.likeness,
                successor_id=link.successor_id,
                state=SETTLED,
            )
        )


def unsettle(conn: Connection, document_ids: Iterable[DocumentId]) -> bool:
    """Have settled documents looked at again; False if some are in another's hands."""
    wanted = sorted(set(document_ids))
    held = conn.scalars(
        sa.select(curations.c.document_id)
        .where(curations.c.document_id == sa.any_(_texts(wanted)))
        .order_by(curations.c.document_id)
        .with_for_update(skip_locked=True)
    ).all()
    conn.execute(
        sa.update(curations)
        .where(curations.c.document_id == sa.any_(_texts(held)), curations.c.state == SETTLED)
        .values(state=STALE)
    )
    return len(held) == len(wanted)


def outdate(conn: Connection, edges: Collection[int], least: int) -> None:
    """Have documents read again that came before an edge of theirs was one of `least` documents."""
    conn.execute(_OUTDATE, {"keys": list(edges), "least": least})


def links(conn: Connection, document_id: DocumentId) -> Links:
    """Return what a document points to; the caller has yet to check who may read that."""
    row = conn.execute(
        sa.select(curations.c.original_id, curations.c.likeness, curations.c.successor_id).where(
            curations.c.document_id == document_id
        )
    ).one_or_none()
    return Links(*row) if row is not None else Links()


def _curated() -> sa.Select[Any]:
    return (
        sa.select(
            curations.c.document_id,
            curations.c.arrived,
            documents.c.source_id,
            documents.c.access_id,
            curations.c.text_sha256,
            curations.c.signature,
            curations.c.family,
            curations.c.rank,
            curations.c.edges,
            curations.c.state,
        )
        .join(documents, documents.c.id == curations.c.document_id)
        .where(documents.c.state == "live")
    )


def _row(row: sa.Row[*tuple[Any, ...]]) -> Curated:
    return Curated(
        document_id=DocumentId(row.document_id),
        arrived=row.arrived,
        source_id=row.source_id,
        access_id=row.access_id,
        text_sha256=row.text_sha256,
        signature=bytes(row.signature),
        family=row.family,
        rank=tuple(row.rank),
        edges=tuple(row.edges),
        state=row.state,
    )


def _texts(values: Iterable[str]) -> sa.ColumnElement[Any]:
    return sa.literal(list(values), sa.ARRAY(sa.Text))
