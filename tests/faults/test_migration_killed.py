"""A migration killed at any of its steps leaves the old tables; the next start finishes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.errors import DatabaseUnavailable
from assistant.store import migrations
from assistant.store.database import Database
from tests.support.place import Place

OLD = "0004"
"""What most of the migrations come after, with the tables that matter most."""

FILLED = (
    "INSERT INTO sources (name, connector, title) VALUES ('docs', 'files', 'The documents')",
    "INSERT INTO people (id, issuer, subject, login, name, roles)"
    " VALUES ('p1', 'local', 'ana', 'ana', 'Ana', '{employee}')",
)
KEPT = (
    "SELECT name, connector, title FROM sources",
    "SELECT id, login, name, roles FROM people",
)

# Forks for each try: everything is imported once. It answers with the exit code of each.
MIGRATOR = """
import os, signal, sys
from pathlib import Path
import alembic.command, alembic.config, alembic.script
import sqlalchemy as sa
from assistant.settings import load
from assistant.store.database import open_database

def migrate(dies_at):
    database = open_database(load(database={"url": sys.argv[1]}, data_dir=Path(sys.argv[2])))
    left = dies_at

    def count(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(database.engine, "before_cursor_execute", count)
    sa.event.listen(database.engine, "commit", count)
    database.migrate()
    database.close()

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        migrate(int(line))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""

SOONEST, STRIDE = 12, 7
"""Every one of the first statements, then each seventh: the rest differ only in what they make."""


def rows(database: Database) -> list[list[tuple[object, ...]]]:
    with database.engine.connect() as conn:
        return [[tuple(row) for row in conn.execute(sa.text(query))] for query in KEPT]


def test_a_migration_killed_at_any_step_is_finished_by_the_next_start(
    empty: Callable[[], Place],
) -> None:
    place = empty()
    database = place.database
    database.migrate(OLD)
    with database.engine.begin() as conn:
        for statement in FILLED:
            conn.execute(sa.text(statement))
    before = rows(database)
    url = database.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", MIGRATOR, url, str(place.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as migrator:
        assert migrator.stdin
        assert migrator.stdout
        n_deaths, dies_at, ended = 0, 1, -signal.SIGKILL
        while True:
            print(dies_at, file=migrator.stdin, flush=True)
            ended = int(migrator.stdout.readline())
            if ended != -signal.SIGKILL:
                break
            n_deaths += 1
            assert database.revision() == OLD
            assert rows(database) == before
            with pytest.raises(DatabaseUnavailable, match="does not have the tables"):
                database.check()
            dies_at += 1 if dies_at < SOONEST else STRIDE
        migrator.stdin.close()
    assert ended == 0
    assert n_deaths > 20
    assert database.revision() == migrations.HEAD
    assert rows(database) == before
    database.check()


def test_a_first_start_killed_in_its_migration_is_made_up_for(
    empty: Callable[[], Place], tmp_path: Path
) -> None:
    place = empty()
    url = place.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "assistant.cli.main", "user", "list", "--data", str(tmp_path)]
    environment = {**os.environ, "ASSISTANT_DATABASE__URL": url}
    done = subprocess.run(
        [sys.executable, "-c", MIGRATOR, url, str(tmp_path)],
        input="40\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == -signal.SIGKILL
    assert place.database.revision() is None
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    place.database.check()
