"""Access for a while over HTTP: asked for, approved by another, used, recorded, over."""

from __future__ import annotations

import httpx
import pytest

from assistant.domain import DocumentId
from assistant.store.database import Database
from tests.integration.access.test_break_glass import pass_time
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of

URL = "/v1/break-glass"
QUESTION = {"question": "What was the net income of 2025?"}
SECRET = "41 million"
REASON = "The auditors wait for the figure and Ana is ill."


@pytest.fixture
def paper(company: Company) -> DocumentId:
    """The annual report, which only finance reads."""
    company.person("max", roles=["admin"])
    company.person("mia", roles=["admin"])
    company.person("otto", roles=["auditor"])
    return company.document(
        "annual-report", f"The net income of 2025 was {SECRET} reais.", allow=["group:finance"]
    )


def asked(client: httpx.Client, **what: object) -> httpx.Response:
    return client.post(URL, json={"reason": REASON, **what})


def test_two_people_open_a_document_for_a_while(
    sign_in: SignIn, company: Company, database: Database, paper: DocumentId
) -> None:
    bruno, max_, otto = sign_in("bruno"), sign_in("max"), sign_in("otto")
    assert SECRET not in bruno.post("/v1/answers", json=QUESTION).text
    request = asked(bruno, document_id=paper, hours=2)
    assert (request.status_code, request.json()["state"]) == (201, "asked")
    assert bruno.get(f"/v1/documents/{paper}").status_code == 404
    one = f"{URL}/{request.json()['id']}"
    assert bruno.post(f"{one}/approve").status_code == 403
    approved = max_.post(f"{one}/approve")
    assert (approved.status_code, approved.json()["state"]) == (200, "active")
    answer = bruno.post("/v1/answers", json=QUESTION)
    assert SECRET in answer.json()["answer"]
    assert bruno.get(f"/v1/documents/{paper}").status_code == 200
    assert SECRET in bruno.post("/v1/search", json={"query": "net income"}).text
    assert sign_in("ana").get(f"/v1/documents/{paper}").status_code == 200
    # A sync says again who reads it by the source: the access lasts all the same.
    company.allow("annual-report", "group:finance")
    assert bruno.get(f"/v1/documents/{paper}").status_code == 200
    assert max_.get(f"/v1/documents/{paper}").status_code == 403
    listed = otto.get(URL).json()["requests"]
    assert [(r["state"], r["reason"]) for r in listed] == [("active", REASON)]
    assert bruno.get(f"{URL}/mine").json()["requests"] == listed

    ended = bruno.post(f"{one}/end")
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    assert bruno.get(f"/v1/documents/{paper}").status_code == 404
    assert SECRET not in bruno.post("/v1/answers", json=QUESTION).text
    conversation = answer.json()["conversation_id"]
    assert SECRET not in bruno.get(f"/v1/conversations/{conversation}").text
    assert bruno.post(f"{one}/end").status_code == 409

    told = [e for e in events_of(database) if e["type"].startswith("access.break_glass")]
    kinds = [event["type"].rpartition("_")[2] for event in told]
    assert kinds == ["asked", "approved", "used", "used", "used", "used", "ended"]
    assert set(told[0]["data"]["reason"]) == {"key", "sealed"}
    used = [event["data"] for event in told if event["type"].endswith("used")]
    assert {use["document_id"] for use in used} == {paper}
    prompted = [e["data"]["query_id"] for e in events_of(database) if e["type"] == "query.prompted"]
    assert used[0]["part"] in prompted
    assert [use["part"] for use in used[1:]] == ["document", "search", "document"]


def test_a_collection_opens_and_expires(
    sign_in: SignIn, company: Company, database: Database, paper: DocumentId
) -> None:
    company.document("salaries", "The CEO earns a lot.", allow=["group:finance"])
    bruno = sign_in("bruno")
    before = bruno.get("/v1/me").json()["readable"]["n_documents"]
    request = asked(bruno, collection="acme").json()["id"]
    assert sign_in("mia").post(f"{URL}/{request}/approve").status_code == 200
    assert bruno.get("/v1/me").json()["readable"]["n_documents"] == before + 2
    with database.begin() as conn:
        pass_time(conn, request)
    assert bruno.get("/v1/me").json()["readable"]["n_documents"] == before
    assert bruno.get(f"/v1/documents/{paper}").status_code == 404
    listed = sign_in("otto").get(URL).json()["requests"]
    assert [one["state"] for one in listed] == ["ended"]
    how = [e["data"]["how"] for e in events_of(database) if e["type"].endswith("glass_ended")]
    assert how == ["expired"]


def test_nothing_is_told_to_whoever_asks(sign_in: SignIn, paper: DocumentId) -> None:
    bruno, max_ = sign_in("bruno"), sign_in("max")
    there, missing = asked(bruno, document_id=paper), asked(bruno, document_id="none")
    same = {"id": "", "document_id": "", "asked_at": ""}
    assert {**there.json(), **same} == {**missing.json(), **same}
    assert max_.post(f"{URL}/{missing.json()['id']}/approve").status_code == 404
    assert bruno.post(f"{URL}/{missing.json()['id']}/end").json()["state"] == "ended"
    ana = sign_in("ana")
    foreign, absent = (ana.post(f"{URL}/{one}/end") for one in (there.json()["id"], "none"))
    assert foreign.status_code == absent.status_code == 404
    assert ana.get(f"{URL}/mine").json()["requests"] == []
    assert ana.get(URL).status_code == 403
    assert asked(bruno, document_id=paper, hours=100).status_code == 422
    assert asked(max_, document_id=paper).status_code == 403
