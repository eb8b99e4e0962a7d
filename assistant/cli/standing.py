"""How a source stands, as a row of a table or as JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.ingest.lags import Lags
from assistant.store.runs import SyncRun
from assistant.store.sources import Source, SourceStats

COLUMNS = (
    "source",
    "documents",
    "quarantined",
    "run",
    "next run",
    "content",
    "deletes",
    "access",
    "groups",
)
"""The last four are lags."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A source with what it holds, its newest run, the run under way, and its lags."""

    source: Source
    stats: SourceStats
    last: SyncRun | None
    active: SyncRun | None
    lags: Lags

    def row(self) -> tuple[object, ...]:
        """Return it as a row under `COLUMNS`."""
        run = self.active or self.last
        return (
            self.source.name,
            self.stats.n_documents,
            self.stats.n_failures,
            run.state if run else "never run",
            at(self.source.next_run_at),
            *(ago(seconds) for seconds in dataclasses.astuple(self.lags)),
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "name": self.source.name,
            "connector": self.source.connector,
            "documents": self.stats.n_documents,
            "chunks": self.stats.n_chunks,
            "quarantined": self.stats.n_failures,
            "synced_at": self.source.synced_at,
            "groups_at": self.source.groups_at,
            "lags": dataclasses.asdict(self.lags),
            "schedule": self.source.schedule,
            "next_run_at": self.source.next_run_at,
            "active_run": {"id": self.active.id, "state": self.active.state}
            if self.active
            else None,
            "last_run": run_json(self.last) if self.last else None,
        }


def run_json(run: SyncRun) -> dict[str, Any]:
    """Return a run as JSON."""
    return {
        "id": run.id,
        "kind": run.kind,
        "state": run.state,
        "queued_at": run.queued_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "counts": run.counts,
        "seconds": run.seconds,
        "stages": run.stages,
        "error": run.error,
        "note": run.note,
        "curation": run.curation,
    }


def at(moment: datetime | None) -> str:
    """Return a moment in local time, or nothing."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


def ago(seconds: float | None) -> str:
    """Return a duration in the largest unit that it fills."""
    if seconds is None:
        return "never"
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
