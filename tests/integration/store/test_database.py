from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import rfc8785
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from assistant.audit.event import SYSTEM, Event, QueryAccepted
from assistant.audit.log import AuditLog
from assistant.errors import (
    Conflict,
    DatabaseUnavailable,
    DiskFull,
    InvalidRequest,
    NotFound,
    SettingsError,
)
from assistant.settings import DatabaseSettings, Settings
from assistant.store import (
    curation_tables,
    identity_tables,
    lifecycle_tables,
    migrations,
    policies,
    subtrees,
)
from assistant.store.database import Database, open_database
from assistant.store.embedded import EmbeddedServer
from assistant.store.tables import metadata

TABLES = (curation_tables, identity_tables, lifecycle_tables, policies, subtrees)
"""Imported for their tables, which are part of the metadata."""

INSERT = sa.text("INSERT INTO sources (name, connector) VALUES ('x', 'files')")
SERVER_SAYS = sa.text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$")


def settings_for(url: str | None, data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, database=DatabaseSettings.model_validate({"url": url}))


def test_the_migrations_make_the_tables_of_the_program(database: Database) -> None:
    with database.engine.connect() as conn:
        context = MigrationContext.configure(
            conn, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_the_program_works_with_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_heads() == [migrations.HEAD]


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("INSERT INTO sources (name, connector) VALUES ('kept', 'files')"))
    database.migrate()
    database.check()
    with database.begin() as conn:
        assert conn.scalar(sa.text("SELECT name FROM sources")) == "kept"


def test_two_processes_migrate_at_once(empty_url: str, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from assistant.settings import load\n"
        "from assistant.store.database import open_database\n"
        "db = open_database(load(database={'url': sys.argv[1]}, data_dir=Path(sys.argv[2])))\n"
        "sys.stdin.read()\n"
        "db.migrate(); db.check(); db.close()\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, empty_url, str(tmp_path)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdin
        process.stdin.close()
        process.stdin = None
    assert [(p.communicate()[1], p.returncode) for p in both] == [("", 0), ("", 0)]


def test_an_interrupted_migration_leaves_nothing(empty_url: str, tmp_path: Path) -> None:
    opened = open_database(settings_for(empty_url, tmp_path))
    with opened.engine.begin() as conn:
        # One of the later tables is in the way, so the migration fails after many statements.
        conn.execute(sa.text("CREATE TABLE tree_heads (size bigint)"))
    with pytest.raises(sa.exc.ProgrammingError, match="already exists"):
        opened.migrate()
    with opened.engine.begin() as conn:
        assert sa.inspect(conn).get_table_names() == ["tree_heads"]
        conn.execute(sa.text("DROP TABLE tree_heads"))
    with pytest.raises(DatabaseUnavailable, match="does not have the tables"):
        opened.check()
    opened.migrate()
    opened.check()
    opened.close()


def test_earlier_requests_are_found_in_the_log_by_their_ids(empty_url: str, tmp_path: Path) -> None:
    opened = open_database(settings_for(empty_url, tmp_path))
    opened.migrate("0015")
    event = rfc8785.dumps({"type": "access.break_glass_used", "data": {"request_id": "r1"}})
    row = {"seq": 0, "type": "access.break_glass_used", "subjects": ["d1"]}
    with opened.engine.begin() as conn:
        conn.execute(sa.text("INSERT INTO audit_events VALUES (0, '', :body)"), {"body": event})
        conn.execute(
            sa.text(
                "INSERT INTO audit_terms (seq, at, type, subjects) "
                "VALUES (:seq, now(), :type, :subjects)"
            ),
            row,
        )
    opened.migrate()
    with opened.engine.connect() as conn:
        assert conn.scalar(sa.text("SELECT subjects FROM audit_terms")) == ["d1", "r1"]
    opened.close()


def test_an_earlier_log_is_proven_as_one_that_began_now(empty_url: str, tmp_path: Path) -> None:
    opened = open_database(settings_for(empty_url, tmp_path))
    opened.migrate()
    log = AuditLog(opened, tmp_path)
    for number in range(37):
        log.record(Event(SYSTEM, QueryAccepted(f"q{number}", "what?")))
    stored = sa.text("SELECT seq, roots FROM audit_subtrees ORDER BY seq")
    with opened.engine.begin() as conn:
        before = conn.execute(stored).all()
        conn.execute(sa.text("DROP TABLE audit_subtrees"))
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '0018'"))
    opened.migrate()
    with opened.engine.connect() as conn:
        assert conn.execute(stored).all() == before
    assert [seq for seq, _ in before] == [seq for seq in range(37) if seq % 2]
    opened.close()


def test_a_newer_database_is_refused(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="newer version"):
        database.migrate()


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(NotFound), database.begin() as conn:
        _insert_then_fail(conn)
    with database.begin() as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM sources")) == 0


def test_a_snapshot_sees_one_moment_and_writes_nothing(database: Database) -> None:
    count = sa.text("SELECT count(*) FROM sources")
    with database.snapshot() as frozen:
        assert frozen.scalar(count) == 0
        with database.begin() as conn:
            conn.execute(INSERT)
        assert frozen.scalar(count) == 0
    with (
        pytest.raises(sa.exc.DBAPIError, match="read-only"),
        database.snapshot() as frozen,
    ):
        frozen.execute(sa.text("DELETE FROM sources"))


def test_an_unreachable_server_is_said_to_be_so(tmp_path: Path) -> None:
    opened = open_database(settings_for("postgresql://nobody@127.0.0.1:1/x", tmp_path))
    with pytest.raises(DatabaseUnavailable, match=r"database\.url"):
        opened.migrate()
    with pytest.raises(DatabaseUnavailable), opened.begin():
        pass
    opened.close()


@pytest.mark.parametrize("url", ["mysql://x@y/z", "not a url", "postgresql://h:port/x"])
def test_a_wrong_url_is_a_wrong_setting(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"database\.url"):
        open_database(settings_for(url, tmp_path))


def test_a_lost_connection_fails_once_and_comes_back(database: Database) -> None:
    end = sa.text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DatabaseUnavailable), database.begin() as conn:
        conn.execute(end)
    with database.begin() as conn:
        assert conn.scalar(sa.text("SELECT 1")) == 1


