"""Errors as RFC 9457 problems, or in OpenAI's shape where an OpenAI client asks.

What clients are told never holds internals or a document's text: `detail` is one of our own
sentences. Unknown exceptions end here and in the log, which names them and where they came from,
not what they say.
"""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.errors import AssistantError
from assistant.telemetry import logger

Json = dict[str, Any]

OPENAI_PATHS = ("/v1/chat/completions", "/v1/models")
SCIM_PATHS = "/scim/v2"
MEDIA_TYPE = "application/problem+json"
SCIM_MEDIA_TYPE = "application/scim+json"

SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"

_log = logger(__name__)


class TooManyRequests(AssistantError):
    """Too many requests; wait a little and try again."""

    slug = "too-many-requests"
    status = 429
    said = "Too many attempts; try again in {} s."

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(self.said.format(retry_after_s))
        self.retry_after_s = retry_after_s


class Overloaded(TooManyRequests):
    """As many answers as can be given at once are being given; wait a little and ask again."""

    slug = "overloaded"
    said = "The assistant is answering as many questions as it can; ask again in {} s."


class RequestTooLarge(AssistantError):
    """The request is larger than 1 MB; send less."""

    slug = "request-too-large"
    status = 413


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(AssistantError, _on_error)
    app.add_exception_handler(HTTPException, _on_error)
    app.add_exception_handler(RequestValidationError, _on_error)


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    return response(error, request.url.path)


class UnknownErrors:
    """The outermost layer: what nobody caught is logged and becomes a plain 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = response(error, scope["path"])
            if not started:
                await answer(scope, receive, send)


def response(error: Exception, path: str) -> JSONResponse:
    """Return an error as the response of a request to `path`."""
    body, headers = problem(error, path)
    if path.startswith(OPENAI_PATHS):
        status = 400 if body["status"] == 422 else body["status"]
        return JSONResponse(openai_error(body), status, headers)
    if path.startswith(SCIM_PATHS):
        told = scim_error(body, error)
        return JSONResponse(told, int(told["status"]), headers, media_type=SCIM_MEDIA_TYPE)
    return JSONResponse(body, body["status"], headers, media_type=MEDIA_TYPE)


def problem(error: Exception, path: str) -> tuple[Json, dict[str, str]]:
    """Describe an error in the terms of RFC 9457, with the headers that belong to it."""
    headers: dict[str, str] = {}
    if isinstance(error, AssistantError):
        slug, status, detail = error.slug, error.status, str(error)
        if status >= 500:
            # Its own message may name servers and settings: only its class's sentence goes out.
            detail = str(type(error)())
            _log.warning("problem", slug=slug, path=path, cause=type(error.__cause__).__name__)
    elif isinstance(error, RequestValidationError):
        slug, status, detail = "invalid-request", 422, _sentence(error.errors())
    elif isinstance(error, HTTPException):
        slug, status, detail = _slug(error.status_code), error.status_code, str(error.detail)
        headers.update(error.headers or {})
    else:
        slug, status = "internal-error", 500
        detail = "Something went wrong inside the assistant; the log says where."
        _log.error("unexpected error", path=path, error=type(error).__name__, at=_places(error))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    body = {
        "type": f"urn:assistant:problem:{slug}",
        "title": _phrase(status),
        "status": status,
        "detail": detail,
        "instance": path,
    }
    return body, headers


def openai_error(body: Mapping[str, Any]) -> Json:
    """Return a problem in the shape that OpenAI clients read."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    status = body["status"]
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    code = str(body["type"]).rpartition(":")[2]
    return {"error": {"message": body["detail"], "type": kind, "param": None, "code": code}}


def scim_error(body: Mapping[str, Any], error: Exception) -> Json:
    """Return a problem in the shape of RFC 7644 (section 3.12), which knows no 422."""
    status, kind = body["status"], getattr(error, "scim_type", None)
    if status == 422:
        status, kind = 400, kind or "invalidSyntax"
    shown = {"detail": body["detail"], "status": str(status)}
    return {"schemas": [SCIM_ERROR], **({"scimType": kind} if kind else {}), **shown}


async def caught(
    events: AsyncIterator[tuple[str, Json]], path: str
) -> AsyncIterator[tuple[str, Json]]:
    """Pass on named events; an error becomes the last one, named `problem`."""
    try:
        async for event in events:
            yield event
    except Exception as error:
        yield "problem", problem(error, path)[0]


def _slug(status: int) -> str:
    return _phrase(status).lower().replace(" ", "-")


def _phrase(status: int) -> str:
    """Return the name of a status, also of nginx's for a client that has left."""
    return "Client Closed Request" if status == 499 else HTTPStatus(status).phrase


def _sentence(errors: Sequence[Any]) -> str:
    """Say which parts of a request are wrong, without repeating what they hold."""
    parts = [
        f"{'.'.join(str(part) for part in error['loc'][1:]) or error['loc'][0]}: {error['msg']}"
        for error in errors[:5]
    ]
    return "The request is not valid. " + "; ".join(parts) + "."


def _places(error: BaseException) -> list[str]:
    """Return where an exception came from, innermost last, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    if isinstance(error, BaseExceptionGroup):
        return places + [place for inner in error.exceptions[:3] for place in _places(inner)]
    return places
