"""Requests made from the OpenAPI description, as each role: no 5xx, no undocumented status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from assistant.api.app import description
from assistant.domain import Role
from tests.integration.api.conftest import SignIn
from tests.support.company import Company

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


@pytest.mark.parametrize("role", get_args(Role))
def test_no_request_is_too_much(sign_in: SignIn, company: Company, url: str, role: Role) -> None:
    company.person(f"only-{role}", roles=[role])
    session = {"Authorization": sign_in(f"only-{role}").headers["authorization"]}
    n_called = 0

    for operation in operations():

        @settings(
            max_examples=3, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case[Any]) -> None:
            nonlocal n_called
            response = case.call(base_url=url, timeout=30, headers=session)
            n_called += 1
            case.validate_response(response, checks=WANTED)

        ask()
    assert n_called >= len(list(operations()))
