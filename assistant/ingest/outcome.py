"""How a sync run ended, and what it had done by then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assistant.ingest.heartbeat import Reason
from assistant.ingest.progress import Counts
from assistant.store import runs

ENDINGS: dict[Reason | None, tuple[runs.RunState, str]] = {
    "pause": ("paused", ""),
    "cancel": ("cancelled", "Cancelled; what was committed stays."),
    "requeue": ("queued", ""),
    "fenced": ("stopped", "Another run has taken over this source."),
    None: ("stopped", "Interrupted; the next run goes on from here."),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did; `note` is what a dry run says of the mass-delete guard."""

    source: str
    counts: Counts
    seconds: Mapping[str, float]
    run_id: int = 0
    state: runs.RunState = "done"
    stages: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    note: str = ""
