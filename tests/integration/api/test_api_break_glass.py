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
    assert [(r["state"], r["reason"], r["login"]) for r in listed] == [("active", REASON, "bruno")]
    assert listed[0]["decided_by"] == "Max"
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
    same = {"id": "", "document_id": "", "asked_at": "", "lapses_at": ""}
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


def test_a_document_is_asked_for_by_its_name_and_known_only_when_approved(
    sign_in: SignIn, company: Company, database: Database, paper: DocumentId
) -> None:
    bruno, max_ = sign_in("bruno"), sign_in("max")
    assert bruno.get(f"{URL}/mine").json() == {"requests": [], "max_hours": 8}
    there, missing = (asked(bruno, named=name).json() for name in ("ANNUAL report", "no such"))
    same = {"id": "", "named": "", "asked_at": "", "lapses_at": ""}
    assert {**there, **same} == {**missing, **same}
    one, other = (f"{URL}/{request['id']}" for request in (there, missing))
    assert bruno.get(f"{one}/documents").status_code == 403
    found = max_.get(f"{one}/documents")
    assert found.json()["documents"] == [
        {
            "document_id": paper,
            "source": "intranet",
            "collection": "acme",
            "readable": False,
            "rule": "not allowed",
        }
    ]
    assert max_.get(f"{other}/documents").json() == {"documents": [], "names": []}
    assert max_.post(f"{other}/approve").status_code == 404
    refused = max_.post(f"{other}/refuse", json={"answer": "Ask Ana."}).json()
    assert (refused["state"], refused["answer"]) == ("refused", "Ask Ana.")
    assert max_.post(f"{other}/approve").status_code == 409
    assert bruno.post(f"{other}/end").status_code == 409
    assert max_.post(f"{one}/approve", json={"document_id": "another"}).status_code == 404
    approved = max_.post(f"{one}/approve").json()
    assert (approved["state"], approved["document_id"]) == ("active", paper)
    assert max_.get(f"{one}/documents").json()["documents"] == []
    assert bruno.get(f"/v1/documents/{paper}").status_code == 200
    mine = bruno.get(f"{URL}/mine").json()["requests"]
    told = [(r["named"], r["document_id"], r["state"]) for r in mine]
    assert told == [("no such", "", "refused"), ("ANNUAL report", paper, "active")]
    events = [e for e in events_of(database) if e["type"].startswith("access.break_glass")]
    assert "no such" not in str(events)
    assert "Ask Ana" not in str(events)


def test_of_several_documents_called_so_the_approver_chooses(
    sign_in: SignIn, company: Company, paper: DocumentId
) -> None:
    bruno, max_ = sign_in("bruno"), sign_in("max")
    company.document("annual-Report", "Net income.", allow=["group:finance"])
    request = asked(bruno, named="annual report").json()["id"]
    unclear = max_.post(f"{URL}/{request}/approve")
    assert (unclear.status_code, "Several documents" in unclear.text) == (409, True)
    chosen = max_.post(f"{URL}/{request}/approve", json={"document_id": paper})
    assert (chosen.status_code, chosen.json()["document_id"]) == (200, paper)


def test_nobody_decides_on_their_own_request_and_auditors_on_none(
    sign_in: SignIn, company: Company, paper: DocumentId
) -> None:
    company.person("rui", roles=["admin", "employee"])
    company.person("eva", roles=["admin"], company="blue")
    rui, otto = sign_in("rui"), sign_in("otto")
    request = asked(rui, named="annual-report").json()["id"]
    for act in ("approve", "refuse"):
        assert rui.post(f"{URL}/{request}/{act}").status_code == 403
        assert otto.post(f"{URL}/{request}/{act}").status_code == 403
        assert sign_in("eva").post(f"{URL}/{request}/{act}").status_code == 404
    assert sign_in("eva").get(URL).json()["requests"] == []
    assert otto.get(f"{URL}/{request}/documents").status_code == 403
    assert (
        otto.get("/v1/audit/events", params={"about": request}).json()["events"][0]["data"][
            "reason"
        ]
        == REASON
    )
