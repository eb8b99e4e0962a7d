"""Workers as processes: `assistant worker`, and the one inside `assistant serve`."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from assistant.store import sources
from assistant.store.database import Database
from tests.support.company import Company, signed_in
from tests.support.site import PATIENCE_S, STOP_S, Site, address_of, site_in, until


@pytest.fixture
def site(tmp_path: Path, database: Database, model_data_dir: Path) -> Site:
    return site_in(tmp_path, database, model_data_dir)


def test_a_worker_does_what_waits_and_a_stopped_one_gives_it_back(site: Site) -> None:
    n = 60
    run_id = site.source(n=n, pause_s=0.5)
    with site.process("worker") as first:
        until(lambda: len(site.fetched()) >= 3)
        first.send_signal(signal.SIGTERM)
        assert first.wait(STOP_S) == 0
    given_back = site.run(run_id)
    assert (given_back.state, given_back.n_lost) == ("queued", 0)
    assert site.documents() < n
    with site.process("worker") as second:
        until(lambda: site.run(run_id).state == "done")
        second.send_signal(signal.SIGTERM)
        assert second.wait(STOP_S) == 0
    assert site.documents() == n
    assert site.run(run_id).n_lost == 0


def test_a_body_that_never_comes_does_not_hold_a_worker_back(site: Site) -> None:
    run_id = site.source(n=1, pause_s=3600)
    with site.process("worker") as first:
        until(lambda: len(site.fetched()) == 1)
        first.send_signal(signal.SIGTERM)
        assert first.wait(STOP_S) == 0
    assert site.run(run_id).state == "queued"


def test_the_server_does_what_is_asked_over_the_api(site: Site) -> None:
    company = Company(site.database)
    company.person("ines", roles=["integrator"])
    with site.database.begin() as conn:
        sources.put_source(conn, "slow", "slow", {"log": str(site.log), "n": 3})
    with site.process("serve", "--only", "api", "--port", "0") as server:
        address = address_of(server)
        with signed_in(address, site.database, "ines") as ines:
            run_id = ines.post("/v1/connectors/slow/runs", json={}).json()["id"]
            until(lambda: ines.get(f"/v1/sync-runs/{run_id}").json()["state"] == "done")
            shown = ines.get(f"/v1/sync-runs/{run_id}").json()
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE_S) == 0
    assert (shown["counts"]["added"], shown["curation"]["documents"]) == (3, 3)
