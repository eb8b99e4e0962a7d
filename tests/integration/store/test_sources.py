from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa

from assistant.errors import Conflict, InvalidRequest, NotFound
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.runs import Work
from assistant.store.sources import Source


@pytest.fixture
def source(database: Database) -> Source:
    with database.begin() as conn:
        return sources.put_source(conn, "bank", "files", {"path": "a"}, title="Bank")


def test_a_changed_config_lists_from_nothing(database: Database, source: Source) -> None:
    with database.begin() as conn:
        lease = sources.acquire_lease(conn, source.id, 60)
        sources.save_progress(conn, lease, {"at": 7}, whole=True, run_no=3)
        same = sources.put_source(conn, "bank", "files", {"path": "a"}, title="The bank")
        assert (same.id, same.cursor, same.whole, same.run_no) == (source.id, {"at": 7}, True, 3)
        assert same.title == "The bank"
        assert sources.put_source(conn, "bank", "files", {"path": "b"}).cursor is None
        assert [one.name for one in sources.list_sources(conn)] == ["bank"]


@pytest.mark.parametrize("name", ["", "Bank", "a:b", "a b", "-a", "x" * 65])
def test_names_that_could_confuse_group_names_are_refused(database: Database, name: str) -> None:
    with pytest.raises(InvalidRequest), database.begin() as conn:
        sources.put_source(conn, name, "files", {})


def test_there_is_no_source_of_another_name(database: Database) -> None:
    with pytest.raises(NotFound, match="'shop'"), database.begin() as conn:
        sources.source_named(conn, "shop")


def test_a_lease_has_one_holder(database: Database, source: Source) -> None:
    with database.begin() as conn:
        lease = sources.acquire_lease(conn, source.id, 60)
    with pytest.raises(Conflict, match="Another run"), database.begin() as conn:
        sources.acquire_lease(conn, source.id, 60)
    with database.begin() as conn:
        sources.renew_lease(conn, lease, 60)
        sources.release_lease(conn, lease)
        assert sources.acquire_lease(conn, source.id, 60).token == lease.token + 1


def test_a_holder_past_its_lease_is_fenced_off(database: Database, source: Source) -> None:
    with database.begin() as conn:
        paused = sources.acquire_lease(conn, source.id, -1)
        run_id = runs.start_run(conn, paused)
    with database.begin() as conn:
        sources.check_lease(conn, paused)
    with database.begin() as conn:
        newer = sources.acquire_lease(conn, source.id, 60)
        assert runs.list_runs(conn, source.id)[0].state == "stopped"
    with pytest.raises(Conflict, match="taken over"), database.begin() as conn:
        sources.save_progress(conn, paused, "stale", whole=True, run_no=1)
    with pytest.raises(Conflict, match="taken over"), database.begin() as conn:
        sources.renew_lease(conn, paused, 60)
    with database.begin() as conn:
        sources.release_lease(conn, paused)
        assert not runs.finish_run(conn, paused, run_id, "done", Work())
        sources.check_lease(conn, newer)
        assert runs.list_runs(conn, source.id)[0].state == "stopped"
        assert sources.source_named(conn, "bank").cursor is None


def test_a_checked_lease_cannot_be_taken_before_the_commit(
    database: Database, source: Source
) -> None:
    with database.begin() as conn:
        lease = sources.acquire_lease(conn, source.id, -1)
    with database.begin() as writing:
        sources.check_lease(writing, lease)
        with pytest.raises(Conflict), database.begin() as conn:
            _take_impatiently(conn, source)
    with database.begin() as conn:
        sources.acquire_lease(conn, source.id, 60)


def test_the_lease_of_an_ended_process_is_free(database: Database, source: Source) -> None:
    program = (
        "import sys, os, signal\n"
        "from assistant.settings import load\n"
        "from assistant.store.database import open_database\n"
        "from assistant.store.sources import acquire_lease\n"
        "db = open_database(load(database={'url': sys.argv[1]}))\n"
        "with db.begin() as conn:\n"
        "    acquire_lease(conn, int(sys.argv[2]), 3600)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    url = database.engine.url.render_as_string(hide_password=False)
    holder = subprocess.Popen(
        [sys.executable, "-c", program, url, str(source.id)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Conflict), database.begin() as conn:
            sources.acquire_lease(conn, source.id, 60)
        holder.kill()
    with database.begin() as conn:
        assert sources.acquire_lease(conn, source.id, 60).token == 2


def took(seconds: float) -> dict[str, float]:
    return {"n": 1, "bytes": 10, "seconds": seconds}


def test_a_run_keeps_its_counts(database: Database, source: Source) -> None:
    with database.begin() as conn:
        lease = sources.acquire_lease(conn, source.id, 60)
        run_id = runs.start_run(conn, lease)
        runs.update_run(conn, lease, run_id, Work({"new": 1}, {"read": took(0.5)}))
        assert runs.list_runs(conn)[0].state == "running"
        work = Work({"new": 2}, {"read": took(0.75)})
        assert runs.finish_run(conn, lease, run_id, "failed", work, "It broke.")
        sources.mark_synced(conn, lease)
    with database.begin() as conn:
        (run,) = runs.list_runs(conn, source.id)
        assert (run.state, run.counts, run.seconds) == ("failed", {"new": 2}, {"read": 0.75})
        assert run.error == "It broke."
        assert run.finished_at is not None
        assert sources.source_named(conn, "bank").synced_at is not None


def test_failures_are_retried_later_each_time(database: Database, source: Source) -> None:
    waits = []
    for _ in range(4):
        with database.begin() as conn:
            runs.record_failure(conn, source.id, "bad.pdf", "corrupt", "It is cut off.")
            (failure,) = runs.list_failures(conn, source.id)
            assert failure.next_try_at is not None
            waits.append((failure.next_try_at - failure.last_at).total_seconds())
    assert waits == [300, 600, 1200, 2400]
    with database.begin() as conn:
        assert failure.attempts == 4
        assert runs.list_failures(conn, source.id, due=True) == []
        assert sources.source_stats(conn)[source.id].n_failures == 1
        runs.clear_failures(conn, source.id, ["bad.pdf", "other"])
        assert runs.list_failures(conn) == []


def test_secrets_stay_with_their_connector(database: Database, source: Source) -> None:
    with database.begin() as conn:
        put = sources.put_source
        assert put(conn, "bank", "sql", {}, secrets={"key": "sealed"}).secrets == {"key": "sealed"}
        assert put(conn, "bank", "sql", {"a": 1}).secrets == {"key": "sealed"}
        assert put(conn, "bank", "sql", {}, secrets={}).secrets == {}
        put(conn, "bank", "sql", {}, secrets={"key": "sealed"})
        assert put(conn, "bank", "files", {}).secrets == {}


def test_a_source_is_removed_when_it_is_empty(database: Database, source: Source) -> None:
    with database.begin() as conn:
        lease = sources.acquire_lease(conn, source.id, 60)
        sources.remove_source(conn, lease)
        assert sources.list_sources(conn) == []


def _take_impatiently(conn: sa.Connection, source: Source) -> None:
    conn.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
    sources.acquire_lease(conn, source.id, 60)
