"""One PostgreSQL database: embedded in the data folder, or the server that the settings name."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from assistant.errors import (
    AssistantError,
    Conflict,
    DatabaseUnavailable,
    DiskFull,
    InvalidRequest,
    SettingsError,
)
from assistant.settings import Settings
from assistant.store import heads, migrations
from assistant.store.embedded import EmbeddedServer

NAME = "assistant"

DriverError = exc.SQLAlchemyError
"""What statements raise within `Database.begin`, which turns it into our own errors."""

_TRUSTED_S = 5.0
_USED_AT = "used_at"

_DISK_FULL = "53100"
_LOCK_TIMEOUT = "55P03"
_GONE_CLASSES = ("08", "57P", "53", "25P03")
"""SQLSTATE classes: connection exceptions, operator intervention, insufficient resources, idle."""


class Database:
    """A pool of connections; thread-safe.

    Outside its own errors, `begin` turns the driver's into `DatabaseUnavailable` and `DiskFull`.
    """

    def __init__(self, engine: sa.Engine, server: EmbeddedServer | None = None) -> None:
        self.engine = engine
        self._server = server

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Open a transaction: committed at the end, rolled back on any exception.

        Just before the commit, changed documents take the next numbers of the change feed and
        the policy epoch moves if something bumped it. Both rows stay locked only from there to
        the commit, so numbers become visible in their order and writers hardly wait.
        """
        with self._translated(), self.engine.begin() as conn:
            heads.forget(conn)
            yield conn
            heads.publish(conn)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a connection whose every statement sees what is committed when it begins.

        There is no transaction around it, which would cost two more round trips: not for writing.
        """
        with self._translated(), self.engine.connect() as plain:
            yield plain.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Open a read-only transaction whose every read sees the same moment."""
        with self._translated(), self.engine.connect() as plain:
            conn = plain.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            with conn.begin():
                yield conn

    def migrate(self, to: str = migrations.HEAD) -> None:
        """Bring the tables to the version of this program; one of several processes does it.

        A backup is restored into the tables of its time, which `to` names. Raises
        `DatabaseUnavailable` if a newer program has already migrated the database.
        """
        with self._translated():
            migrations.upgrade(self.engine, to)

    def check(self) -> None:
        """Raise `DatabaseUnavailable` unless the database answers and has its tables."""
        with self._translated(), self.engine.connect() as conn:
            if migrations.revision(conn) != migrations.HEAD:
                raise DatabaseUnavailable(
                    "The database does not have the tables of this version; run `assistant serve` "
                    "or any other command once to migrate it."
                )

    def revision(self) -> str | None:
        """Return the version of the tables; None for an empty database."""
        with self._translated(), self.engine.connect() as conn:
            return migrations.revision(conn)

    def close(self) -> None:
        """Close the pool; the last process on the embedded server stops it."""
        self.engine.dispose()
        if self._server is not None:
            self._server.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exc.TimeoutError as error:
            raise DatabaseUnavailable(
                "All connections to the database are in use; try again in a moment."
            ) from error
        except exc.DBAPIError as error:
            known = self._known(error)
            if known is None:
                raise
            raise known from error

    def _known(self, error: exc.DBAPIError) -> AssistantError | None:
        if isinstance(error, exc.DataError):
            return InvalidRequest(
                "A text has characters, or a number a size, that can't be stored."
            )
        state = getattr(error.orig, "sqlstate", None) or ""
        if state == _DISK_FULL:
            return DiskFull()
        if state == _LOCK_TIMEOUT:
            return Conflict()
        lost = isinstance(error, exc.OperationalError | exc.InterfaceError) and not state
        if not (lost or error.connection_invalidated or state.startswith(_GONE_CLASSES)):
            return None
        if self._server is not None and self._server.is_full():
            return DiskFull()
        return DatabaseUnavailable()


def open_database(settings: Settings) -> Database:
    """Open the database that the settings name, starting the embedded server if none is named.

    Connects lazily to a named server. Raises `SettingsError` for a malformed URL,
    `DatabaseUnavailable` or `DiskFull` if the embedded server can't start.
    """
    if settings.database.url is not None:
        return Database(_engine(_server_url(settings.database.url.get_secret_value())))
    server = EmbeddedServer(settings.data_dir)
    with ExitStack() as undo:
        undo.callback(server.close)
        _create_database(server)
        undo.pop_all()
    return Database(_engine(sa.make_url(server.url(NAME))), server)


def _engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=8,
        max_overflow=8,
        pool_timeout=15,
        # The connection that was used last knows the statements best.
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "assistant",
            # Who stands still in a transaction is put out before those who wait for it give up.
            "options": "-c lock_timeout=60s -c idle_in_transaction_session_timeout=45s",
        },
    )
    sa.event.listen(engine, "checkin", _note_use)
    sa.event.listen(engine, "checkout", _insist_alive)
    return engine


def _note_use(_: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _insist_alive(
    connection: psycopg.Connection, record: ConnectionPoolEntry, _: PoolProxiedConnection
) -> None:
    """Let the pool replace a connection that has died.

    To an idle connection the server says nothing but that it ends it. So soon after a use, a look
    at the socket tells what a round trip would.
    """
    is_fresh = time.monotonic() - record.info.get(_USED_AT, -math.inf) < _TRUSTED_S
    if is_fresh and _is_silent(connection):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error as error:
        raise exc.DisconnectionError() from error


def _is_silent(connection: psycopg.Connection) -> bool:
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _server_url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (exc.ArgumentError, ValueError) as error:
        raise SettingsError(
            "database.url is not a URL; write postgresql://user:password@host:5432/name."
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingsError("database.url must begin with postgresql://; only PostgreSQL will do.")
    return url.set(drivername="postgresql+psycopg")


def _create_database(server: EmbeddedServer) -> None:
    """Create the database on a new server; several processes may try at once."""
    engine = sa.create_engine(
        server.url("postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    )
    exists = sa.text("SELECT 1 FROM pg_database WHERE datname = :name").bindparams(name=NAME)
    try:
        with engine.connect() as conn:
            conn.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": migrations.LOCK})
            if conn.scalar(exists) is None:
                conn.execute(sa.text(f"CREATE DATABASE {NAME}"))
    except exc.DBAPIError as error:
        if server.is_full():
            raise DiskFull() from error
        raise DatabaseUnavailable() from error
