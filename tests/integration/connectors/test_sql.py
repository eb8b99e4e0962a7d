"""The sql connector on a PostgreSQL with passwords and on SQLite."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pydantic import JsonValue, SecretStr, ValidationError

from connectors.conformance import Conformance, Listing, listing
from connectors.contract import (
    Access,
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    RetryLater,
)
from connectors.sql import Sql, SqlConfig
from tests.support.postgres import READER_PASSWORD, PostgresServer, served

SCHEMA = """
CREATE TABLE orders (
    id integer PRIMARY KEY,
    asset text NOT NULL,
    found text,
    done text,
    readers text[],
    denied text[],
    removed_at timestamptz,
    opened date,
    updated_at timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00'
);
CREATE TABLE "Odd Names" ("Key: 1" text PRIMARY KEY, "Größe" numeric);
CREATE TABLE members (team text, login text);
GRANT SELECT ON orders, members, "Odd Names" TO reader;
"""
ORDERS: dict[str, Any] = {
    "name": "orders",
    "table": "orders",
    "id": "id",
    "changed": "updated_at",
    "deleted": "removed_at",
    "title": "Work order {id}",
    "body": "# {asset}\n\nFound: {found}\nDone: {done}",
    "allow_column": "readers",
    "deny_column": "denied",
    "principals_are": "group:",
    "date_column": "opened",
    "lang": "en",
    "industry": "manufacturing",
}
MEMBERS = "SELECT team, login FROM members"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with served() as running:
        yield running


@pytest.fixture
def database(server: PostgresServer) -> Iterator[str]:
    with server.database(f"erp_{uuid4().hex}") as name:
        with server.as_owner(name) as conn:
            conn.execute(SCHEMA)  # type: ignore[call-overload]
        yield name


class Erp:
    """A company's database: `run` writes as its owner, `connector` reads as the reader."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self.server, self.name = server, database

    def run(self, statement: str, *values: Any) -> None:
        with self.server.as_owner(self.name) as conn:
            conn.execute(statement.encode(), values or None)

    def connector(self, *kinds: dict[str, Any], **config: Any) -> Sql:
        account = {"url": self.server.url(self.name), "password": SecretStr(READER_PASSWORD)}
        return Sql(SqlConfig.model_validate({**account, "kinds": kinds or (ORDERS,), **config}))


@pytest.fixture
def erp(server: PostgresServer, database: str) -> Erp:
    return Erp(server, database)


def listed(source: Sql, since: JsonValue = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(source, since)
        finally:
            await source.aclose()

    return asyncio.run(story())


def events(found: Listing) -> list[Item | Gone | Failed]:
    return [event for page in found.pages for event in page]


def fetched(source: Sql, item: Item) -> str:
    async def story() -> str:
        try:
            return b"".join([piece async for piece in source.fetch(item)]).decode()
        finally:
            await source.aclose()

    return asyncio.run(story())


def fill(erp: Erp, n: int) -> None:
    erp.run(
        "INSERT INTO orders (id, asset, found, done, readers, updated_at)"
        " SELECT n, 'pump P-' || n, 'bearing noise', 'replaced', ARRAY['maintenance'],"
        " timestamptz '2026-01-01 00:00:00+00' + (n / 50) * interval '1 minute'"
        " FROM generate_series(1, %s) n",
        n,
    )


class TestPostgres(Conformance):
    @pytest.fixture(autouse=True)
    def rows(self, erp: Erp) -> None:
        fill(erp, 450)
        erp.run("INSERT INTO \"Odd Names\" VALUES ('a/b ü', 1.50), ('..', 2), (%s, 3)", "x" * 700)
        erp.run("INSERT INTO members VALUES ('maintenance', 'ana'), ('all', 'group:maintenance')")
        self.erp = erp

    def make(self) -> Connector:
        query = "SELECT *, 'x:y'::text AS tag FROM \"Odd Names\" -- all"
        odd = {"name": "odd", "query": query, "id": "Key: 1", "body": "{Größe} {tag}"}
        odd |= {"changed": "Größe", "allow": ["everyone"]}
        return self.erp.connector(ORDERS, odd, groups_query=MEMBERS)

    def make_unusable(self) -> Connector:
        return Erp(self.erp.server, "missing").connector()


class TestSqlite(Conformance):
    @pytest.fixture(autouse=True)
    def rows(self, tmp_path: Path) -> None:
        self.path = tmp_path / "pro duçts.db"
        with closing(sqlite3.connect(self.path)) as conn, conn:
            conn.execute("CREATE TABLE products (sku TEXT, name TEXT, changed TEXT)")
            rows = [(f"sku {n:04}", f"Café {n}", f"2026-01-{1 + n // 20:02}") for n in range(350)]
            conn.executemany("INSERT INTO products VALUES (?, ?, ?)", rows)

    def make(self) -> Connector:
        kind = {"name": "products", "table": "products", "id": "sku", "changed": "changed"}
        kind |= {"title": "{name}", "body": "{name} ({sku})", "allow": ["everyone"]}
        return Sql(SqlConfig.model_validate({"url": f"sqlite:///{self.path}", "kinds": [kind]}))

    def make_unusable(self) -> Connector:
        config = {"name": "x", "table": "x", "id": "x", "body": "{x}"}
        url = f"sqlite:///{self.path}.missing"
        return Sql(SqlConfig.model_validate({"url": url, "kinds": [config]}))
