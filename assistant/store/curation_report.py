"""What curation found in the documents that a source holds now, counted by the database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy import Connection

from assistant.store.sources import Lease
from assistant.store.tables import sync_runs

N_HIGHEST = 10

_COUNTS = sa.text(
    """
    SELECT
        count(*) AS documents,
        count(*) FILTER (WHERE c.original_id IS NOT NULL AND c.likeness >= 1) AS exact_duplicates,
        count(*) FILTER (WHERE c.original_id IS NOT NULL AND c.likeness < 1) AS near_duplicates,
        count(*) FILTER (
            WHERE c.successor_id IS NOT NULL OR d.superseded_by_external IS NOT NULL
        ) AS superseded,
        count(*) FILTER (WHERE (c.findings->>'hidden_text')::int > 0) AS with_hidden_text,
        count(*) FILTER (WHERE (c.findings->>'repeated')::int > 0) AS with_repeated_paragraphs,
        coalesce(sum((c.findings->>'repeated')::int), 0) AS repeated_paragraphs,
        (
            SELECT count(*) FROM failures f
            WHERE f.source_id = :source_id AND f.cause = 'personal_data'
        ) AS refused
    FROM documents d JOIN curations c ON c.document_id = d.id
    WHERE d.source_id = :source_id AND d.state = 'live'
    """
)
_LANGUAGES = sa.text(
    """
    SELECT lang, count(*) AS n FROM documents
    WHERE source_id = :source_id AND state = 'live' GROUP BY lang ORDER BY n DESC, lang
    """
)
_PERSONAL = sa.text(
    """
    SELECT kind.key AS kind, outcome.key AS outcome, sum(outcome.value::int) AS n,
        count(*) AS documents
    FROM documents d JOIN curations c ON c.document_id = d.id
    CROSS JOIN LATERAL jsonb_each(c.findings->'personal_data') kind
    CROSS JOIN LATERAL jsonb_each_text(kind.value) outcome
    WHERE d.source_id = :source_id AND d.state = 'live'
    GROUP BY 1, 2 ORDER BY 1, 2
    """
)
_INSTRUCTIONS = sa.text(
    """
    SELECT d.external_id, c.ord, c.page, c.instruction, count(*) OVER () AS n
    FROM documents d JOIN chunks c ON c.document_id = d.id
    WHERE d.source_id = :source_id AND d.state = 'live' AND c.instruction >= :least
    ORDER BY c.instruction DESC, d.external_id, c.ord LIMIT :most
    """
)


def report(conn: Connection, source_id: int, instruction: float) -> dict[str, JsonValue]:
    """Return the counts; passages of at least the score `instruction` count as instruction-like.

    Names documents and passages, and quotes neither them nor what was found in them.
    """
    values = {"source_id": source_id}
    counts = conn.execute(_COUNTS, values).one()._mapping
    personal: dict[str, Any] = {}
    for row in conn.execute(_PERSONAL, values):
        found = {"found": int(row.n), "documents": int(row.documents)}
        personal.setdefault(row.kind, {})[row.outcome] = found
    highest = conn.execute(_INSTRUCTIONS, {**values, "least": instruction, "most": N_HIGHEST}).all()
    return {
        **{name: int(n) for name, n in counts.items()},
        "languages": {row.lang: row.n for row in conn.execute(_LANGUAGES, values)},
        "personal_data": personal,
        "instruction_like": {
            "passages": highest[0].n if highest else 0,
            "highest": [
                {
                    "document": row.external_id,
                    "passage": row.ord,
                    "page": row.page,
                    "score": row.instruction,
                }
                for row in highest
            ],
        },
    }


def keep(conn: Connection, lease: Lease, run_id: int, found: dict[str, JsonValue]) -> None:
    """Keep a report with its run, unless another has taken the source over."""
    conn.execute(
        sa.update(sync_runs)
        .where(sync_runs.c.id == run_id, sync_runs.c.token == lease.token)
        .values(curation=found)
    )
