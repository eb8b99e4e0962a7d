"""Administrators examine access by ids and counts; a reader learns nothing of foreign documents."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from assistant.domain import DocumentId
from assistant.store.database import Database
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of

FINANCE = "group:intranet:finance"
CANARY = "zebra-quartz"


@pytest.fixture
def paper(company: Company) -> DocumentId:
    """A document that finance alone may read; its title and text are nobody else's business."""
    company.person("max", roles=["admin"])
    return company.document(f"{CANARY}-paper", f"Says {CANARY}.", allow=["group:finance"])


def test_an_admin_examines_access_without_seeing_documents(
    sign_in: SignIn, database: Database, paper: DocumentId
) -> None:
    admin = sign_in("max")
    told = admin.get("/v1/access/explain", params={"user": "ana", "document": paper})
    assert told.json()["rule"] == f"allow {FINANCE}"
    assert told.json()["entries"][0]["path"] == ["user:local|ana", FINANCE]
    denied = admin.get("/v1/access/explain", params={"user": "bruno", "document": paper})
    assert (denied.json()["allowed"], denied.json()["rule"]) == (False, "not allowed")
    compared = admin.get("/v1/access/compare", params={"user": "ana", "other": "bruno"})
    only = compared.json()["one"]["only"][0]
    assert (only["n_documents"], paper in only["examples"]) == (2, True)
    joins = [{"member": "bruno", "group": FINANCE}]
    proposed = admin.post("/v1/access/simulate", json={"joins": joins})
    assert (proposed.json()["n_gained"], proposed.json()["n_lost"]) == (2, 0)
    target, acl = {"document_id": paper}, {"allow": ["everyone"]}
    opened = admin.post("/v1/access/simulate", json={"target": target, "acl": acl}).json()
    assert [effect["login"] for effect in opened["effects"]] == ["bruno"]
    shown = [response.text for response in (told, denied, compared, proposed)]
    assert CANARY not in json.dumps([*shown, opened]).lower()
    assert admin.get(f"/v1/documents/{paper}").status_code == 403
    bruno = sign_in("bruno")
    assert bruno.get(f"/v1/documents/{paper}").status_code == 404
    seen = [e["data"] for e in events_of(database) if e["type"] == "access.examined"]
    assert [one["purpose"] for one in seen] == ["explain", "explain", "compare", *["simulate"] * 2]
    assert (seen[0]["people"], seen[0]["document_id"]) == (["ana"], paper)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"joins": [{"member": "bruno", "group": "finance"}]}, 422),
        ({"joins": [{"member": "nobody", "group": FINANCE}]}, 404),
        ({"leaves": [{"member": "bruno", "group": FINANCE}]}, 422),
        ({"target": {"document_id": "missing"}, "acl": {"allow": ["everyone"]}}, 404),
        ({"target": {"source": "intranet"}}, 422),
        ({"surprise": 1}, 422),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    sign_in: SignIn, paper: DocumentId, body: dict[str, object], status: int
) -> None:
    assert sign_in("max").post("/v1/access/simulate", json=body).status_code == status


def test_a_reader_is_told_the_same_of_every_document_they_do_not_see(
    sign_in: SignIn, company: Company, paper: DocumentId
) -> None:
    bruno = sign_in("bruno")
    gone = company.document("gone", "Was here.")
    company.delete("gone")
    told = [bruno.get(f"/v1/access/why/{name}") for name in (paper, gone, uuid4(), "nonsense")]
    assert {response.status_code for response in told} == {200}
    assert len({response.text for response in told}) == 1
    assert [one["source"] for one in told[0].json()["contacts"]] == ["intranet"]
    company.person("noor")
    company.allow("canteen", "group:finance")
    noor = sign_in("noor").get(f"/v1/access/why/{paper}")
    assert noor.json() == {"visible": False, "contacts": []}
    assert sign_in("ana").get(f"/v1/access/why/{paper}").json()["visible"]
