"""Every route that takes an id, from the OpenAPI description: a foreign one and a missing one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from assistant.api.app import description
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, pdf

PERSONAL = {"document_id", "conversation_id", "message_id", "receipt_id"}
"""Ids of what belongs to somebody."""
SHARED = {
    "model_id",
    "name",
    "run_id",
    "seq",
    "query_id",
    "person_id",
    "hold_id",
    "erasure_id",
    "key_id",
}
"""Ids of what everybody with the permission of the route may see."""
PUSHED = {"user_id", "group_id", "kind_id", "schema_id"}
"""Ids of SCIM; what is foreign to a directory is in test_api_scim.py."""
ASKED_FOR = {"request_id"}
"""Ids of access for a while; foreign ones are in test_api_break_glass.py."""
PLACES = {"page": "1"}
ANSWERED_ALIKE = {"/v1/access/why/{document_id}"}
"""Routes that say 200 of foreign and missing things."""
BODIES: dict[str, Any] = {
    "/v1/conversations/{conversation_id}/messages/{message_id}/feedback": {"reason": "good"}
}


def parameters(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", path))


def routes() -> Iterator[tuple[str, str]]:
    for path, methods in description()["paths"].items():
        for method in methods:
            yield method.upper(), path


OWNED = [route for route in routes() if parameters(route[1]) & PERSONAL]


def test_every_id_has_a_rule() -> None:
    named = {name for _, path in routes() for name in parameters(path)}
    assert named == PERSONAL | SHARED | PUSHED | ASKED_FOR | PLACES.keys()
    assert {path for _, path in OWNED} >= ANSWERED_ALIKE | BODIES.keys()


@pytest.mark.parametrize(("method", "path"), OWNED, ids=lambda part: str(part))
def test_foreign_and_missing_are_one(
    sign_in: SignIn, company: Company, method: str, path: str
) -> None:
    ana, bruno = sign_in("ana"), sign_in("bruno")
    paper = company.document(
        "paper", "The net income was 41 million.", allow=["group:finance"], original=pdf("secret")
    )
    answer = ana.post("/v1/answers", json={"question": "What was the net income?"}).json()
    foreign = {
        "document_id": paper,
        "conversation_id": answer["conversation_id"],
        "message_id": str(answer["id"]),
        "receipt_id": answer["receipt"],
    }
    missing = {
        "document_id": str(uuid4()),
        "conversation_id": str(uuid4()),
        "message_id": "999999",
        "receipt_id": "999999",
    }

    def asked(client: httpx.Client, ids: dict[str, str]) -> tuple[int, dict[str, Any]]:
        filled = path.format(**ids, **PLACES)
        response = client.request(method, filled, json=BODIES.get(path))
        is_json = response.headers.get("content-type", "").endswith("json")
        body = response.json() if is_json and response.content else {}
        return response.status_code, {**body, "instance": ""}

    denied, absent = asked(bruno, foreign), asked(bruno, missing)
    assert denied == absent
    assert denied[0] == (200 if path in ANSWERED_ALIKE else 404)
    assert asked(ana, foreign)[0] in {200, 204}
