"""Sources on real servers that a test fills, changes and syncs: a folder, PostgreSQL, WebDAV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support.dav import PASSWORD, USER, apache
from tests.support.postgres import READER_PASSWORD, served


@dataclass(frozen=True, slots=True)
class World:
    """A source that `begin` fills; then `change` adds, changes, renames, deletes and revokes."""

    connector: str
    config: dict[str, Any]
    begin: Callable[[], None]
    change: Callable[[], None]


def _write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def _begin(root: Path) -> None:
    notes: dict[str, str | bytes] = {
        f"{'hr' if n % 4 else 'it'}/note-{n:02}.md": f"# Note {n}\n\nLine {n} costs R$ {n * 111}.\n"
        for n in range(24)
    }
    access: dict[str, str | bytes] = {
        ".groups.toml": '[groups]\nhr = ["user:ana", "user:bob"]\n',
        "hr/.access.toml": 'allow = ["group:hr"]\n',
        "it/.access.toml": 'allow = ["user:ana"]\ndeny = ["user:bob"]\n',
        "hr/broken.bin": bytes(range(256)) * 8,
    }
    _write(root, notes | access)


def _change(root: Path) -> None:
    _write(
        root,
        {
            ".groups.toml": '[groups]\nhr = ["user:ana"]\nit = ["user:eva"]\n',
            "it/.access.toml": 'allow = ["group:it"]\n',
            "hr/note-01.md": "# Note 1\n\nLine 1 costs nothing any more.\n",
            "hr/note-02.md": b"%PDF-1.7 cut off",
            "hr/new.md": "# New\n\nA new line.\n",
            "hr/copy.md": (root / "hr/note-05.md").read_text(),
            "hr/broken.bin": "Mended: it was a text.",
        },
    )
    (root / "hr/note-03.md").unlink()
    (root / "it/note-04.md").unlink()
    (root / "hr/note-06.md").rename(root / "hr/note-06-renamed.md")


@contextmanager
def folder(root: Path) -> Iterator[World]:
    """A folder on this machine."""
    yield World("files", {"path": str(root)}, lambda: _begin(root), lambda: _change(root))


@contextmanager
def webdav() -> Iterator[World]:
    """A folder that Apache serves."""
    with apache() as server:
        config = {
            "url": server.url,
            "username": USER,
            "password": PASSWORD,
            "permissions": "access_files",
        }
        yield World("webdav", config, lambda: _begin(server.root), lambda: _change(server.root))


_TABLES = """
CREATE TABLE orders (
    id integer PRIMARY KEY,
    found text,
    readers text[],
    removed boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00'
);
CREATE TABLE members (team text, login text);
GRANT SELECT ON orders, members TO reader;
INSERT INTO orders (id, found, readers) SELECT n, 'Pump ' || n || ' leaks', '{group:plant}'
FROM generate_series(1, 12) AS n;
INSERT INTO members VALUES ('group:plant', 'user:ana'), ('group:plant', 'user:bob');
"""
_CHANGES = """
UPDATE orders SET found = 'Pump 2 is dry', updated_at = '2026-02-01 00:00:00+00' WHERE id = 2;
UPDATE orders SET readers = '{user:eva}', updated_at = '2026-02-02 00:00:00+00' WHERE id = 3;
UPDATE orders SET readers = NULL, updated_at = '2026-02-02 00:00:00+00' WHERE id = 4;
UPDATE orders SET removed = true, updated_at = '2026-02-03 00:00:00+00' WHERE id IN (5, 6);
INSERT INTO orders VALUES
    (20, 'Valve 20 sticks', '{group:plant}', false, '2026-02-04 00:00:00+00'),
    (21, 'Valve 20 sticks', '{user:ana}', false, '2026-02-05 00:00:00+00'),
    (22, '', '{user:ana}', false, '2026-02-05 00:00:00+00');
DELETE FROM members WHERE login = 'user:bob';
"""


@contextmanager
def database() -> Iterator[World]:
    """A table of a PostgreSQL with passwords, with a change column and deletion marks."""
    with served() as server, server.database(f"erp_{uuid4().hex}") as name:

        def run(statements: str) -> None:
            with server.as_owner(name) as conn:
                conn.execute(statements.encode())

        orders = {
            "name": "orders",
            "table": "orders",
            "id": "id",
            "changed": "updated_at",
            "deleted": "removed",
            "title": "Work order",
            "body": "{found}",
            "allow_column": "readers",
        }
        config = {
            "url": server.url(name),
            "password": READER_PASSWORD,
            "kinds": [orders],
            "groups_query": "SELECT team, login FROM members",
        }
        yield World("sql", config, lambda: run(_TABLES), lambda: run(_CHANGES))
