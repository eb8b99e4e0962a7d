"""The sql connector on a PostgreSQL with passwords and on SQLite."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from pydantic import JsonValue, SecretStr, ValidationError

from connectors import sql_database
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
from connectors.following import Ability, Following
from connectors.sql import Sql, SqlConfig
from tests.support.git import free_port
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
            conn.execute(SCHEMA)
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
        odd: dict[str, Any] = {
            "name": "odd",
            "query": query,
            "id": "Key: 1",
            "body": "{Größe} {tag}",
        }
        odd |= {"changed": "Größe", "allow": ["everyone"]}
        return self.erp.connector(ORDERS, odd, groups_query=MEMBERS)

    def make_unusable(self) -> Connector:
        return Erp(self.erp.server, "missing").connector()


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "throttle": "A database refuses connections instead; that has a test of its own.",
    }

    @pytest.fixture(autouse=True)
    def rows(self, erp: Erp) -> None:
        self.erp = erp
        erp.run("ALTER TABLE orders ADD key text")
        self.add("one.txt", "One.")

    def make(self) -> Connector:
        orders = {**ORDERS, "id": "key", "title": "{key}"}
        return self.erp.connector(orders)

    def make_unusable(self) -> Connector:
        return Erp(self.erp.server, "missing").connector()

    def add(self, name: str, text: str) -> None:
        self.erp.run(
            "INSERT INTO orders (id, key, asset, found, readers, updated_at) "
            "SELECT count(*), %s, 'P', %s, '{hr}', clock_timestamp() FROM orders",
            name,
            text,
        )

    def change(self, name: str, text: str) -> None:
        self._update(name, "found = %s", text)

    def delete(self, name: str) -> None:
        self._update(name, "removed_at = clock_timestamp()")

    def revoke(self, name: str) -> None:
        self._update(name, "readers = %s", ["it"])

    def empty(self) -> None:
        self.erp.run("DELETE FROM orders")

    def fill(self, n: int) -> None:
        self.erp.run(
            "INSERT INTO orders (id, key, asset) SELECT n, n, 'P' FROM generate_series(9, %s) n",
            n + 8,
        )

    def _update(self, name: str, what: str, *values: Any) -> None:
        now = "updated_at = clock_timestamp()"
        self.erp.run(f"UPDATE orders SET {what}, {now} WHERE key = %s", *values, name)


class TestSqlite(Conformance):
    @pytest.fixture(autouse=True)
    def rows(self, tmp_path: Path) -> None:
        self.path = tmp_path / "pro duçts.db"
        with closing(sqlite3.connect(self.path)) as conn, conn:
            conn.execute("CREATE TABLE products (sku TEXT, name TEXT, changed TEXT)")
            rows = [(f"sku {n:04}", f"Café {n}", f"2026-01-{1 + n // 20:02}") for n in range(350)]
            conn.executemany("INSERT INTO products VALUES (?, ?, ?)", rows)

    def make(self) -> Connector:
        kind: dict[str, Any] = {
            "name": "products",
            "table": "products",
            "id": "sku",
            "changed": "changed",
        }
        kind |= {"title": "{name}", "body": "{name} ({sku})", "allow": ["everyone"]}
        return Sql(SqlConfig.model_validate({"url": f"sqlite:///{self.path}", "kinds": [kind]}))

    def make_unusable(self) -> Connector:
        config = {"name": "x", "table": "x", "id": "x", "body": "{x}"}
        url = f"sqlite:///{self.path}.missing"
        return Sql(SqlConfig.model_validate({"url": url, "kinds": [config]}))


def kinds_of(found: Listing) -> list[tuple[str, str]]:
    return [(type(event).__name__, event.id) for event in events(found)]


def test_a_row_as_a_document(erp: Erp) -> None:
    erp.run(
        "INSERT INTO orders VALUES (4711, 'pump P-101', 'bearing noise', NULL,"
        " ARRAY['maintenance', 'user:ana', 'everyone'], ARRAY['interns'], NULL, '2024-03-02')"
    )
    link = "https://erp.acme.example/orders/{id}?asset={asset}"
    (item,) = listed(erp.connector({**ORDERS, "link": link, "all_of": ["group:staff"]})).items
    assert item.id == "orders/4711.md"
    assert item.uri == "https://erp.acme.example/orders/4711?asset=pump%20P-101"
    assert item.title == "Work order 4711"
    assert item.media_type == "text/markdown"
    assert item.modified_at is not None
    assert item.modified_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert item.meta == {"date": "2024-03-02", "lang": "en", "industry": "manufacturing"}
    assert item.access == Access(
        allow=frozenset({"group:maintenance", "user:ana", "everyone"}),
        deny=frozenset({"group:interns"}),
        all_of=frozenset({"group:staff"}),
    )
    # The line of the empty column is left out.
    assert fetched(erp.connector(), item) == "# pump P-101\n\nFound: bearing noise"


def test_only_what_changed_is_listed(erp: Erp) -> None:
    fill(erp, 250)
    first = listed(erp.connector())
    assert isinstance(first.marks[-1], Complete)
    quiet = listed(erp.connector(), first.marks[-1].cursor)
    assert (events(quiet), len(quiet.marks) > 0) == ([], True)
    erp.run("UPDATE orders SET done = 'aligned', updated_at = now() WHERE id IN (7, 77)")
    erp.run("UPDATE orders SET removed_at = now(), updated_at = now() WHERE id = 100")
    erp.run("INSERT INTO orders (id, asset, updated_at) VALUES (900, 'new', now())")
    later = listed(erp.connector(), quiet.marks[-1].cursor)
    assert kinds_of(later) == [
        ("Item", "orders/7.md"),
        ("Item", "orders/77.md"),
        ("Gone", "orders/100.md"),
        ("Item", "orders/900.md"),
    ]
    assert not isinstance(later.marks[-1], Complete)
    assert events(listed(erp.connector(), later.marks[-1].cursor)) == []
    assert "orders/100.md" not in {item.id for item in listed(erp.connector()).items}


def test_an_access_change_keeps_the_version(erp: Erp) -> None:
    fill(erp, 3)
    first = listed(erp.connector())
    erp.run("UPDATE orders SET readers = '{}', updated_at = now() WHERE id = 2")
    (item,) = listed(erp.connector(), first.marks[-1].cursor).items
    assert item.access == Access()
    assert item.version == {i.id: i.version for i in first.items}[item.id]


def test_ties_and_late_commits_are_neither_lost_nor_listed_twice(erp: Erp) -> None:
    stamp = "timestamptz '2026-02-01 12:00:00+00'"
    insert = "INSERT INTO orders (id, asset, updated_at) VALUES "
    erp.run(f"{insert} (5, 'a', {stamp}), (6, 'b', {stamp})")
    cursor = listed(erp.connector()).marks[-1].cursor
    # Same time, smaller and larger ids; then one that was committed 30 s late.
    erp.run(f"{insert} (1, 'c', {stamp}), (9, 'd', {stamp})")
    found = listed(erp.connector(), cursor)
    assert kinds_of(found) == [("Item", "orders/1.md"), ("Item", "orders/9.md")]
    erp.run(f"{insert} (3, 'e', {stamp} - interval '30 s')")
    late = listed(erp.connector(), found.marks[-1].cursor)
    assert kinds_of(late) == [("Item", "orders/3.md")]
    assert events(listed(erp.connector(), late.marks[-1].cursor)) == []
    # The same row changed again within the same moment.
    erp.run("UPDATE orders SET asset = 'f' WHERE id = 9")
    assert kinds_of(listed(erp.connector(), late.marks[-1].cursor)) == [("Item", "orders/9.md")]


def test_a_change_column_of_numbers_and_one_in_the_future(erp: Erp) -> None:
    fill(erp, 3)
    by_number = {**ORDERS, "changed": "id"}
    cursor = listed(erp.connector(by_number, overlap=0)).marks[-1].cursor
    erp.run("INSERT INTO orders (id, asset) VALUES (4, 'next'), (5, 'and next')")
    found = listed(erp.connector(by_number, overlap=0), cursor)
    assert kinds_of(found) == [("Item", "orders/4.md"), ("Item", "orders/5.md")]
    erp.run("UPDATE orders SET updated_at = '2999-01-01' WHERE id = 1")
    cursor = listed(erp.connector()).marks[-1].cursor
    erp.run("UPDATE orders SET updated_at = now(), asset = 'x' WHERE id = 2")
    assert kinds_of(listed(erp.connector(), cursor)) == [("Item", "orders/2.md")]


def test_interrupted_between_marks_while_rows_change(erp: Erp) -> None:
    fill(erp, 330)
    first = listed(erp.connector())
    state = {item.id: item for item in first.items}
    erp.run("UPDATE orders SET asset = 'changed', updated_at = now() WHERE id <= 320")
    passes = [
        ({}, listed(erp.connector())),
        (state, listed(erp.connector(), first.marks[-1].cursor)),
    ]
    erp.run("UPDATE orders SET asset = 'again', updated_at = now() WHERE id IN (1, 150, 325)")
    erp.run("UPDATE orders SET removed_at = now(), updated_at = now() WHERE id = 200")
    truth = {item.id: item.version for item in listed(erp.connector()).items}
    for before, found in passes:
        assert len(found.marks) >= 4
        catalog: dict[str, Item] = dict(before)
        for page, mark in zip(found.pages, found.marks, strict=True):
            apply(catalog, page)
            reached, cursor = dict(catalog), mark.cursor
            for _ in range(2):
                rest = listed(erp.connector(), cursor)
                apply(reached, events(rest))
                cursor = rest.marks[-1].cursor
            assert {item.id: item.version for item in reached.values()} == truth


def apply(catalog: dict[str, Item], changes: list[Item | Gone | Failed]) -> None:
    for event in changes:
        if isinstance(event, Item):
            catalog[event.id] = event
        elif isinstance(event, Gone):
            catalog.pop(event.id, None)


def test_rows_that_vanish_are_found_by_a_full_listing(erp: Erp) -> None:
    fill(erp, 30)
    cursor = listed(erp.connector()).marks[-1].cursor
    erp.run("DELETE FROM orders WHERE id = 3")
    assert events(listed(erp.connector(), cursor)) == []
    assert isinstance(cursor, dict)
    old = {**cursor, "began": "2026-01-01T00:00:00+00:00"}
    with pytest.raises(CursorExpired, match="time to list all rows"):
        listed(erp.connector(), old)
    always = listed(erp.connector(relist_hours=0))
    assert always.marks[-1].cursor is None
    unchanging = listed(erp.connector({**ORDERS, "changed": ""}))
    assert unchanging.marks[-1].cursor is None
    assert len(unchanging.items) == 29


@pytest.mark.parametrize("cursor", ["x", 3, {}, [], {"kinds": {}}, {"began": "x", "kinds": 1}])
def test_a_foreign_cursor_is_expired(erp: Erp, cursor: JsonValue) -> None:
    with pytest.raises(CursorExpired):
        listed(erp.connector(), cursor)


def test_other_kinds_than_before_are_listed_afresh(erp: Erp) -> None:
    cursor = listed(erp.connector()).marks[-1].cursor
    with pytest.raises(CursorExpired):
        listed(erp.connector({**ORDERS, "name": "other"}), cursor)


def test_the_principals_of_a_column(erp: Erp) -> None:
    erp.run("ALTER TABLE orders ALTER readers TYPE text USING ''")
    values = {
        1: '["user:ana", "maintenance"]',
        2: "user:ana, maintenance; everyone",
        3: None,
        4: "",
        5: "[broken",
        6: "user: ,maintenance",
    }
    for id_, value in values.items():
        erp.run("INSERT INTO orders (id, asset, readers) VALUES (%s, 'x', %s)", id_, value)
    erp.run("INSERT INTO orders (id, asset, readers, denied) VALUES (7, 'x', 'a', ARRAY['\x01'])")
    found = listed(erp.connector())
    allowed = {item.id: sorted(item.access.allow) for item in found.items}
    assert allowed == {
        "orders/1.md": ["group:maintenance", "user:ana"],
        "orders/2.md": ["everyone", "group:maintenance", "user:ana"],
        "orders/3.md": [],
        "orders/4.md": [],
        "orders/5.md": [],
        "orders/6.md": ["group:maintenance"],
        "orders/7.md": [],
    }
    (failed,) = (event for event in events(found) if isinstance(event, Failed))
    assert failed.id == "orders (readers)"
    fixed = erp.connector({**ORDERS, "allow_column": "", "deny_column": "", "allow": ["user:eva"]})
    assert all(item.access.allow == {"user:eva"} for item in listed(fixed).items)


def test_groups(erp: Erp) -> None:
    async def groups(**config: Any) -> list[Group]:
        source = erp.connector(**config)
        try:
            return [group async for group in source.groups()]
        finally:
            await source.aclose()

    erp.run("INSERT INTO members VALUES ('hr', 'rui'), ('hr', 'group:it'), ('it', NULL)")
    assert asyncio.run(groups()) == []
    assert asyncio.run(groups(groups_query=MEMBERS)) == [
        Group(id="group:hr", members=frozenset({"user:rui", "group:it"})),
        Group(id="group:it", members=frozenset()),
    ]
    with pytest.raises(ConnectorError, match="two columns"):
        asyncio.run(groups(groups_query="SELECT team FROM members"))


def test_rows_that_can_not_be_documents_are_shown(erp: Erp) -> None:
    query = "SELECT * FROM (VALUES ('a', 'x'), (NULL, 'y'), ('b', 'z'), ('b', 'w')) v (k, t)"
    kind = {"name": "odd", "query": query, "id": "k", "body": "{t}"}
    found = listed(erp.connector(kind))
    assert [item.id for item in found.items] == ["odd/a.md", "odd/b.md"]
    failed = {event.id for event in events(found) if isinstance(event, Failed)}
    assert failed == {"odd (no id)", "odd (not unique)"}
    binary = {**kind, "query": r"SELECT 1 AS k, '\x00ff'::bytea AS t"}
    (shown,) = events(listed(erp.connector(binary)))
    assert isinstance(shown, Failed)
    assert (shown.id, shown.error) == (
        "odd/1.md",
        "A column holds binary data; leave it out of the templates.",
    )


def test_nothing_can_be_written(erp: Erp) -> None:
    fill(erp, 2)
    erp.run("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader")
    erp.run(
        "CREATE FUNCTION evil() RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN DELETE FROM orders; RETURN 'x'; END $$"
    )
    kind = {"name": "evil", "query": "SELECT 1 AS id, evil() AS text", "id": "id", "body": "{text}"}
    with pytest.raises(ConnectorError, match="read-only transaction"):
        listed(erp.connector(kind))
    two = {**kind, "query": "SELECT 1 AS id, '' AS text) x; DELETE FROM orders; SELECT (1"}
    with pytest.raises(ConnectorError):
        listed(erp.connector(two))
    assert len(listed(erp.connector()).items) == 2
    for statement in ("DELETE FROM orders", "COPY orders TO PROGRAM 'id'"):
        with pytest.raises(ValidationError, match="must be a SELECT"):
            erp.connector({**kind, "query": statement})


def test_slow_statements_are_cancelled(erp: Erp) -> None:
    slow = "SELECT 1 AS id, pg_sleep(30)::text AS text"
    kind = {"name": "slow", "query": slow, "id": "id", "body": "{text}"}
    with pytest.raises(ConnectorError, match=r"took longer than 0\.2 s and was cancelled"):
        listed(erp.connector(kind, timeout_s=0.2))


def test_a_long_reading_goes_on_in_new_transactions(
    erp: Erp, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(erp, 350)
    expected = [item.id for item in listed(erp.connector()).items]
    monkeypatch.setattr(sql_database, "OLDEST_S", 0.0)
    found = listed(erp.connector())
    assert [item.id for item in found.items] == expected
    erp.run("UPDATE orders SET updated_at = '2026-03-01', done = 'x'")
    later = listed(erp.connector(), found.marks[-1].cursor)
    assert [item.id for item in later.items] == expected


def test_fetching_what_was_just_listed_asks_nothing(
    erp: Erp, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(erp, 120)

    def asked(*_: object) -> None:
        raise AssertionError("A query was made for one row.")

    monkeypatch.setattr(sql_database.Database, "rows", asked)

    async def story() -> list[bytes]:
        source, page, bodies = erp.connector(), list[Item](), list[bytes]()
        async for event in source.changes(None):
            if isinstance(event, Item):
                page.append(event)
                continue
            for item in page:
                bodies.append(b"".join([piece async for piece in source.fetch(item)]))
            page.clear()
        await source.aclose()
        return bodies

    assert len(asyncio.run(story())) == 120


def test_tens_of_thousands_of_rows_in_bounded_memory(erp: Erp) -> None:
    query = (
        "SELECT n AS id, timestamptz '2026-01-01' + n * interval '1 s' AS changed,"
        " repeat('text ', 20) || n AS text FROM generate_series(1, 30000) n"
    )
    kind = {"name": "rows", "query": query, "id": "id", "changed": "changed", "body": "{text}"}

    async def story() -> int:
        source, n_items = erp.connector(kind), 0
        async for event in source.changes(None):
            n_items += isinstance(event, Item)
        await source.aclose()
        return n_items

    tracemalloc.start()
    try:
        assert asyncio.run(story()) == 30_000
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()


def refused(source: Sql) -> str:
    async def story() -> None:
        try:
            await source.check()
        finally:
            await source.aclose()

    with pytest.raises(ConnectorError) as caught:
        asyncio.run(story())
    assert READER_PASSWORD not in str(caught.value)
    return str(caught.value)


class TestRefusals:
    def test_of_the_account(self, erp: Erp) -> None:
        assert "refuses this user" in refused(erp.connector(password=SecretStr("wrong")))
        assert "refuses this user" in refused(erp.connector(password=SecretStr("")))

    def test_of_the_address(self, erp: Erp) -> None:
        away = f"postgresql://reader@127.0.0.1:{free_port()}/erp"
        assert "can't be opened" in refused(erp.connector(url=away))

    def test_of_a_silent_server(self, erp: Erp) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"postgresql://reader@127.0.0.1:{silent.getsockname()[1]}/erp"
            with pytest.raises(RetryLater):
                listed(erp.connector(url=url, timeout_s=2))

    def test_of_a_table(self, erp: Erp) -> None:
        erp.run("CREATE TABLE secret (id int, text text)")
        kind = {"name": "secret", "table": "secret", "id": "id", "body": "{text}"}
        assert "grant SELECT" in refused(erp.connector(kind))
        assert '"nope" does not exist' in refused(erp.connector({**kind, "table": "nope"}))
        said = refused(erp.connector({**ORDERS, "body": "{nope}"}))
        assert "nope does not exist; check the table, query and columns." in said

    def test_of_columns(self, erp: Erp) -> None:
        fill(erp, 1)
        assert "id column readers" in refused(erp.connector({**ORDERS, "id": "readers"}))
        said = refused(erp.connector({**ORDERS, "changed": "readers"}))
        assert "id or change column holds list" in said

    def test_of_a_server_with_no_room(self, erp: Erp) -> None:
        erp.run("ALTER ROLE reader CONNECTION LIMIT 0")
        try:
            with pytest.raises(RetryLater):
                listed(erp.connector())
        finally:
            erp.run("ALTER ROLE reader CONNECTION LIMIT -1")


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"url": f"postgresql://r:{'hunter2'}@h/d"}, "a field of its own"),
        ({"url": "postgresql://r@h/d?sslpassword=hunter2"}, "no option 'sslpassword'"),
        ({"url": "mysql://r@h/d"}, "only postgresql:// and sqlite://"),
        ({"url": "postgresql+asyncpg://r@h/d"}, "only postgresql:// and sqlite://"),
        ({"url": "hunter2"}, "write postgresql://"),
        ({"url": "sqlite://"}, "names no database"),
        ({"kinds": []}, "at least 1"),
        ({"kinds": [ORDERS, ORDERS]}, "the same name"),
        ({"kinds": [{**ORDERS, "query": "SELECT 1"}]}, "either a table or a query"),
        ({"kinds": [{**ORDERS, "body": "{id!r}"}]}, "without a format"),
        ({"kinds": [{**ORDERS, "body": "{id:>20}"}]}, "without a format"),
        ({"kinds": [{**ORDERS, "body": "{}"}]}, "without a format"),
        ({"kinds": [{**ORDERS, "body": "{id"}]}, "for a brace"),
        ({"kinds": [{**ORDERS, "allow": ["ana"]}]}, "neither user:LOGIN"),
    ],
)
def test_a_wrong_configuration_is_explained(config: dict[str, Any], why: str) -> None:
    good = {"url": "postgresql://r@h/d", "kinds": [ORDERS]}
    with pytest.raises(ValidationError, match=why) as caught:
        SqlConfig.model_validate({**good, **config})
    assert "hunter2" not in str(caught.value)


def test_secrets_stay_secret(erp: Erp) -> None:
    source = erp.connector()
    assert READER_PASSWORD not in f"{source._config!r} {source._config.model_dump_json()}"
    assert READER_PASSWORD not in repr(source._database()._engine)


class TestSqliteFiles:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "products.db"
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.execute("CREATE TABLE products (sku TEXT, name TEXT, changed TEXT)")
            conn.execute("INSERT INTO products VALUES ('1', 'one', '2026-01-01')")
        return path

    def source(self, path: Path, **config: Any) -> Sql:
        kind = {"name": "p", "table": "products", "id": "sku", "changed": "changed"}
        kind |= {"body": "{name}", "media_type": "text/html", **config.pop("kind", {})}
        return Sql(
            SqlConfig.model_validate({"url": f"sqlite:///{path}", "kinds": [kind], **config})
        )

    def run(self, path: Path, statement: str) -> None:
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.execute(statement)

    def test_changes_are_followed(self, path: Path) -> None:
        cursor = listed(self.source(path)).marks[-1].cursor
        self.run(path, "INSERT INTO products VALUES ('0', '<b>zero</b>', '2026-01-01')")
        self.run(path, "UPDATE products SET name = 'uno', changed = '2026-01-02' WHERE sku = '1'")
        found = listed(self.source(path), cursor)
        assert kinds_of(found) == [("Item", "p/0.html"), ("Item", "p/1.html")]
        assert fetched(self.source(path), found.items[0]) == "&lt;b&gt;zero&lt;/b&gt;"
        assert events(listed(self.source(path), found.marks[-1].cursor)) == []

    def test_nothing_is_written(self, path: Path) -> None:
        before = path.read_bytes()
        listed(self.source(path))
        assert path.read_bytes() == before
        assert [one.name for one in path.parent.iterdir()] == ["products.db"]

    def test_slow_statements_are_cancelled(self, path: Path) -> None:
        endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT * FROM n"
        kind = {
            "table": "",
            "query": f"SELECT max(x) AS sku, '' AS name, 1 AS changed FROM ({endless})",
        }
        with pytest.raises(ConnectorError, match=r"longer than 0\.2 s"):
            listed(self.source(path, kind=kind, timeout_s=0.2))

    def test_a_writer_is_waited_for(self, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("BEGIN EXCLUSIVE")
            with pytest.raises(RetryLater):
                listed(self.source(path, timeout_s=0.2))
            conn.execute("COMMIT")

    def test_what_is_no_database(self, path: Path) -> None:
        path.write_bytes(b"text " * 100)
        assert "file is not a database" in refused(self.source(path))
