"""The policies that were ever in force, as the text of their files; the newest one is."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Connection, Table, Text

from assistant.store.heads import bump_epoch, policy_epoch
from assistant.store.tables import metadata

policies = Table(
    "policies",
    metadata,
    Column("id", BigInteger, sa.Identity(always=True), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)


def current(conn: Connection) -> str:
    """Return the text in force; empty before there was one."""
    newest = sa.select(policies.c.body).order_by(policies.c.id.desc()).limit(1)
    return conn.scalar(newest) or ""


def at(conn: Connection, epoch: int) -> str:
    """Return the text that was in force at a policy epoch; empty before there was one."""
    newest = sa.select(policies.c.body).where(policies.c.epoch <= epoch)
    return conn.scalar(newest.order_by(policies.c.id.desc()).limit(1)) or ""


def enforce(conn: Connection, body: str) -> str | None:
    """Put a text in force; return the one it replaces, None if it is in force already.

    A change moves the policy epoch. Processes that start at once wait for each other.
    """
    conn.execute(sa.text("LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE"))
    before = current(conn)
    if before == body:
        return None
    conn.execute(sa.insert(policies).values(epoch=policy_epoch(conn) + 1, body=body))
    bump_epoch(conn)
    return before
