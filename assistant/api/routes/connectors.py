"""The sources and their sync runs, for those who look after them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from assistant.api.deps import AssistantOf, Operator
from assistant.api.schemas.operations import (
    ConnectorBody,
    ConnectorList,
    SyncRunBody,
    SyncRunList,
)
from assistant.store.runs import list_runs
from assistant.store.sources import SourceStats, list_sources, source_named, source_stats

router = APIRouter(tags=["connectors"])


@router.get("/v1/connectors")
def connectors(assistant: AssistantOf, caller: Operator) -> ConnectorList:
    """List the sources with what they hold."""
    del caller
    with assistant.database.begin() as conn:
        sources = list_sources(conn)
        stats = source_stats(conn)
    bodies = []
    for source in sources:
        held = stats.get(source.id, SourceStats(0, 0, 0))
        bodies.append(
            ConnectorBody(
                name=source.name,
                title=source.title or source.name,
                connector=source.connector,
                industry=source.industry,
                synced_at=source.synced_at,
                groups_at=source.groups_at,
                n_documents=held.n_documents,
                n_chunks=held.n_chunks,
                n_failures=held.n_failures,
            )
        )
    return ConnectorList(connectors=bodies)


@router.get("/v1/sync-runs")
def sync_runs(
    assistant: AssistantOf,
    caller: Operator,
    source: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> SyncRunList:
    """List the newest sync runs, of one source or of all."""
    del caller
    with assistant.database.begin() as conn:
        names = {one.id: one.name for one in list_sources(conn)}
        wanted = source_named(conn, source).id if source is not None else None
        runs = list_runs(conn, wanted, limit)
    return SyncRunList(
        sync_runs=[
            SyncRunBody(
                id=run.id,
                source=names.get(run.source_id, ""),
                state=run.state,
                started_at=run.started_at,
                finished_at=run.finished_at,
                counts=run.counts,
                seconds=run.seconds,
                error=run.error,
            )
            for run in runs
        ]
    )
