"""Errors as problems."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from assistant import errors
from assistant.api import problems
from assistant.api.exchange import ClientLeft
from assistant.api.problems import TooManyRequests, UnknownErrors, openai_error, problem
from assistant.errors import AssistantError


def kinds(root: type[AssistantError]) -> list[type[AssistantError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


@pytest.mark.parametrize(
    "kind", [k for k in kinds(AssistantError) if k.__module__ == errors.__name__]
)
def test_every_error_has_its_problem(kind: type[AssistantError]) -> None:
    body, headers = problem(kind(), "/v1/x")
    assert body["type"] == f"urn:assistant:problem:{kind.slug}"
    assert body["status"] == kind.status
    assert body["detail"] == str(kind())
    assert body["instance"] == "/v1/x"
    assert set(body) == {"type", "title", "status", "detail", "instance"}
    assert ("WWW-Authenticate" in headers) == (kind.status == 401)


def test_a_client_is_told_how_long_to_wait() -> None:
    body, headers = problem(TooManyRequests(17), "/v1/sessions")
    assert headers["Retry-After"] == "17"
    assert "17 s" in body["detail"]


def test_a_client_that_has_left_is_no_error_of_ours() -> None:
    body, _ = problem(ClientLeft(), "/v1/answers")
    assert (body["status"], body["title"]) == (499, "Client Closed Request")


def test_an_unknown_exception_is_not_quoted() -> None:
    body, _ = problem(RuntimeError("secret"), "/v1/x")
    assert body["status"] == 500
    assert "secret" not in str(body)


def test_the_inside_of_a_dependency_is_not_told() -> None:
    body, _ = problem(errors.ModelUnavailable("http://10.0.0.7:8000 said: secret"), "/v1/chat")
    assert body["detail"] == str(errors.ModelUnavailable())
    body, _ = problem(errors.InvalidRequest("The last message is empty."), "/v1/chat")
    assert body["detail"] == "The last message is empty."


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (503, "server_error"),
    ],
)
def test_openai_clients_read_their_own_shape(status: int, kind: str) -> None:
    body, _ = problem(HTTPException(status, "Say why."), "/v1/models")
    error = openai_error(body)["error"]
    assert error["message"] == "Say why."
    assert error["type"] == kind


def test_a_stream_ends_in_a_problem() -> None:
    async def broken() -> AsyncIterator[tuple[str, dict[str, Any]]]:
        yield "status", {"step": "searching"}
        raise ValueError("secret")

    async def collect() -> list[tuple[str, dict[str, Any]]]:
        return [event async for event in problems.caught(broken(), "/v1/chat")]

    told = asyncio.run(collect())
    assert [name for name, _ in told] == ["status", "problem"]
    assert told[1][1]["status"] == 500
    assert "secret" not in str(told)


@pytest.mark.parametrize(("path", "shape"), [("/x", "detail"), ("/v1/models", "error")])
def test_what_nobody_caught_becomes_a_plain_500(path: str, shape: str) -> None:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(UnknownErrors)

    @app.get(path)
    def fail() -> None:
        raise ExceptionGroup("several", [KeyError("secret")])

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    response = asyncio.run(get())
    assert response.status_code == 500
    assert shape in response.json()
    assert "secret" not in response.text
