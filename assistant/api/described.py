"""The problems that each route may answer with, added to the OpenAPI description."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from assistant.api.problems import MEDIA_TYPE, OPENAI_PATHS, SCIM_MEDIA_TYPE, SCIM_PATHS

Json = dict[str, Any]

_ALWAYS = (413, 422, 503)
_SIGNED_IN = (401, 403)
_OF_NAMED_THINGS = (404,)
_OF_CHANGES = (409, 429, 504, 507)

PROBLEM: Json = {
    "title": "Problem",
    "description": "What went wrong and what to do next (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "description": "`urn:assistant:problem:` and a slug"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
    },
}

SCIM_PROBLEM: Json = {
    "title": "ScimError",
    "description": "What went wrong (RFC 7644, section 3.12).",
    "type": "object",
    "required": ["schemas", "status", "detail"],
    "properties": {
        "schemas": {"type": "array", "items": {"type": "string"}},
        "scimType": {"type": "string"},
        "detail": {"type": "string"},
        "status": {"type": "string"},
    },
}


def with_problems(description: Json) -> Json:
    """Add to every route the statuses of the problems it may answer with."""
    schemas = description["components"]["schemas"]
    schemas |= {"Problem": PROBLEM, "ScimError": SCIM_PROBLEM}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            for status in _statuses(path, method, operation):
                _add(operation["responses"], path, status)
    return description


def _statuses(path: str, method: str, operation: Json) -> tuple[int, ...]:
    if path.startswith(SCIM_PATHS):
        # SCIM's clients know no 422 either.
        changing = () if method == "get" else _OF_CHANGES
        return (400, 413, 503, *_SIGNED_IN, *_OF_NAMED_THINGS, *changing)
    if not path.startswith("/v1/"):
        return ()
    statuses = _ALWAYS + (_SIGNED_IN if operation.get("security") else (401,))
    if operation.get("parameters") or operation.get("requestBody"):
        statuses += _OF_NAMED_THINGS
    if method != "get":
        statuses += _OF_CHANGES
    # OpenAI's clients know no 422.
    return (*statuses, 400) if path.startswith(OPENAI_PATHS) else statuses


def _add(responses: Json, path: str, status: int) -> None:
    if path.startswith(OPENAI_PATHS):
        content: Json = {"application/json": {}}
    elif path.startswith(SCIM_PATHS):
        content = {SCIM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ScimError"}}}
    else:
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    phrase = "Content Too Large" if status == 413 else HTTPStatus(status).phrase
    responses[str(status)] = {"description": phrase, "content": content}
