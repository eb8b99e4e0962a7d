"""Who else a patient is: names under which readable records tell of the same one.

Patients are joined by identifiers, see docs/explanation/patients.md. Only records that the asker
may read join: a document out of reach neither shows a patient nor links two.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from assistant.store import records
from assistant.store.records import Asked
from connectors.readers.health.patients import linked

_PREFIX = "patient:"


def with_other_names(
    conn: Connection,
    access_ids: Collection[int],
    asked: Asked,
    *,
    confirmed_since: datetime | None = None,
    closed_collections: Collection[str] = (),
) -> Asked:
    """Ask for patients under all their names, and for what refers to them within one source."""
    names = {name for name in asked.subjects if name.startswith(_PREFIX)}
    n_before = 0
    while len(names) > n_before:
        n_before = len(names)
        told = records.patients(
            conn,
            access_ids,
            names,
            confirmed_since=confirmed_since,
            closed_collections=closed_collections,
        )
        same = linked(record for _, record in told)
        wanted = {same.get(name, name) for name in names}
        names |= {name for name, one in same.items() if one in wanted}
    if not names:
        return asked
    references = {
        (source_id, f"{_PREFIX}{reference}")
        for source_id, record in told
        for reference in _texts(record.values.get("references"))
    }
    return replace(asked, subjects=asked.subjects | names, references=asked.references | references)


def _texts(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
