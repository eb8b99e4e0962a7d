"""Auditors hold, administrators erase and forget, and neither does the other's."""

from __future__ import annotations

import httpx
import pytest

from assistant.audit.log import AuditLog
from assistant.lifecycle.erasure import is_genuine
from assistant.store.database import Database
from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of

SUBJECT = {"names": ["Zoraide Quixadá"]}


@pytest.fixture
def max_(company: Company, sign_in: SignIn) -> httpx.Client:
    company.person("max", roles=["admin"])
    company.document("letter", "Zoraide Quixadá was discharged on Monday.")
    return sign_in("max")


@pytest.fixture
def olga(company: Company, sign_in: SignIn) -> httpx.Client:
    company.person("olga", roles=["auditor"])
    return sign_in("olga")


def test_a_hold_blocks_an_erasure_until_its_auditor_releases_it(
    max_: httpx.Client, olga: httpx.Client, assistant: Assistant, database: Database
) -> None:
    found = max_.post("/v1/erasures/dry-run", json=SUBJECT).json()
    assert (found["documents"], found["chunks"], found["persons"]) == (1, 1, 0)
    new = {"kind": "subject", "value": "Zoraide Quixadá", "reason": "case 7"}
    assert max_.post("/v1/holds", json=new).status_code == 403
    hold = olga.post("/v1/holds", json=new).json()
    refused = max_.post("/v1/erasures", json=SUBJECT)
    assert (refused.status_code, "case 7" in refused.json()["detail"]) == (409, True)
    assert max_.post(f"/v1/holds/{hold['id']}/release").status_code == 403
    assert olga.post("/v1/erasures", json=SUBJECT).status_code == 403
    assert olga.post(f"/v1/holds/{hold['id']}/release").json()["released_at"] is not None
    done = max_.post("/v1/erasures", json=SUBJECT)
    assert done.status_code == 201, done.text
    log = AuditLog(database, assistant.settings.data_dir)
    assert is_genuine(done.json(), log)
    (listed,) = olga.get("/v1/erasures").json()["erasures"]
    assert (listed["n_documents"], listed["n_kept_out"]) == (1, 1)
    kept = olga.get(f"/v1/erasures/{listed['id']}/certificate")
    assert kept.json() == done.json()
    assert max_.post(f"/v1/erasures/{listed['id']}/release").json() == {"n_items": 1}
    assert "Zoraide" not in olga.get("/v1/holds").text
    types = [e["type"] for e in events_of(database) if e["type"].startswith(("hold", "erasure"))]
    assert types == [
        "hold.changed",
        "hold.changed",
        "erasure.started",
        "erasure.done",
        "erasure.released",
    ]
    assert max_.post("/v1/erasures", json=SUBJECT).status_code == 404
    assert log.verify().ok


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "everything", "value": "x", "reason": "y"},
        {"kind": "subject", "reason": "y"},
        {"kind": "subject", "value": "x"},
        {"kind": "mood", "value": "x", "reason": "y"},
    ],
)
def test_a_hold_that_makes_no_sense_is_refused(olga: httpx.Client, wrong: dict[str, str]) -> None:
    assert olga.post("/v1/holds", json=wrong).status_code == 422


def test_retention_is_seen_by_both_and_run_by_administrators(
    max_: httpx.Client, olga: httpx.Client, sign_in: SignIn, database: Database
) -> None:
    plan = olga.get("/v1/retention").json()
    assert (plan["kept_months"], plan["n_keys"], plan["on_hold"]) == (72, 0, False)
    assert olga.post("/v1/retention/runs").status_code == 403
    assert sign_in("ana").get("/v1/retention").status_code == 403
    assert max_.post("/v1/retention/runs").status_code == 201
    assert [e["type"] for e in events_of(database)].count("retention.done") == 1
