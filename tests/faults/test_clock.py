"""A machine whose clock is an hour wrong: leases, sessions, old access data and the log hold."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Self

import httpx
import pytest
import sqlalchemy as sa

from assistant.api.app import create_app
from assistant.audit import event as audit_event
from assistant.audit import log as audit_log
from assistant.errors import Conflict
from assistant.lifecycle import backup, erasure, retention
from assistant.settings import ServeSettings, Settings
from assistant.store import people, sources, subject_keys
from assistant.store.database import Database
from tests.support.company import Company, assembled, events_of, served, signed_in
from tests.support.scripted import ScriptedGenerator

HOUR_S = 3600.0
READERS: tuple[ModuleType, ...] = (
    audit_event,
    audit_log,
    backup,
    erasure,
    retention,
    subject_keys,
)
"""Who looks at the machine's clock; `test_house.py` sees that there is nobody else."""


@pytest.fixture(params=[-HOUR_S, HOUR_S], ids=["an hour slow", "an hour fast"])
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Put this process's clock, but not the database's, forward or back."""
    off_s: float = request.param
    right = time.time

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(right() + off_s, tz)

    monkeypatch.setattr(time, "time", lambda: right() + off_s)
    for module in READERS:
        monkeypatch.setattr(module, "datetime", Wrong)
    return off_s


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.person("ana", password="correct horse battery")
    company.document("canteen", "The canteen opens at noon.")
    return company


Make = Callable[[float], httpx.Client]


@pytest.fixture
def client(company: Company, tmp_path: Path) -> Iterator[Make]:
    """Serves the company with an age that access data may have; returns somebody's client."""
    with ExitStack() as stack:

        def make(acl_max_age_s: float) -> httpx.Client:
            settings = Settings.model_validate(
                {"data_dir": tmp_path, "sync": {"acl_max_age_s": acl_max_age_s}}
            )
            assistant = assembled(settings, company.database, ScriptedGenerator())
            assistant.retriever._acl_max_age_s = acl_max_age_s
            url = stack.enter_context(served(create_app(assistant)))
            return stack.enter_context(closing(signed_in(url, company.database, "ana")))

        yield make


def confirmed(database: Database, minutes: float) -> None:
    """Let the source have confirmed its access so long ago."""
    with database.begin() as conn:
        ago = sources.clock(conn) - timedelta(minutes=minutes)
        conn.execute(sa.text("UPDATE sources SET synced_at = :ago, access_at = :ago"), {"ago": ago})


def test_old_access_data_are_old_and_new_ones_new(
    wrong_clock: float, company: Company, client: Make
) -> None:
    ana = client(1800)
    for minutes, is_seen in ((31, False), (29, True), (45, False), (1, True)):
        confirmed(company.database, minutes)
        answer = ana.post("/v1/answers", json={"question": "When does the canteen open?"})
        assert bool(answer.json()["citations"]) == is_seen, (wrong_clock, minutes)


def test_sessions_end_when_they_should(wrong_clock: float, company: Company, client: Make) -> None:
    del wrong_clock
    ana = client(0)
    body = {"login": "ana", "password": "correct horse battery"}
    begun = ana.post("/v1/sessions", json=body).json()
    with company.database.begin() as conn:
        lasts_s = (datetime.fromisoformat(begun["expires_at"]) - sources.clock(conn)).seconds
        person = people.person_with_login(conn, "ana")
        short = people.start_session(conn, person.id, 0.0)
        long = people.start_session(conn, person.id, 60.0)
    assert abs(lasts_s - ServeSettings.model_fields["session_s"].default) < 60
    for token, status in ((short, 401), (long, 200), (begun["token"], 200)):
        headers = {"Authorization": f"Bearer {token}"}
        assert ana.get("/v1/me", headers=headers).status_code == status


def test_the_log_s_order_is_its_numbers_and_it_is_sealed(
    wrong_clock: float,
    company: Company,
    client: Make,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del company
    log = audit_log.AuditLog(database, tmp_path)
    log.record(audit_event.Event(audit_event.SYSTEM, audit_event.QueryAccepted("first", "?")))
    with monkeypatch.context() as another_machine:
        another_machine.setattr(audit_log, "datetime", datetime)
        log.seal()
    ana = client(0)
    for _ in range(2):
        assert ana.post("/v1/answers", json={"question": "When does it open?"}).status_code == 200
    told = events_of(database)
    assert [event["seq"] for event in told] == list(range(len(told)))
    at = [datetime.fromisoformat(event["at"]) for event in told]
    with database.begin() as conn:
        off_s = (at[-1] - sources.clock(conn)).total_seconds()
    assert abs(off_s - wrong_clock) < 60, "the time is what the machine took it for"
    assert log.seal_if_due() is not None, "the newest head looks old, or of the future"
    found = log.verify()
    assert (found.ok, found.n_sealed) == (True, len(told))


STEPPED = """
import subprocess, sys
from pathlib import Path
import psutil
from assistant.errors import Conflict
from assistant.settings import load
from assistant.store import sources
from assistant.store.database import open_database

url, data, source_id = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
database = open_database(load(database={"url": url}, data_dir=data))
booted = int(psutil.boot_time())
real = Path("/proc/stat").read_text()
for off_s in (-3600, -1, 1, 3600):
    # What the kernel shows after somebody has set the clock.
    (data / f"stat{off_s}").write_text(real.replace(f"btime {booted}", f"btime {booted + off_s}"))
    subprocess.run(["mount", "--bind", str(data / f"stat{off_s}"), "/proc/stat"], check=True)
    assert int(psutil.boot_time()) == booted + off_s
    try:
        with database.begin() as conn:
            sources.acquire_lease(conn, source_id, 60)
        print(off_s, "taken")
    except Conflict:
        print(off_s, "held")
"""


def test_a_clock_that_is_set_takes_no_lease_from_a_living_process(
    database: Database, tmp_path: Path
) -> None:
    with database.begin() as conn:
        source = sources.put_source(conn, "docs", "files", {})
        sources.acquire_lease(conn, source.id, 900)
    url = database.engine.url.render_as_string(hide_password=False)
    program = [sys.executable, "-c", STEPPED, url, str(tmp_path), str(source.id)]
    done = subprocess.run(
        ["unshare", "--mount", *program], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr:
        pytest.skip(f"not run: no /proc of its own here ({done.stderr.strip()})")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        word for off_s in (-3600, -1, 1, 3600) for word in (str(off_s), "held")
    ]
    with pytest.raises(Conflict), database.begin() as conn:
        sources.acquire_lease(conn, source.id, 60)


def test_a_lease_runs_out_by_the_clock_of_the_database_alone(
    wrong_clock: float, database: Database
) -> None:
    del wrong_clock
    with database.begin() as conn:
        source = sources.put_source(conn, "docs", "files", {})
        lease = sources.acquire_lease(conn, source.id, 900)
    with pytest.raises(Conflict), database.begin() as conn:
        sources.acquire_lease(conn, source.id, 60)
    with database.begin() as conn:
        sources.renew_lease(conn, lease, -1)
        assert sources.acquire_lease(conn, source.id, 60).token == lease.token + 1
