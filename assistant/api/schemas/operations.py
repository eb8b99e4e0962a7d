"""What operators and auditors are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class CheckBody(BaseModel):
    """Whether one thing works."""

    ok: bool
    detail: str


class Ready(BaseModel):
    """Whether questions can be answered now; `checks`: database, index, audit, generator."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, CheckBody]


class ConnectorBody(BaseModel):
    """A source with what it holds; its configuration is never shown."""

    name: str
    title: str
    connector: str
    industry: str
    synced_at: datetime | None
    groups_at: datetime | None
    n_documents: int
    n_chunks: int
    n_failures: int


class ConnectorList(BaseModel):
    """All sources."""

    connectors: list[ConnectorBody]


class SyncRunBody(BaseModel):
    """One run of a source; `counts` by outcome, `seconds` by stage."""

    id: int
    source: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]
    seconds: dict[str, float]
    error: str


class SyncRunList(BaseModel):
    """Runs, the newest first."""

    sync_runs: list[SyncRunBody]


class VerificationBody(BaseModel):
    """What hashing the whole audit log again found."""

    ok: bool
    n_events: int
    n_heads: int
    n_sealed: int
    first_bad_seq: int | None
    reason: str
