"""Answers with verified citations from company documents, under access control, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI

from assistant.access.gate import Gate
from assistant.api import problems
from assistant.api.deps import State, Suggestions
from assistant.api.described import with_problems
from assistant.api.limits import Limits
from assistant.api.readiness import Readiness
from assistant.api.routes import (
    access,
    audit,
    break_glass,
    chat,
    connectors,
    conversations,
    documents,
    life_cycle,
    openai,
    operations,
    people,
    records,
    scim,
    search,
    sessions,
    syncs,
)
from assistant.api.slots import Slots
from assistant.api.throttle import SignInThrottle
from assistant.audit.log import AuditLog
from assistant.errors import AssistantError
from assistant.retrieval.retriever import Retriever
from assistant.store.people import Person
from assistant.telemetry import logger
from assistant.wiring import Assistant
from indexes.model import SearchIndexError

ROUTERS = (
    sessions.router,
    chat.router,
    openai.router,
    search.router,
    documents.router,
    records.router,
    conversations.router,
    people.router,
    access.router,
    break_glass.router,
    audit.router,
    life_cycle.router,
    connectors.router,
    syncs.router,
    scim.router,
    operations.router,
)

_TEND_EVERY_S = 15.0
_LAST_WORDS_S = 1.5

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
    app = _routed()
    app.state.own = State(
        assistant,
        suggestions,
        SignInThrottle(),
        Readiness(assistant),
        Gate(assistant.settings),
        Slots(assistant.settings.serve.answers_at_once),
    )
    problems.install(app)
    # The one added last is the outermost.
    app.add_middleware(problems.UnknownErrors)
    app.add_middleware(Limits)
    return app


def description() -> dict[str, Any]:
    """Return the OpenAPI description, which is kept in docs/reference/openapi.json."""
    return with_problems(_routed().openapi())


def _routed() -> FastAPI:
    app = FastAPI(
        title="Enterprise assistant",
        version="1",
        description=__doc__,
        lifespan=_lifespan,
        openapi_url=None,
    )
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Seal the audit log while the app runs and at its end, and let go of what was erased."""
    state: State = app.state.own
    sealing = asyncio.create_task(_tending(state.assistant))
    try:
        yield
    finally:
        sealing.cancel()
        with suppress(asyncio.CancelledError):
            await sealing
        # Answers that were cut short end in the log before it is signed for the last time.
        await state.slots.emptied(_LAST_WORDS_S)
        await _seal(state.assistant.audit, at_once=True)


async def _tending(assistant: Assistant) -> None:
    while True:
        await asyncio.sleep(_TEND_EVERY_S)
        await _seal(assistant.audit)
        await _catch_up(assistant.retriever)


async def _catch_up(retriever: Retriever) -> None:
    try:
        await asyncio.to_thread(retriever.catch_up)
    except (AssistantError, SearchIndexError) as error:
        _log.warning("index not brought up to date", cause=type(error).__name__)


async def _seal(audit: AuditLog, *, at_once: bool = False) -> None:
    try:
        await asyncio.to_thread(audit.seal if at_once else audit.seal_if_due)
    except AssistantError as error:
        _log.error("audit log not sealed", slug=error.slug)
