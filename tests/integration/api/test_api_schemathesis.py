"""Requests made from the OpenAPI description, as each role: no 5xx, no undocumented status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from assistant.api.app import create_app, description
from assistant.domain import Role
from assistant.settings import IdentitySettings, Settings
from assistant.store.database import Database
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, assembled, served
from tests.support.scim import ISSUER, scim_key
from tests.support.scripted import ScriptedGenerator

load_all_checks()
WANTED: list[Any] = CHECKS.get_by_names(["not_a_server_error", "status_code_conformance"])
SCHEMA = schemathesis.openapi.from_dict(description())
# It ends the session that the other requests need.
SIGNING_OUT = "DELETE /v1/sessions/current"


def operations() -> Iterator[Any]:
    for found in SCHEMA.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.label != SIGNING_OUT:
            yield operation


def bombard(url: str, headers: dict[str, str], called: Sequence[Any]) -> None:
    n_called = 0

    for operation in called:

        @settings(
            max_examples=3, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case[Any]) -> None:
            nonlocal n_called
            response = case.call(base_url=url, timeout=30, headers=headers)
            n_called += 1
            case.validate_response(response, checks=WANTED)

        ask()
    assert n_called >= len(called)


@pytest.mark.parametrize("role", get_args(Role))
def test_no_request_is_too_much(sign_in: SignIn, company: Company, url: str, role: Role) -> None:
    company.person(f"only-{role}", roles=[role])
    session = {"Authorization": sign_in(f"only-{role}").headers["authorization"]}
    bombard(url, session, list(operations()))


def test_no_push_is_too_much(
    company: Company, generator: ScriptedGenerator, database: Database, tmp_path: Path
) -> None:
    oidc = {"issuer": ISSUER, "audience": "https://assistant.example"}
    identity = IdentitySettings.model_validate({"oidc": oidc})
    chosen = Settings(data_dir=tmp_path, identity=identity)
    key = {"Authorization": f"Bearer {scim_key(database, chosen, 'idp')}"}
    pushes = [one for one in operations() if one.path.startswith("/scim/")]
    with served(create_app(assembled(chosen, database, generator))) as url:
        bombard(url, key, pushes)
