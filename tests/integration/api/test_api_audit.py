"""What auditors find, prove and take away, and that each look is itself in the log."""

from __future__ import annotations

import json
from typing import Any

import httpx
import httpx_sse
import pytest
import sqlalchemy as sa

from assistant.audit import verifier
from assistant.audit.receipt import verify_receipt
from assistant.store.database import Database
from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company


@pytest.fixture
def olga(company: Company, sign_in: SignIn) -> httpx.Client:
    company.person("olga", roles=["auditor"])
    sign_in("ana").post("/v1/answers", json={"question": "What was the net income of 2025?"})
    sign_in("bruno").post("/v1/answers", json={"question": "Qual é a meta de vendas?"})
    return sign_in("olga")


def found(olga: httpx.Client, **wanted: Any) -> list[dict[str, Any]]:
    answer = olga.get("/v1/audit/events", params=wanted)
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["events"]
    return events


def test_a_question_is_found_from_any_side(olga: httpx.Client) -> None:
    (asked, _) = found(olga, type="query.accepted")
    assert asked["data"]["question"] == "Qual é a meta de vendas?"
    prompted, query = found(olga, type="query.prompted")[1], found(olga, type="query.accepted")[1]
    document = prompted["data"]["chunks"][0]["document_id"]
    same = {
        "query": query["data"]["query_id"],
        "about": document,
        "person": query["actor"]["person_id"],
    }
    for name, value in same.items():
        events = found(olga, type="query", **{name: value})
        assert events, name
        assert {e["actor"]["person_id"] for e in events} == {query["actor"]["person_id"]}, name
    assert found(olga, person="nobody") == []
    page = olga.get("/v1/audit/events", params={"limit": 2}).json()
    seqs = [event["seq"] for event in page["events"]]
    assert page["next_before"] == seqs[-1]
    assert found(olga, limit=1, before=seqs[-1])[0]["seq"] < seqs[-1]
    assert olga.get("/v1/audit/events", params={"since": "yesterday"}).status_code == 422
    assert olga.get("/v1/audit/events", params={"unknown": "x"}).status_code == 422


def test_every_look_is_recorded(olga: httpx.Client, assistant: Assistant) -> None:
    key = assistant.audit.public_key
    proven = olga.get("/v1/audit/events/0").json()
    assert verify_receipt(proven, key)["seq"] == 0
    assert verifier.check_receipt(proven, key)["seq"] == 0
    found(olga, type="nothing")
    exported = olga.get("/v1/audit/export", params={"first": 1, "last": 4})
    assert verifier.check_export(exported.content.rstrip(b"\n").split(b"\n"), key, []) == 4
    olga.get("/v1/audit/heads").raise_for_status()
    reads = [event["data"] for event in reversed(found(olga, type="audit.read"))]
    assert [read["purpose"] for read in reads] == ["prove", "search", "export jsonl"]
    assert (reads[2]["first_seq"], reads[2]["last_seq"]) == (1, 4)
    assert olga.get("/v1/audit/events/99999").status_code == 404
    assert olga.get("/v1/audit/export", params={"first": 99999}).status_code == 404


def _paged(olga: httpx.Client) -> list[dict[str, object]]:
    """Return all heads, asked for two at a time."""
    heads: list[dict[str, object]] = []
    after: int | None = 0
    while after is not None:
        params = {"after": after, "limit": 2}
        page = olga.get("/v1/audit/heads", params=params).raise_for_status().json()
        heads += page["heads"]
        after = page["next_after"]
    return heads


def test_heads_and_key_verify_what_was_taken(olga: httpx.Client) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    for _ in range(3):
        whole = olga.get("/v1/audit/export").content.rstrip(b"\n").split(b"\n")
    told = olga.get("/v1/audit/heads").json()
    key = load_pem_public_key(told["public_key"].encode())
    assert isinstance(key, Ed25519PublicKey)
    assert told["next_after"] is None
    heads = [head for head in told["heads"] if head["size"] <= len(whole)]
    assert heads
    assert [head["size"] for head in _paged(olga)] == [head["size"] for head in told["heads"]]
    verifier.check_export(whole, key, heads)


def test_exports_for_monitoring_have_one_event_a_line(olga: httpx.Client, sign_in: SignIn) -> None:
    forged = 'x\r\nCEF:0|fake|fake|1|admin|admin|10|suid=root cs1="\u2028'
    sign_in("ana").post("/v1/answers", json={"question": forged})
    n_events = len(olga.get("/v1/audit/export").content.splitlines()) - 1
    lines = olga.get("/v1/audit/export", params={"format": "cef"}).text.splitlines()
    assert len(lines) >= n_events
    assert all(line.startswith("CEF:0|Enterprise assistant|") for line in lines)
    assert not [line for line in lines if " suid=root" in line.replace("\\=", "")]
    shown = olga.get("/v1/audit/export", params={"format": "ocsf"}).text.split("\n")
    events = [json.loads(line) for line in shown if line]
    assert [e["metadata"]["sequence"] for e in events] == list(range(len(events)))
    asked = next(e for e in events if e["message"] == "query.accepted")
    assert asked["type_uid"] == 600301
    assert asked["actor"]["user"]["uid"] == asked["unmapped"]["actor"]["person_id"]


