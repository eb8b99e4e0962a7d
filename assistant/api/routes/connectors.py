"""The sources: what they hold and how fresh they are; added, tried, changed, removed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, status
from pydantic import SecretStr

from assistant import wiring
from assistant.api.deps import AssistantOf, Manager, Operator
from assistant.api.schemas.connectors import (
    ConnectorBody,
    ConnectorChange,
    ConnectorDetail,
    ConnectorList,
    ConnectorPatch,
    ConnectorTrial,
    ConnectorType,
    ConnectorTypes,
    DraftTest,
    FieldChange,
    LagsBody,
    NewConnector,
    Removed,
    RunHead,
    TestBody,
    TestRequest,
    TrialBody,
)
from assistant.api.schemas.syncs import ScheduleBody
from assistant.audit.event import actor_of
from assistant.domain import Caller
from assistant.errors import AssistantError, Conflict, InvalidRequest
from assistant.ingest import configuration, connections
from assistant.ingest.connections import Completed, Draft
from assistant.ingest.lags import lags, late
from assistant.store import jobs, runs, sources
from assistant.store.database import Database
from assistant.store.sources import Source, SourceStats
from assistant.vault import vault
from assistant.wiring import Assistant
from connectors import registry
from connectors.contract import Connector, ConnectorError

router = APIRouter(tags=["connectors"])

TEST_S = 60.0


class NotInTime(AssistantError):
    """The source did not answer within a minute; check that it can be reached."""

    slug = "source-silent"
    status = 504


@router.get("/v1/connectors")
def list_connectors(assistant: AssistantOf, caller: Operator) -> ConnectorList:
    """List the sources: what they hold, their four lags, their last and their next run."""
    del caller
    return ConnectorList(connectors=_bodies(assistant.database))


@router.get("/v1/connector-types")
def connector_types(caller: Operator) -> ConnectorTypes:
    """List the installed connectors with the JSON schema of their configuration."""
    del caller
    return ConnectorTypes(types=[_type(name) for name in registry.names()])


@router.post("/v1/connectors", status_code=status.HTTP_201_CREATED)
def add_connector(assistant: AssistantOf, caller: Manager, new: NewConnector) -> ConnectorDetail:
    """Add a source; its secrets are stored sealed and never shown."""
    with assistant.database.begin() as conn:
        if new.name in {source.name for source in sources.list_sources(conn)}:
            raise Conflict(f"There is a source {new.name!r} already; change it with PUT.")
    return _put(assistant, caller, new.name, new)


@router.get("/v1/connectors/{name}")
def connector(assistant: AssistantOf, caller: Manager, name: str) -> ConnectorDetail:
    """Show a source with its configuration, and which of its secrets are set."""
    del caller
    return _detail(assistant.database, name)


@router.put("/v1/connectors/{name}")
def put_connector(
    assistant: AssistantOf, caller: Manager, name: str, change: ConnectorChange
) -> ConnectorDetail:
    """Replace a source's configuration; secrets that are not given are kept."""
    with assistant.database.begin() as conn:
        sources.source_named(conn, name)
    return _put(assistant, caller, name, change)


@router.patch("/v1/connectors/{name}")
def patch_connector(
    assistant: AssistantOf, caller: Manager, name: str, patch: ConnectorPatch
) -> ConnectorDetail:
    """Change some of a source; what is left out stays."""
    return _put(assistant, caller, name, _patched(assistant.database, name, patch))


@router.delete("/v1/connectors/{name}")
def delete_connector(assistant: AssistantOf, caller: Manager, name: str) -> Removed:
    """Remove a source; its documents leave with it."""
    with assistant.database.begin() as conn:
        source = sources.source_named(conn, name)
    actor = actor_of(caller)
    n_documents = connections.remove(assistant.database, assistant.audit, source, actor)
    return Removed(n_documents=n_documents)


@router.post("/v1/connectors/{name}/test")
async def test_connector(
    assistant: AssistantOf, caller: Manager, name: str, wanted: TestRequest
) -> TestBody:
    """Look at a source without storing anything; refuses one that everyone could read."""
    del caller
    source = await asyncio.to_thread(_source, assistant.database, name)
    confinement = wiring.confinement(assistant.settings)
    made = wiring.connector(assistant.settings, source, confined=confinement)
    return await _tried(made, name, public=wanted.public)


test_connector.__test__ = False  # type: ignore[attr-defined]


@router.post("/v1/connector-tests")
async def test_draft(assistant: AssistantOf, caller: Manager, wanted: DraftTest) -> TestBody:
    """Look at a source that is not added yet; nothing is stored, its secrets neither."""
    del caller
    confinement = wiring.confinement(assistant.settings)
    made = await asyncio.to_thread(wiring.drafted, _draft(wanted.name, wanted), confinement)
    return await _tried(made, wanted.name, public=wanted.public)


test_draft.__test__ = False  # type: ignore[attr-defined]


