"""What a pass saw of documents it need not read: many of them in a few statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.store.heads import bump_epoch
from assistant.store.tables import documents


def touch_documents(
    conn: Connection, source_id: int, external_ids: Collection[str], run_no: int
) -> None:
    """Note that a pass saw these documents, as far as they live."""
    ids = sa.literal(list(external_ids), sa.ARRAY(sa.Text))
    conn.execute(
        sa.update(documents)
        .where(documents.c.source_id == source_id, documents.c.external_id == sa.any_(ids))
        .where(documents.c.state == "live", documents.c.seen_run != run_no)
        .values(seen_run=run_no)
    )


def set_versions(conn: Connection, source_id: int, versions: Mapping[str, str]) -> None:
    """Give live documents the source's newer versions of the same content."""
    if not versions:
        return
    given = _given(versions, sa.Text)
    conn.execute(_of(source_id, given).values(version=given.c.value))


def set_documents_access(
    conn: Connection, source_id: int, access_ids: Mapping[str, int]
) -> set[str]:
    """Give live documents other ACLs and move the epoch; returns those that were others."""
    if not access_ids:
        return set()
    given = _given(access_ids, sa.Integer)
    changed = conn.scalars(
        _of(source_id, given)
        .where(documents.c.access_id != given.c.value)
        .values(access_id=given.c.value, seq=None, updated_at=sa.func.now())
        .returning(documents.c.external_id)
    ).all()
    if changed:
        bump_epoch(conn)
    return set(changed)


def _given(
    values: Mapping[str, object], kind: type[sa.Text] | type[sa.Integer]
) -> sa.TableValuedAlias:
    ids = sa.literal(list(values), sa.ARRAY(sa.Text))
    others = sa.literal(list(values.values()), sa.ARRAY(kind))
    columns = sa.column("external_id", sa.Text), sa.column("value", kind)
    return sa.func.unnest(ids, others).table_valued(*columns, name="given").render_derived()


def _of(source_id: int, given: sa.TableValuedAlias) -> sa.Update:
    return sa.update(documents).where(
        documents.c.source_id == source_id,
        documents.c.external_id == given.c.external_id,
        documents.c.state == "live",
    )
