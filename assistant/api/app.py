"""The API as one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from assistant.api import problems
from assistant.api.deps import State, Suggestions
from assistant.api.limits import Limits
from assistant.api.readiness import Readiness
from assistant.api.routes import (
    audit,
    chat,
    connectors,
    conversations,
    documents,
    openai,
    operations,
    search,
    sessions,
)
from assistant.api.throttle import SignInThrottle
from assistant.audit.log import AuditLog
from assistant.errors import AssistantError
from assistant.store.people import Person
from assistant.telemetry import logger
from assistant.wiring import Assistant

_SEAL_EVERY_S = 15.0

_log = logger(__name__)


def no_suggestions(person: Person) -> Sequence[str]:
    """Suggest nothing to anybody."""
    del person
    return ()


def create_app(assistant: Assistant, suggestions: Suggestions = no_suggestions) -> FastAPI:
    """Return the API over an assembled assistant.

    `suggestions` gives the questions that the chat offers to a person; they are shown only to
    people who may read something.
    """
    app = FastAPI(
        title="Enterprise assistant",
        version="1",
        description=__doc__,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.own = State(assistant, suggestions, SignInThrottle(), Readiness(assistant))
    problems.install(app)
    for module in (
        sessions,
        chat,
        openai,
        search,
        documents,
        conversations,
        audit,
        connectors,
        operations,
    ):
        app.include_router(module.router)
    # The last one added is the outermost.
    app.add_middleware(Limits)
    return app
