"""Who sees what over HTTP: foreign and missing are one, and a revocation counts at once."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from assistant.domain import DocumentId
from assistant.store import people
from assistant.store.database import Database
from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of, pdf
from tests.support.scripted import ScriptedGenerator
from tests.support.streams import asked, events

INCOME = "What was the net income of 2025?"
CANARY = "zebra-quartz"


@pytest.fixture
def paper(company: Company) -> DocumentId:
    """A PDF that finance alone may read, with a canary in its text."""
    return company.document(
        "net-income-paper",
        f"The net income of 2025 was reported as 41 million, says {CANARY}.",
        allow=["group:finance"],
        original=pdf(CANARY),
        boxes=((1, 72.0, 60.0, 200.0, 76.0),),
    )


def chunk_of(client: httpx.Client, document_id: str) -> int:
    chunk_id: int = client.get(f"/v1/documents/{document_id}").json()["passages"][0]["chunk_id"]
    return chunk_id


def test_foreign_and_missing_ids_get_the_same_answer(
    sign_in: SignIn, company: Company, paper: DocumentId
) -> None:
    ana, bruno = sign_in("ana"), sign_in("bruno")
    answer = ana.post("/v1/answers", json={"question": INCOME}).json()
    sales = bruno.post("/v1/answers", json={"question": "sales target"}).json()
    finished = int(answer["receipt"])
    chunk = chunk_of(ana, paper)
    pairs = [
        (f"/v1/documents/{paper}", f"/v1/documents/{uuid4()}"),
        (f"/v1/documents/{paper}?chunk={chunk}", f"/v1/documents/{uuid4()}?chunk={chunk}"),
        (f"/v1/documents/{paper}/pages/1", f"/v1/documents/{uuid4()}/pages/1"),
        (
            f"/v1/documents/{paper}/pages/1?chunk={chunk}",
            f"/v1/documents/not-an-id/pages/1?chunk={chunk}",
        ),
        (f"/v1/conversations/{answer['conversation_id']}", f"/v1/conversations/{uuid4()}"),
        (f"/v1/receipts/{finished}", "/v1/receipts/999999"),
        (f"/v1/receipts/{finished - 1}", "/v1/receipts/nonsense"),
        (f"/v1/receipts/{int(sales['receipt']) - 1}", "/v1/receipts/-1"),
    ]
    for foreign, missing in pairs:
        denied, absent = bruno.get(foreign), bruno.get(missing)
        assert (denied.status_code, absent.status_code) == (404, 404), foreign
        assert _same(denied, absent), foreign
    foreign_id, missing_id = answer["conversation_id"], str(uuid4())
    for method, suffix, body in [
        ("DELETE", "", None),
        ("POST", f"/messages/{answer['id']}/feedback", {"reason": "good"}),
    ]:
        denied = bruno.request(method, f"/v1/conversations/{foreign_id}{suffix}", json=body)
        absent = bruno.request(method, f"/v1/conversations/{missing_id}{suffix}", json=body)
        assert (denied.status_code, absent.status_code) == (404, 404)
        assert _same(denied, absent)
    for path in ("/v1/chat", "/v1/answers"):
        denied = bruno.post(path, json={"question": "And?", "conversation_id": foreign_id})
        absent = bruno.post(path, json={"question": "And?", "conversation_id": missing_id})
        assert (denied.status_code, absent.status_code) == (404, 404)
        assert _same(denied, absent)
    assert ana.get(f"/v1/conversations/{foreign_id}").status_code == 200


def _same(one: httpx.Response, other: httpx.Response) -> bool:
    """Compare bodies but for the path that was asked, and headers but for the length and time."""
    bodies = [{**response.json(), "instance": ""} for response in (one, other)]
    kinds = [response.headers["content-type"] for response in (one, other)]
    return bodies[0] == bodies[1] and kinds[0] == kinds[1]


def test_nobody_is_shown_what_others_may_read(
    sign_in: SignIn, generator: ScriptedGenerator, paper: DocumentId
) -> None:
    ana, bruno = sign_in("ana"), sign_in("bruno")
    for client, forbidden in ((ana, "sales target"), (bruno, CANARY)):
        for question in (INCOME, "sales target", CANARY, "canteen"):
            told = asked(client, question)
            hits = client.post("/v1/search", json={"query": question, "k": 50}).json()
            assert hits["hits"]
            assert forbidden not in json.dumps([told[:-1], hits]).lower().replace(
                json.dumps(question).lower(), ""
            )
            for prompt in generator.prompts:
                assert forbidden not in prompt.system
                assert forbidden not in " ".join(p.text for p in prompt.passages).lower()
            generator.prompts.clear()
    assert bruno.get("/v1/me").json()["readable"]["n_documents"] == 2
    assert ana.get("/v1/me").json()["readable"]["n_documents"] == 3


@pytest.mark.parametrize("how", ["leaves the group", "acl", "deleted", "new version"])
def test_what_is_revoked_while_a_conversation_is_open_is_gone_at_the_next_request(
    sign_in: SignIn,
    company: Company,
    generator: ScriptedGenerator,
    paper: DocumentId,
    how: str,
) -> None:
    ana = sign_in("ana")
    question = f"What did {CANARY[:5]} say of the net income of 2025?"
    answer = ana.post("/v1/answers", json={"question": question}).json()
    assert CANARY in answer["answer"]
    chunk = chunk_of(ana, paper)
    page = f"/v1/documents/{paper}/pages/1?chunk={chunk}"
    assert ana.get(page).headers["content-type"] == "image/png"
    if how == "leaves the group":
        company.leave("ana", "finance")
    elif how == "acl":
        company.allow("net-income-paper", "group:board")
    elif how == "deleted":
        company.delete("net-income-paper")
    else:
        company.document("net-income-paper", "The net income is withdrawn.", allow=["user:zoe"])
    generator.prompts.clear()
    told = asked(ana, "And what else?", conversation_id=answer["conversation_id"])
    again = ana.post("/v1/answers", json={"question": question}).json()
    shown = ana.get(f"/v1/conversations/{answer['conversation_id']}").json()
    hits = ana.post("/v1/search", json={"query": question, "k": 100}).json()
    assert CANARY not in json.dumps([told, again, shown, hits])
    for prompt in generator.prompts:
        assert CANARY not in prompt.user
    stored = shown["messages"][1]["answer"]
    assert stored["withheld"][0]["reason"] == "no longer available to you"
    assert paper not in json.dumps(stored)
    for path in (f"/v1/documents/{paper}", page, f"/v1/documents/{paper}/pages/1"):
        assert ana.get(path).status_code == 404


def test_a_document_that_comes_back_brings_nothing_of_before(
    sign_in: SignIn, company: Company, paper: DocumentId
) -> None:
    ana = sign_in("ana")
    question = f"What did {CANARY[:5]} say of the net income of 2025?"
    answer = ana.post("/v1/answers", json={"question": question}).json()
    assert CANARY in answer["answer"]
    company.delete("net-income-paper")
    company.document("net-income-paper", "The net income is withdrawn.", allow=["group:finance"])
    assert ana.get(f"/v1/documents/{paper}").status_code == 200
    conversation = f"/v1/conversations/{answer['conversation_id']}"
    for path in (conversation, f"{conversation}/export"):
        assert CANARY not in ana.get(path).text


def test_a_passage_revoked_in_the_middle_of_an_answer_is_not_shown(
    sign_in: SignIn, company: Company, generator: ScriptedGenerator, paper: DocumentId
) -> None:
    company.delete("annual-report")
    generator.hold(0)
    ana = sign_in("ana")
    told: list[tuple[str, Any]] = []
    with ana.stream("POST", "/v1/chat", json={"question": INCOME}) as response:
        for name, data in events(response):
            told.append((name, data))
            if name == "status" and data["step"] == "answering":
                assert any(CANARY in p.text for p in _awaited(generator))
                company.leave("ana", "finance")
                generator.release()
    assert CANARY not in json.dumps(told)
    assert "not_permitted" in [data["verdict"] for name, data in told if name == "verdict"]


def _awaited(generator: ScriptedGenerator) -> tuple[Any, ...]:
    while not generator.prompts:
        time.sleep(0.01)
    return generator.prompts[-1].passages


def test_a_disabled_person_and_a_signed_out_one_are_refused_at_once(
    sign_in: SignIn, database: Database, company: Company
) -> None:
    ana, bruno = sign_in("ana"), sign_in("bruno")
    company.person("ivo", roles=["employee"])
    ivo = sign_in("ivo")
    with database.begin() as conn:
        people.disable(conn, "bruno")
    assert ana.delete("/v1/sessions/current").status_code == 204
    for client in (ana, bruno):
        for method, path in [
            ("GET", "/v1/me"),
            ("POST", "/v1/chat"),
            ("GET", "/v1/models"),
            ("POST", "/v1/chat/completions"),
        ]:
            refused = client.request(method, path, json={"question": INCOME, "messages": []})
            assert refused.status_code == 401, path
            assert refused.headers["www-authenticate"] == "Bearer"
    assert ivo.get("/v1/me").status_code == 200


def test_a_person_disabled_in_the_middle_of_an_answer_reads_no_further(
    sign_in: SignIn, database: Database, generator: ScriptedGenerator
) -> None:
    generator.hold(0)
    ana = sign_in("ana")
    told: list[tuple[str, Any]] = []
    with ana.stream("POST", "/v1/chat", json={"question": INCOME}) as response:
        for name, data in events(response):
            told.append((name, data))
            if name == "status" and data["step"] == "answering":
                with database.begin() as conn:
                    people.disable(conn, "ana")
                generator.release()
    assert [name for name, _ in told if name in {"delta", "citation"}] == []
    assert "41 million" not in json.dumps(told)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic YW5hOmFuYQ=="},
        {"X-Api-Key": "TOKEN"},
        {"Cookie": "token=TOKEN; session=TOKEN"},
        {"X-Forwarded-User": "ana", "Remote-User": "ana"},
        {"api-key": "TOKEN"},
    ],
)
def test_only_a_bearer_token_signs_in(sign_in: SignIn, url: str, headers: dict[str, str]) -> None:
    token = sign_in("ana").headers["authorization"].removeprefix("Bearer ")
    sent = {name: value.replace("TOKEN", token) for name, value in headers.items()}
    for path in ("/v1/me", f"/v1/me?token={token}", f"/v1/me?access_token={token}"):
        refused = httpx.get(url + path, headers=sent)
        assert refused.status_code == 401
        assert refused.json()["type"] == "urn:assistant:problem:unauthenticated"


def test_auditors_see_all_receipts_and_that_is_recorded(
    sign_in: SignIn, company: Company, assistant: Assistant
) -> None:
    company.person("olga", roles=["auditor"])
    answer = sign_in("ana").post("/v1/answers", json={"question": INCOME}).json()
    olga = sign_in("olga")
    receipt = olga.get(f"/v1/receipts/{answer['receipt']}").json()
    assert receipt["event"]["type"] == "query.finished"
    verified = olga.get("/v1/audit/verify").json()
    assert verified["ok"]
    assert verified["n_events"] > 3
    read = [event for event in events_of(assistant.database) if event["type"] == "audit.read"]
    assert [event["data"]["purpose"] for event in read] == ["receipt", "verify"]
    assert olga.get(f"/v1/conversations/{answer['conversation_id']}").status_code == 403
    assert olga.get("/v1/me").json()["readable"]["n_documents"] == 0
