"""A database that is only read: PostgreSQL or SQLite.

Every transaction is read-only and repeatable, every statement has a time limit. Rows come through
a server-side cursor, at most `ROWS` at a time, so a table of any size fits; a transaction that
grew older than `OLDEST_S` is given up and the next goes on behind the last row, so that a slow
reader doesn't hold back the cleaning of the database.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.sql.expression import FromClause

from connectors.contract import ConnectorError, RetryLater
from connectors.sql_cursor import Value
from connectors.sql_row import Kind, Row

ROWS = 100
OLDEST_S = 60.0

_TICKS = 10_000
_BUSY_STATES = ("08", "40001", "40P01", "53", "55P03", "57P01", "57P02", "57P03")
# A refused connection has no state, only words.
_BUSY_WORDS = (
    *("too many connections", "too many clients", "connection slots", "timeout expired"),
    *("is starting up", "is shutting down", "database is locked"),
)
_CANCELLED = "57014"
_NO_RIGHT = "42501"


class Database:
    """Reads one database; the connections are made when needed."""

    def __init__(self, address: str, password: str, timeout_s: float) -> None:
        url = sa.make_url(address)
        self._shown = address
        self._timeout_s = timeout_s
        self._deadline = 0.0
        self._is_sqlite = url.get_backend_name() == "sqlite"
        self._engine = self._sqlite(url) if self._is_sqlite else self._postgres(url, password)

    def pages(
        self, kind: Kind, order: Sequence[str], low: Value | None, after: tuple[Value, ...]
    ) -> Generator[list[Row], None, None]:
        """Yield the rows of a kind by some columns, behind `after`, the first one from `low` on.

        Raises `ConnectorError` and `RetryLater`.
        """
        while True:
            opened = time.monotonic()
            with self._reading(f"Reading {kind.name}") as conn:
                statement = _behind(kind, order, low, after)
                with closing(self._run(conn, statement)) as result:
                    partitions = result.mappings().partitions(ROWS)
                    while page := self._next(partitions):
                        yield page
                        after = tuple(page[-1][column] for column in order)
                        if time.monotonic() - opened > OLDEST_S:
                            break
                    else:
                        return

    def rows(self, kind: Kind, text: str, is_start: bool) -> Generator[Row, None, None]:
        """Yield the rows whose id, written as text, is or only starts with this one."""
        rows = _rows(kind)
        written = sa.cast(rows.c[kind.id], sa.Text)
        same = written.startswith(text, autoescape=True) if is_start else written == text
        with (
            self._reading(f"Reading {kind.name}") as conn,
            closing(self._run(conn, sa.select(*rows.c).where(same))) as result,
        ):
            for row in result.mappings():
                yield dict(row)

    def first(self, kind: Kind) -> Row | None:
        """Return any row of a kind, or None."""
        with self._reading(f"Reading {kind.name}") as conn:
            found = self._run(conn, sa.select(*_rows(kind).c).limit(1)).mappings().first()
            return dict(found) if found else None

    def highest(self, kind: Kind) -> Any:
        """Return the highest value of a kind's change column, or None."""
        with self._reading(f"Reading {kind.name}") as conn:
            rows = _rows(kind)
            return self._run(conn, sa.select(sa.func.max(rows.c[kind.changed]))).scalar()

    def lacks_an_id(self, kind: Kind) -> bool:
        """Say whether a row of a kind has nothing in its id column."""
        with self._reading(f"Reading {kind.name}") as conn:
            rows = _rows(kind)
            missing = sa.select(sa.literal(1)).where(rows.c[kind.id].is_(None)).limit(1)
            return self._run(conn, missing.select_from(rows)).first() is not None

    def pairs(self, query: str) -> Generator[tuple[Any, ...], None, None]:
        """Yield the two columns of a query's rows."""
        with (
            self._reading("The query of the groups") as conn,
            closing(self._run(conn, _text(query))) as result,
        ):
            if len(result.keys()) != 2:
                raise ConnectorError("The query of the groups must give two columns.")
            yield from (tuple(row) for row in result)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _postgres(self, url: sa.URL, password: str) -> sa.Engine:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg", password=password or None),
            poolclass=sa.NullPool,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            connect_args={"connect_timeout": max(2, int(self._timeout_s))},
            execution_options={"postgresql_readonly": True},
        )

    def _sqlite(self, url: sa.URL) -> sa.Engine:
        path = f"file:{quote(url.database or '')}?mode=ro"

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                path, uri=True, timeout=min(self._timeout_s, 5), check_same_thread=False
            )
            connection.execute("PRAGMA query_only = ON")
            connection.set_progress_handler(lambda: time.monotonic() > self._deadline, _TICKS)
            return connection

        return sa.create_engine(
            "sqlite://", creator=connect, poolclass=sa.NullPool, hide_parameters=True
        )

    def _run(self, conn: sa.Connection, statement: sa.Executable) -> sa.CursorResult[Any]:
        self._deadline = time.monotonic() + self._timeout_s
        return conn.execute(statement, execution_options={"yield_per": ROWS})

    def _next(self, partitions: Iterator[Sequence[sa.RowMapping]]) -> list[Row]:
        self._deadline = time.monotonic() + self._timeout_s
        return [dict(row) for row in next(partitions, ())]

    @contextmanager
    def _reading(self, what: str) -> Iterator[sa.Connection]:
        try:
            self._deadline = time.monotonic() + self._timeout_s
            with self._engine.connect() as conn:
                if self._is_sqlite:
                    conn.exec_driver_sql("BEGIN")
                else:
                    milliseconds = max(1, int(self._timeout_s * 1000))
                    conn.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
                    conn.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
                yield conn
        except sa.exc.DBAPIError as error:
            raise self._explained(what, error) from error
        except (sa.exc.SQLAlchemyError, UnicodeError) as error:
            raise ConnectorError(
                f"{what} failed ({type(error).__name__}); check the columns and the encoding."
            ) from error

    def _explained(self, what: str, error: sa.exc.DBAPIError) -> ConnectorError:
        lines = str(error.orig).strip().splitlines() or ["no reason given"]
        said = lines[0].rstrip(".: ")
        state = getattr(error.orig, "sqlstate", None) or ""
        if state == _CANCELLED or said == "interrupted":
            return ConnectorError(
                f"{what} took longer than {self._timeout_s:g} s and was cancelled; add an index on "
                "the id and change columns, or raise the time limit."
            )
        if state.startswith(_BUSY_STATES) or any(words in said for words in _BUSY_WORDS):
            return RetryLater()
        if type(error.orig).__name__ == "ConnectionTimeout":
            return RetryLater()
        if state == _NO_RIGHT:
            return ConnectorError(f"{what} is not allowed: {said}; grant SELECT to this user.")
        if "password" in said or "pg_hba" in said or "authentication" in said:
            return ConnectorError(
                f"{self._shown} refuses this user; check the user name and the password."
            )
        if (not state and not self._is_sqlite) or "unable to open" in said:
            return ConnectorError(
                f"{self._shown} can't be opened: {said}; check the address, and that the database "
                "runs and may be reached from here."
            )
        return ConnectorError(f"{what} failed: {said}; check the table, query and columns.")


def _rows(kind: Kind) -> FromClause:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in kind.columns]
    if kind.table:
        schema, _, name = kind.table.rpartition(".")
        return sa.table(name, *columns, schema=schema or None)
    return _text(kind.query).columns(*columns).subquery("listed")


def _text(query: str) -> sa.TextClause:
    # The line break ends a comment at the end, and a colon is not the mark of a parameter.
    return sa.text(query.strip().rstrip(";").replace(":", r"\:") + "\n")


def _behind(
    kind: Kind, order: Sequence[str], low: Value | None, after: tuple[Value, ...]
) -> sa.Select[Any]:
    rows = _rows(kind)
    keys = [rows.c[column] for column in order]
    statement = sa.select(*rows.c).where(*(key.is_not(None) for key in keys)).order_by(*keys)
    if low is not None:
        statement = statement.where(keys[0] >= low)
    if not after:
        return statement
    if len(after) == 1:
        return statement.where(keys[0] > after[0])
    later = sa.and_(keys[0] == after[0], keys[1] > after[1])
    return statement.where(sa.or_(keys[0] > after[0], later))
