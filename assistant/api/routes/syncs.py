"""Sync runs: started, watched, paused and cancelled; schedules; what could not be read."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from assistant.access.gate import Presented
from assistant.api import problems
from assistant.api.deps import (
    AssistantOf,
    Credentials,
    Manager,
    Operator,
    Permitted,
    Runner,
    State,
    StateOf,
)
from assistant.api.schemas.syncs import (
    FailureBody,
    FailureGroup,
    FailureGroups,
    NewRun,
    Retry,
    RunState,
    ScheduleBody,
    Scheduled,
    SyncRunBody,
    SyncRunList,
)
from assistant.audit.event import Event, SourceChanged, actor_of
from assistant.domain import Caller
from assistant.ingest import jobs
from assistant.ingest.schedule import schedule
from assistant.ingest.task import Task
from assistant.store import jobs as queue
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.runs import Failure, Wish
from assistant.wiring import Assistant

router = APIRouter(tags=["sync runs"])

STREAM = """`progress` with the run as JSON whenever it has changed, and last `done` with the run as
it ended, or `problem` (RFC 9457)."""

WATCH_S = 0.5
N_SHOWN = 50

RunId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post("/v1/connectors/{name}/runs", status_code=status.HTTP_202_ACCEPTED)
def start_run(assistant: AssistantOf, caller: Runner, name: str, new: NewRun) -> SyncRunBody:
    """Queue a run of a source for a worker; 409 while one waits, runs or is paused."""
    task = Task("dry_run" if new.dry_run else "sync", full=new.full, force=new.force)
    return _started(assistant, caller, name, task)


@router.get("/v1/sync-runs")
def sync_runs(
    assistant: AssistantOf,
    caller: Operator,
    source: Annotated[str | None, Query(max_length=64)] = None,
    state: Annotated[list[RunState] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> SyncRunList:
    """List the newest sync runs, of one source or of all, in some states or in any."""
    del caller
    with assistant.database.begin() as conn:
        names = {one.id: one.name for one in sources.list_sources(conn)}
        wanted = sources.source_named(conn, source).id if source is not None else None
        found = runs.list_runs(conn, wanted, limit, state)
    return SyncRunList(
        sync_runs=[SyncRunBody.of(run, names.get(run.source_id, "")) for run in found]
    )


@router.get("/v1/sync-runs/{run_id}")
def sync_run(assistant: AssistantOf, caller: Operator, run_id: RunId) -> SyncRunBody:
    """Show a run: its counts, and n, bytes and seconds of each stage."""
    del caller
    return _run(assistant.database, run_id)


@router.post("/v1/sync-runs/{run_id}/pause", status_code=status.HTTP_202_ACCEPTED)
def pause_run(assistant: AssistantOf, caller: Runner, run_id: RunId) -> SyncRunBody:
    """Pause a run at its next item; what its marks have committed stays."""
    return _steered(assistant, caller, run_id, "pause")


@router.post("/v1/sync-runs/{run_id}/resume", status_code=status.HTTP_202_ACCEPTED)
def resume_run(assistant: AssistantOf, caller: Runner, run_id: RunId) -> SyncRunBody:
    """Let a paused run go on from its last mark."""
    return _steered(assistant, caller, run_id, "")


@router.post("/v1/sync-runs/{run_id}/cancel", status_code=status.HTTP_202_ACCEPTED)
def cancel_run(assistant: AssistantOf, caller: Runner, run_id: RunId) -> SyncRunBody:
    """Cancel a run at its next item; what its marks have committed stays."""
    return _steered(assistant, caller, run_id, "cancel")


def watched(assistant: AssistantOf, caller: Operator, run_id: RunId) -> int:
    """Give the id of a run to a route that follows it; raises `NotFound` before it begins."""
    del caller
    return _run(assistant.database, run_id).id


@router.get(
    "/v1/sync-runs/{run_id}/events",
    response_class=EventSourceResponse,
    responses={200: {"description": STREAM}},
)
async def run_events(
    request: Request,
    state: StateOf,
    credentials: Credentials,
    followed: Annotated[int, Depends(watched)],
) -> AsyncIterator[ServerSentEvent]:
    """Follow a run, whichever process does it."""
    told = _told(state, credentials, followed)
    async for name, data in problems.caught(told, request.url.path):
        yield ServerSentEvent(event=name, data=data)


@router.get("/v1/connectors/{name}/failures")
def failures(
    assistant: AssistantOf,
    caller: Operator,
    name: str,
    cause: Annotated[str | None, Query(max_length=64)] = None,
) -> FailureGroups:
    """List what could not be read of a source, grouped by cause."""
    del caller
    with assistant.database.begin() as conn:
        source = sources.source_named(conn, name)
        found = runs.list_failures(conn, source.id, cause=cause, limit=10_000)
    by_cause: dict[str, list[Failure]] = defaultdict(list)
    for failure in found:
        by_cause[failure.cause].append(failure)
    groups = [_group(cause, of_cause) for cause, of_cause in by_cause.items()]
    groups.sort(key=lambda group: (-group.n, group.cause))
    return FailureGroups(source=name, n=len(found), groups=groups)


@router.post("/v1/connectors/{name}/failures/retry", status_code=status.HTTP_202_ACCEPTED)
def retry_failures(assistant: AssistantOf, caller: Runner, name: str, wanted: Retry) -> SyncRunBody:
    """Queue a run that reads only quarantined items again: all, one cause, or some ids."""
    task = Task("retry", cause=wanted.cause, ids=tuple(wanted.ids))
    return _started(assistant, caller, name, task)


@router.put("/v1/connectors/{name}/schedule")
def put_schedule(
    assistant: AssistantOf, caller: Manager, name: str, wanted: ScheduleBody
) -> Scheduled:
    """Sync a source by itself: at an interval, or by a cron expression in a time zone."""
    chosen = schedule(wanted.every_s, wanted.cron, wanted.timezone)
    with assistant.database.begin() as conn:
        source = sources.source_named(conn, name)
        due_at = chosen.first(sources.clock(conn))
        queue.set_schedule(conn, source.id, chosen.model_dump(mode="json"), due_at)
        changed = SourceChanged(name, "scheduled")
        assistant.audit.append(conn, Event(actor_of(caller), changed))
    return Scheduled(schedule=wanted, next_run_at=due_at)


@router.delete("/v1/connectors/{name}/schedule", status_code=status.HTTP_204_NO_CONTENT)
def delete_schedule(assistant: AssistantOf, caller: Manager, name: str) -> None:
    """Sync a source only when somebody says so."""
    with assistant.database.begin() as conn:
        source = sources.source_named(conn, name)
        queue.set_schedule(conn, source.id, None, None)
        changed = SourceChanged(name, "unscheduled")
        assistant.audit.append(conn, Event(actor_of(caller), changed))


async def _told(
    state: State, credentials: Presented, run_id: int
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield a run as it changes; whoever may no longer see sources is told no more."""
    may_see = Permitted("see_sources")
    told: dict[str, Any] = {}
    while True:
        await asyncio.to_thread(may_see, state, credentials)
        body = await asyncio.to_thread(_run, state.assistant.database, run_id)
        now = body.model_dump(mode="json")
        if body.state not in runs.ACTIVE:
            yield "done", now
            return
        if {**now, "beat_at": None} != {**told, "beat_at": None}:
            told = now
            yield "progress", now
        await asyncio.sleep(WATCH_S)


