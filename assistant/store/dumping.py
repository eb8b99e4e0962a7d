"""Whole tables out of a database and into an empty one, as PostgreSQL's binary COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.store.copying import copying

KEYS = ("subject_keys",)
"""Tables that a backup of the data leaves out: what they hold must not outlive its deletion."""

_LEFT_OUT = frozenset({"alembic_version", "sessions", *KEYS})
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Dumped:
    """A table as it is dumped: the columns in their order, how many rows."""

    name: str
    columns: tuple[str, ...]
    n_rows: int


def tables(conn: Connection, only: Sequence[str] | None = None) -> list[Dumped]:
    """Return the tables that a backup holds, each after those it refers to.

    They are those of the database, not of this program: what a later migration adds comes along.
    Sessions stay out, since a restored one would undo a sign-out; `only` names other tables.
    """
    inspector = sa.inspect(conn)
    names = [name for name, _ in inspector.get_sorted_table_and_fkc_names() if name]
    if only is None:
        wanted = [name for name in names if name not in _LEFT_OUT]
    else:
        wanted = [name for name in names if name in only]
    return [
        Dumped(
            name,
            tuple(c["name"] for c in inspector.get_columns(name) if not c.get("computed")),
            conn.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0,
        )
        for name in wanted
    ]


def blocks(conn: Connection, table: Dumped) -> Iterator[bytes]:
    """Yield a table's rows in blocks of about a megabyte."""
    pending = bytearray()
    with copying(conn, f"COPY {_spelled(table)} TO STDOUT (FORMAT BINARY)") as copy:
        for data in copy:
            pending += data
            if len(pending) >= _BLOCK_BYTES:
                yield bytes(pending)
                pending.clear()
    if pending:
        yield bytes(pending)


def load(conn: Connection, table: Dumped, content: Iterable[bytes]) -> None:
    """Put blocks into an empty table of the same columns."""
    with copying(conn, f"COPY {_spelled(table)} FROM STDIN (FORMAT BINARY)") as copy:
        for block in content:
            copy.write(block)


def replace(conn: Connection, table: Dumped, content: Iterable[bytes]) -> None:
    """Put blocks into a table instead of what it holds."""
    conn.execute(sa.text(f"TRUNCATE {_quoted(table.name)}"))
    load(conn, table, content)


def count(conn: Connection, table: Dumped) -> int:
    """Return how many rows a table has now."""
    return conn.scalar(sa.select(sa.func.count()).select_from(sa.table(table.name))) or 0


def clear(conn: Connection) -> None:
    """Empty every table that migrations had filled; the log's events can't be, and are not."""
    for table in reversed(tables(conn)):
        if table.n_rows:
            conn.execute(sa.delete(sa.table(table.name)))


def is_unused(conn: Connection) -> bool:
    """Tell whether a database has no tables yet, or none with sources, people or events."""
    names = set(sa.inspect(conn).get_table_names())
    return not any(_has_rows(conn, name) for name in names & {"sources", "people", "audit_events"})


def counters(conn: Connection) -> dict[str, int]:
    """Return the last number that each sequence has given."""
    rows = conn.execute(
        sa.text(
            "SELECT sequencename, last_value FROM pg_sequences "
            "WHERE schemaname = current_schema() AND last_value IS NOT NULL"
        )
    )
    return {row.sequencename: row.last_value for row in rows}


def set_counters(conn: Connection, values: dict[str, int]) -> None:
    """Let sequences go on after these numbers, so that none is given twice."""
    for name, value in values.items():
        conn.execute(
            sa.text("SELECT setval(CAST(:name AS regclass), :value)"),
            {"name": _quoted(name), "value": value},
        )


def _has_rows(conn: Connection, name: str) -> bool:
    found = sa.exists(sa.select(sa.literal(1)).select_from(sa.table(name)))
    return bool(conn.scalar(sa.select(found)))


def _spelled(table: Dumped) -> str:
    return f"{_quoted(table.name)} ({', '.join(map(_quoted, table.columns))})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