def test_a_full_disk_has_its_own_error(database: Database) -> None:
    with pytest.raises(DiskFull), database.begin() as conn:
        conn.execute(SERVER_SAYS)


def test_what_cannot_be_stored_is_a_wrong_request(database: Database) -> None:
    with pytest.raises(InvalidRequest), database.begin() as conn:
        conn.execute(sa.text("SELECT CAST(:text AS text)"), {"text": "a\x00b"})


def test_a_lock_that_never_comes_free_is_a_conflict(database: Database) -> None:
    lock = sa.text("LOCK TABLE sources IN ACCESS EXCLUSIVE MODE")
    brief = sa.text("SET LOCAL lock_timeout = '50ms'")
    with database.begin() as first:
        first.execute(lock)
        with pytest.raises(Conflict), database.begin() as second:
            (second.execute(brief), second.execute(lock))


def test_the_embedded_database_is_created_and_kept(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("data with spaces é") / "data"
    for n_before in (0, 1):
        with closing(open_database(settings_for(None, folder))) as opened:
            opened.migrate()
            with opened.begin() as conn:
                assert conn.scalar(sa.text("SELECT count(*) FROM sources")) == n_before
                assert conn.scalar(sa.text("SHOW fsync")) == "on"
                assert conn.scalar(sa.text("SHOW listen_addresses")) == ""
                conn.execute(sa.text("DELETE FROM sources"))
                conn.execute(INSERT)
    assert not (folder / "postgres" / "postmaster.pid").exists()


def test_a_data_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="set data_dir"):
        EmbeddedServer(tmp_path / "file" / "data")


def test_no_space_for_the_data_folder_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(DiskFull):
        EmbeddedServer(tmp_path / "data")


def test_another_major_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 16"):
        EmbeddedServer(tmp_path)


def _insert_then_fail(conn: sa.Connection) -> None:
    conn.execute(INSERT)
    raise NotFound


@pytest.fixture
def empty_url(postgres: EmbeddedServer) -> Iterator[str]:
    engine = sa.create_engine(
        postgres.url("postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as conn:
        conn.execute(sa.text("DROP DATABASE IF EXISTS empty WITH (FORCE)"))
        conn.execute(sa.text("CREATE DATABASE empty"))
    yield postgres.url("empty")
    with engine.connect() as conn:
        conn.execute(sa.text("DROP DATABASE empty WITH (FORCE)"))