def _run(database: Database, run_id: int) -> SyncRunBody:
    with database.begin() as conn:
        run = runs.run_of(conn, run_id)
        return SyncRunBody.of(run, sources.source_of(conn, run.source_id).name)


def _started(assistant: Assistant, caller: Caller, name: str, task: Task) -> SyncRunBody:
    with assistant.database.begin() as conn:
        source = sources.source_named(conn, name)
    run_id = jobs.start(assistant.database, assistant.audit, source, task, actor_of(caller))
    return _run(assistant.database, run_id)


def _steered(assistant: Assistant, caller: Caller, run_id: int, wish: Wish) -> SyncRunBody:
    jobs.steer(assistant.database, assistant.audit, run_id, wish, actor_of(caller))
    return _run(assistant.database, run_id)


def _group(cause: str, found: list[Failure]) -> FailureGroup:
    return FailureGroup(
        cause=cause,
        n=len(found),
        n_retryable=sum(failure.item is not None for failure in found),
        failures=[
            FailureBody(
                id=failure.external_id,
                error=failure.error,
                attempts=failure.attempts,
                first_at=failure.first_at,
                last_at=failure.last_at,
                next_try_at=failure.next_try_at,
                retryable=failure.item is not None,
            )
            for failure in found[:N_SHOWN]
        ],
    )
