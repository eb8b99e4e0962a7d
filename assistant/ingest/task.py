"""What a sync run is asked to do, and one pass over its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from assistant.store.jobs import Held
from assistant.store.runs import Failure, Kind, SyncRun
from connectors.contract import Item


@dataclass(frozen=True, slots=True)
class Task:
    """What a run does: `sync`, `dry_run`, or `retry` of what is quarantined.

    `full` reads every document again, `force` lifts the mass-delete guard. A retry takes all
    quarantined items, those of a cause, those of some ids, or those whose next try is `due`.
    """

    kind: Kind = "sync"
    full: bool = False
    force: bool = False
    cause: str | None = None
    ids: tuple[str, ...] = ()
    due: bool = False

    @classmethod
    def of(cls, run: SyncRun) -> Task:
        """Return what a queued run is to do."""
        given = run.options
        ids, cause = given.get("ids"), given.get("cause")
        return cls(
            run.kind,
            full=bool(given.get("full")),
            force=bool(given.get("force")),
            cause=cause if isinstance(cause, str) else None,
            ids=tuple(map(str, ids)) if isinstance(ids, list) else (),
            due=bool(given.get("due")),
        )

    @property
    def options(self) -> Mapping[str, JsonValue]:
        """Return what is stored with a queued run."""
        given: dict[str, JsonValue] = {
            "full": self.full,
            "force": self.force,
            "cause": self.cause,
            "ids": list(self.ids),
            "due": self.due,
        }
        return {name: value for name, value in given.items() if value}

    def chosen(self, failures: Iterable[Failure], now: datetime) -> list[Item]:
        """Return the items to retry: those that could not even be listed need a listing."""
        return [
            Item.model_validate(failure.item)
            for failure in failures
            if failure.item is not None
            and (self.cause is None or failure.cause == self.cause)
            and (not self.ids or failure.external_id in self.ids)
            and (not self.due or (failure.next_try_at is not None and failure.next_try_at <= now))
        ]


@dataclass(slots=True)
class Pass:
    """One listing of the source; `cursor` is the newest committed mark.

    `began_here`: this run listed everything itself, rather than going on where one had stopped.
    `began_at` is when the whole pass began, perhaps in an earlier run; None where nothing is
    listed, so that there is no progress to keep.
    """

    held: Held
    whole: bool
    run_no: int
    cursor: JsonValue
    began_here: bool
    began_at: datetime | None
