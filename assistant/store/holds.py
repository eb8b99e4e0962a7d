"""Legal holds: what must not be deleted until they are released."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.errors import NotFound
from assistant.store.lifecycle_tables import holds

HoldKind = Literal["subject", "document", "collection", "everything"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on what `value` names; of `everything` it is empty."""

    id: str
    kind: HoldKind
    value: str
    reason: str
    created_by: str
    created_at: datetime
    released_at: datetime | None


def create(conn: Connection, kind: HoldKind, value: str, reason: str, by: str) -> Hold:
    """Add a hold, in force at once."""
    row = conn.execute(
        sa.insert(holds)
        .values(id=str(uuid4()), kind=kind, value=value, reason=reason, created_by=by)
        .returning(holds)
    ).one()
    return _hold(row)


def release(conn: Connection, hold_id: str) -> Hold:
    """End a hold in force; raises `NotFound`."""
    row = conn.execute(
        sa.update(holds)
        .where(holds.c.id == hold_id, holds.c.released_at.is_(None))
        .values(released_at=sa.func.now())
        .returning(holds)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no hold {hold_id!r} in force.")
    return _hold(row)


def forget(conn: Connection, hold_ids: Collection[str]) -> None:
    """Take away what released holds on an erased subject tell: that there was one stays."""
    which = holds.c.id.in_(list(hold_ids))
    conn.execute(sa.update(holds).where(which).values(value="erased", reason=""))


def listed(conn: Connection, *, in_force: bool = False) -> list[Hold]:
    """Return the holds, the oldest first."""
    query = sa.select(holds).order_by(holds.c.created_at, holds.c.id)
    if in_force:
        query = query.where(holds.c.released_at.is_(None))
    return [_hold(row) for row in conn.execute(query)]


def _hold(row: sa.Row[*tuple[Any, ...]]) -> Hold:
    return Hold(
        row.id, row.kind, row.value, row.reason, row.created_by, row.created_at, row.released_at
    )
