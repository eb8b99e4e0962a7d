"""Signing in, what `/v1/me` tells, and what stops a guesser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of

PASSWORD = "correct horse battery staple"


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


def test_a_password_begins_a_session_and_signing_out_ends_it(
    client: httpx.Client, company: Company, assistant: Assistant
) -> None:
    company.person("rita", "finance", password=PASSWORD, lang="pt-BR")
    began = client.post("/v1/sessions", json={"login": "rita", "password": PASSWORD})
    assert began.status_code == 201
    session = began.json()
    assert session["person"]["lang"] == "pt"
    assert session["person"]["roles"] == ["employee"]
    left = datetime.fromisoformat(session["expires_at"]) - datetime.now(UTC)
    assert 0 < left.total_seconds() <= assistant.settings.serve.session_s
    headers = {"Authorization": f"Bearer {session['token']}"}
    assert client.get("/v1/me", headers=headers).json()["person"] == session["person"]
    assert client.delete("/v1/sessions/current", headers=headers).status_code == 204
    assert client.get("/v1/me", headers=headers).status_code == 401
    assert client.delete("/v1/sessions/current", headers=headers).status_code == 401
    types = [event["type"] for event in events_of(assistant.database)]
    assert types == ["auth.signed_in", "auth.signed_out"]


def test_wrong_logins_read_alike_and_are_slowed_down(
    client: httpx.Client, company: Company, assistant: Assistant
) -> None:
    company.person("rita", password=PASSWORD)
    wrong = client.post("/v1/sessions", json={"login": "rita", "password": "guess"})
    unknown = client.post("/v1/sessions", json={"login": "nobody", "password": "guess"})
    none = client.post("/v1/sessions", json={"login": "ana", "password": "guess"})
    assert wrong.status_code == unknown.status_code == none.status_code == 401
    assert wrong.json() == unknown.json() == none.json()
    for _ in range(4):
        client.post("/v1/sessions", json={"login": "RITA ", "password": "guess"})
    locked = client.post("/v1/sessions", json={"login": "rita", "password": PASSWORD})
    assert locked.status_code == 429
    assert 1 <= int(locked.headers["retry-after"]) <= 60
    assert locked.json()["type"] == "urn:assistant:problem:too-many-requests"
    other = client.post("/v1/sessions", json={"login": "nobody", "password": "guess"})
    assert other.status_code == 401, "others are not locked out"
    failed = [e for e in events_of(assistant.database) if e["type"] == "auth.failed"]
    assert len(failed) == 8
    assert "guess" not in str(failed)


def test_me_counts_what_the_person_may_read_and_no_more(sign_in: SignIn, company: Company) -> None:
    readable = sign_in("bruno").get("/v1/me").json()["readable"]
    assert readable["n_documents"] == 2
    assert readable["collections"] == [
        {"name": "acme", "title": "Acme", "industry": "finance", "n_documents": 2}
    ]
    assert readable["sources"] == [
        {"name": "intranet", "title": "The intranet", "synced_at": None, "state": "new"}
    ]
    assert readable["langs"] == ["en"]
    company.leave("bruno", "sales")
    assert sign_in("bruno").get("/v1/me").json()["readable"]["n_documents"] == 1


def test_suggestions_are_for_people_who_may_read_something(
    sign_in: SignIn, company: Company
) -> None:
    assert sign_in("ana").get("/v1/me").json()["suggestions"] == ["What is new, Ana?"]
    company.allow("canteen", "group:finance")
    company.leave("bruno", "sales")
    nothing = sign_in("bruno").get("/v1/me").json()
    assert nothing["suggestions"] == []
    assert nothing["readable"]["sources"] == []
