"""COPY, PostgreSQL's way for many rows, on the connection beneath SQLAlchemy's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import psycopg
from sqlalchemy import Connection, exc


@contextmanager
def copying(
    conn: Connection, statement: str, params: Mapping[str, str] | None = None
) -> Iterator[psycopg.Copy]:
    """Copy in or out within the connection's transaction; errors become those of SQLAlchemy."""
    driver = cast(psycopg.Connection, conn.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode(), params) as copy:
            yield copy
    except psycopg.Error as error:
        raise exc.DBAPIError.instance(
            statement,
            None,
            error,
            psycopg.Error,
            connection_invalidated=driver.closed,
            dialect=conn.dialect,
        ) from error