@router.post("/v1/connectors/{name}/changes")
async def try_change(
    assistant: AssistantOf, caller: Manager, name: str, trial: ConnectorTrial
) -> TrialBody:
    """Look at what a change of a source would do, with the secrets it has; nothing is stored."""
    del caller
    found = await asyncio.to_thread(_completed, assistant, name, trial)
    test = None
    if found.changes or found.replaced:
        source = await asyncio.to_thread(_source, assistant.database, name)
        draft = Draft(name, source.connector, found.stored, found.secrets)
        confinement = wiring.confinement(assistant.settings)
        made = await asyncio.to_thread(wiring.drafted, draft, confinement)
        test = await _tried(made, name, public=trial.public)
    return TrialBody(
        changes=[FieldChange(field=n, before=old, after=new) for n, old, new in found.changes],
        secrets=sorted(found.replaced),
        lists_again=found.lists_again,
        test=test,
    )


async def _tried(made: Connector, name: str, *, public: bool) -> TestBody:
    found = connections.Look()
    try:
        found = await asyncio.wait_for(connections.look(made), TEST_S)
        problem = "" if public else found.objection(name, "`public`")
    except TimeoutError as error:
        raise NotInTime() from error
    except ConnectorError as error:
        problem = str(error)
    return TestBody(
        ok=not problem,
        problem=problem,
        n_groups=found.n_groups,
        n_items=found.n_items,
        n_failed=found.n_failed,
        readers=dict(found.readers.most_common(100)),
    )


def _completed(assistant: Assistant, name: str, patch: ConnectorPatch) -> Completed:
    draft = _draft(name, _patched(assistant.database, name, patch))
    confinement = wiring.confinement(assistant.settings)
    with assistant.database.begin() as conn:
        return connections.completed(conn, partial(vault, assistant.settings), draft, confinement)


def _patched(database: Database, name: str, patch: ConnectorPatch) -> ConnectorChange:
    """Return a source as it would be with some of it changed."""
    before = _source(database, name)
    merged = {**before.config, **patch.config}
    return ConnectorChange(
        connector=before.connector,
        config={field: value for field, value in merged.items() if value is not None},
        secrets=patch.secrets,
        title=before.title if patch.title is None else patch.title,
        industry=before.industry if patch.industry is None else patch.industry,
    )


def _source(database: Database, name: str) -> Source:
    with database.begin() as conn:
        return sources.source_named(conn, name)


def _put(
    assistant: Assistant, caller: Caller, name: str, change: ConnectorChange
) -> ConnectorDetail:
    draft = _draft(name, change)
    with assistant.database.begin() as conn:
        connections.put(
            conn,
            assistant.audit,
            partial(vault, assistant.settings),
            draft,
            actor_of(caller),
            wiring.confinement(assistant.settings),
        )
    return _detail(assistant.database, name)


def _draft(name: str, change: ConnectorChange) -> Draft:
    return Draft(
        name,
        change.connector,
        change.config,
        _given(change.secrets),
        change.title,
        change.industry,
    )


def _given(secrets: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
    for name, secret in secrets.items():
        if not secret.get_secret_value():
            raise InvalidRequest(f"The secret {name!r} is empty; give it, or leave it out.")
    return secrets


def _detail(database: Database, name: str) -> ConnectorDetail:
    source = _source(database, name)
    (body,) = _bodies(database, source)
    return ConnectorDetail(
        **body.model_dump(), config=source.config, secrets=sorted(source.secrets)
    )


def _bodies(database: Database, only: Source | None = None) -> list[ConnectorBody]:
    with database.begin() as conn:
        wanted = sources.list_sources(conn) if only is None else [only]
        stats = sources.source_stats(conn)
        newest = runs.newest_runs(conn)
        now = sources.clock(conn)
        active = {source.id: jobs.active_run(conn, source.id) for source in wanted}
    bodies = []
    for source in wanted:
        held = stats.get(source.id, SourceStats(0, 0, 0))
        behind = lags(source, now)
        bodies.append(
            ConnectorBody(
                name=source.name,
                title=source.title or source.name,
                connector=source.connector,
                industry=source.industry,
                synced_at=source.synced_at,
                groups_at=source.groups_at,
                lags=LagsBody(
                    content_s=behind.content_s,
                    deletes_s=behind.deletes_s,
                    access_s=behind.access_s,
                    groups_s=behind.groups_s,
                ),
                late=late(source, now),
                n_documents=held.n_documents,
                n_chunks=held.n_chunks,
                n_failures=held.n_failures,
                schedule=ScheduleBody.model_validate(source.schedule) if source.schedule else None,
                next_run_at=source.next_run_at,
                active_run=_head(active[source.id]),
                last_run=_head(newest.get(source.id)),
            )
        )
    return bodies


def _head(run: runs.SyncRun | None) -> RunHead | None:
    if run is None:
        return None
    return RunHead(
        id=run.id,
        kind=run.kind,
        state=run.state,
        queued_at=run.queued_at,
        finished_at=run.finished_at,
        error=run.error,
    )


def _type(name: str) -> ConnectorType:
    try:
        config = configuration.connector_class(name).Config
        secrets = [field.name for field in configuration.fields(config) if field.secret]
    except AssistantError as error:
        return ConnectorType(name=name, about="", config_schema={}, secrets=[], problem=str(error))
    return ConnectorType(
        name=name,
        about=(config.__doc__ or "").strip().split("\n", 1)[0],
        config_schema=config.model_json_schema(),
        secrets=secrets,
    )