def test_a_question_is_replayed(olga: httpx.Client, company: Company) -> None:
    prompted = found(olga, type="query.prompted")[1]
    query = prompted["data"]["query_id"]
    company.leave("ana", "finance")
    replayed = olga.post(f"/v1/audit/queries/{query}/replay").json()
    assert replayed["same"]
    assert replayed["person_id"] == prompted["actor"]["person_id"]
    chunks = {c["chunk_id"]: c["allowed_now"] for c in replayed["chunks"]}
    assert list(chunks) == [c["chunk_id"] for c in prompted["data"]["chunks"]]
    assert not all(chunks.values())
    assert found(olga, type="audit.read")[0]["data"]["purpose"] == f"replay {query}"
    assert olga.post("/v1/audit/queries/nothing/replay").status_code == 404


def test_others_get_nothing(sign_in: SignIn, company: Company) -> None:
    company.person("rui", roles=["admin"])
    for login in ("ana", "rui"):
        client = sign_in(login)
        for path in ("events", "events/0", "export", "heads", "verify"):
            assert client.get(f"/v1/audit/{path}").status_code == 403, (login, path)


def test_an_account_has_all_of_a_question_and_its_proof(
    olga: httpx.Client, assistant: Assistant
) -> None:
    prompted = found(olga, type="query.prompted")[1]
    query = prompted["data"]["query_id"]
    told = olga.get(f"/v1/audit/queries/{query}").json()
    assert told["question"] == "What was the net income of 2025?"
    assert (told["outcome"], told["person_id"]) == ("finished", prompted["actor"]["person_id"])
    assert [one["chunk_id"] for one in told["chunks"]] == [
        one["chunk_id"] for one in prompted["data"]["chunks"]
    ]
    assert all(one["allowed"] and one["rule"] for one in told["chunks"])
    assert any(one["verdicts"] == ["verified"] for one in told["chunks"])
    assert told["policy_epoch"] == prompted["data"]["policy_epoch"]
    proof = told["proof"]
    assert (proof["state"], proof["fault"]) == ("proven", "")
    receipt = olga.get(f"/v1/receipts/{told['receipt']}").json()
    assert (proof["seq"], proof["path"]) == (int(told["receipt"]), receipt["proof"])
    assert found(olga, type="audit.read", limit=3)[1]["data"]["purpose"] == f"account {query}"
    assert olga.get("/v1/audit/queries/nothing").status_code == 404


def test_an_account_of_an_altered_event_says_that_it_is_not_proven(
    olga: httpx.Client, database: Database
) -> None:
    finished = found(olga, type="query.finished")[0]
    with database.begin() as conn:
        conn.execute(sa.text("ALTER TABLE audit_events DISABLE TRIGGER ALL"))
        altered = "convert_to(replace(convert_from(body, 'UTF8'), :was, :now), 'UTF8')"
        conn.execute(
            sa.text(f"UPDATE audit_events SET body = {altered} WHERE seq = :seq"),
            {"seq": finished["seq"], "was": '"n_withheld":0', "now": '"n_withheld":9'},
        )
    told = olga.get(f"/v1/audit/queries/{finished['data']['query_id']}").json()
    assert told["proof"]["state"] == "broken"
    assert "does not prove" in told["proof"]["fault"]
    events = walked(olga)
    assert events[-1][0] == "done"
    assert (events[-1][1]["ok"], events[-1][1]["first_bad_seq"]) == (False, finished["seq"])


def walked(olga: httpx.Client) -> list[tuple[str, dict[str, Any]]]:
    with httpx_sse.connect_sse(olga, "GET", "/v1/audit/verification") as source:
        source.response.raise_for_status()
        return [(one.event, one.json()) for one in source.iter_sse()]


def test_a_verification_tells_how_far_it_is(olga: httpx.Client) -> None:
    *steps, (last, told) = walked(olga)
    assert last == "done"
    assert (told["ok"], told["first_bad_seq"]) == (True, None)
    assert all(name == "progress" for name, _ in steps)
    assert steps[0][1]["of"] <= told["n_events"]
    assert found(olga, type="audit.read")[0]["data"]["purpose"] == "verify"
