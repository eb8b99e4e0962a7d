"""The sources and their sync runs, as the API says and does them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import Field, ValidationError

from ui.client import Client, Unreachable, read, segment
from ui.model import Said

ACTIVE = ("queued", "running", "paused")
SLOW_S = 120.0


class Lags(Said):
    """The four clocks: seconds by which each may be behind; None: never known."""

    content_s: float | None = None
    deletes_s: float | None = None
    access_s: float | None = None
    groups_s: float | None = None


class RunHead(Said):
    """A run in a list of sources."""

    id: int
    kind: str
    state: str
    error: str = ""


class Schedule(Said):
    """Either `every_s` seconds, or `cron` in a time zone."""

    every_s: float | None = None
    cron: str | None = None
    timezone: str = "UTC"


class Source(Said):
    """A source with what it holds and how fresh that is."""

    name: str
    title: str
    connector: str
    industry: str = ""
    synced_at: datetime | None = None
    lags: Lags = Lags()
    late: tuple[str, ...] = ()
    n_documents: int = 0
    n_chunks: int = 0
    n_failures: int = 0
    schedule: Schedule | None = None
    next_run_at: datetime | None = None
    active_run: RunHead | None = None
    last_run: RunHead | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    secrets: tuple[str, ...] = ()


class Kind(Said):
    """An installed connector; `problem` says why it can't be used."""

    name: str
    about: str = ""
    config_schema: dict[str, Any] = Field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    problem: str = ""


class Stage(Said):
    """What a stage took."""

    n: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Progress(Said):
    """How far a run is."""

    stage: str = ""
    done: int = 0
    total: int | None = None
    item: str = ""
    n_read: int = 0


class Run(RunHead):
    """A sync run; `counts` by outcome."""

    wish: str = ""
    requested_by: str = ""
    queued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: Progress = Progress()
    counts: dict[str, int] = Field(default_factory=dict)
    stages: dict[str, Stage] = Field(default_factory=dict)
    note: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it waits, runs or is paused."""
        return self.state in ACTIVE


class Failure(Said):
    """A quarantined item."""

    id: str
    error: str
    attempts: int = 1
    last_at: datetime
    next_try_at: datetime | None = None
    retryable: bool = True


class FailureGroup(Said):
    """The quarantined items of one cause, the newest of them in `failures`."""

    cause: str
    n: int
    n_retryable: int
    failures: tuple[Failure, ...] = ()


class Look(Said):
    """What a first look at a source found; `readers` counts items by who may read them."""

    ok: bool
    problem: str = ""
    n_groups: int = 0
    n_items: int = 0
    n_failed: int = 0
    readers: dict[str, int] = Field(default_factory=dict)


class FieldChange(Said):
    """A setting with what is stored and what would be."""

    field: str
    before: Any = None
    after: Any = None


class Trial(Said):
    """What a change of a source would do; without `test`, how it is reached stays."""

    changes: tuple[FieldChange, ...] = ()
    secrets: tuple[str, ...] = ()
    lists_again: bool = False
    test: Look | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """What somebody changes of a source; None in `config` takes a setting away."""

    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    title: str | None = None
    industry: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self.config or self.secrets) and self.title is self.industry is None

    @property
    def body(self) -> dict[str, Any]:
        """Return it as the API takes it."""
        return {
            "config": dict(self.config),
            "secrets": dict(self.secrets),
            "title": self.title,
            "industry": self.industry,
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """A source that somebody is adding."""

    name: str
    connector: str
    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    title: str = ""
    industry: str = ""

    @property
    def body(self) -> dict[str, Any]:
        """Return it as the API takes it."""
        return {
            "name": self.name,
            "connector": self.connector,
            "config": dict(self.config),
            "secrets": dict(self.secrets),
            "title": self.title,
            "industry": self.industry,
        }


@dataclass(frozen=True, slots=True)
class Sources:
    """Looks after the sources in the name of the client's person; raises what `Client` does."""

    client: Client

    def all(self) -> list[Source]:
        """Return all sources."""
        listed = self.client.call("GET", "/v1/connectors").json()
        return [Source.model_validate(one) for one in listed["connectors"]]

    def kinds(self) -> list[Kind]:
        """Return the installed connectors."""
        listed = self.client.call("GET", "/v1/connector-types").json()
        return [Kind.model_validate(one) for one in listed["types"]]

    def one(self, name: str) -> Source:
        """Return a source with its configuration."""
        return read(Source, self.client.call("GET", _path(name)))

    def test(self, draft: Draft, *, public: bool) -> Look:
        """Look at a source that is not stored."""
        body = {**draft.body, "public": public}
        return read(Look, self.client.call("POST", "/v1/connector-tests", body, SLOW_S))

    def add(self, draft: Draft) -> Source:
        """Store a source."""
        return read(Source, self.client.call("POST", "/v1/connectors", draft.body))

    def try_change(self, name: str, patch: Patch, *, public: bool) -> Trial:
        """Look at what a change would do; nothing is stored."""
        body = {**patch.body, "public": public}
        return read(Trial, self.client.call("POST", f"{_path(name)}/changes", body, SLOW_S))

    def change(self, name: str, patch: Patch) -> None:
        """Change some of a source."""
        self.client.call("PATCH", _path(name), patch.body)

    def remove(self, name: str) -> None:
        """Remove a source with its documents."""
        self.client.call("DELETE", _path(name), timeout_s=SLOW_S)

    def start(
        self, name: str, *, dry_run: bool = False, full: bool = False, force: bool = False
    ) -> Run:
        """Queue a run."""
        body = {"dry_run": dry_run, "full": full, "force": force}
        return read(Run, self.client.call("POST", f"{_path(name)}/runs", body))

    def steer(self, run_id: int, wish: str) -> Run:
        """Pause, resume or cancel a run."""
        return read(Run, self.client.call("POST", f"/v1/sync-runs/{run_id}/{wish}"))

    def runs(self, name: str, limit: int = 20) -> list[Run]:
        """Return the newest runs of a source."""
        query = urlencode({"source": name, "limit": limit})
        listed = self.client.call("GET", f"/v1/sync-runs?{query}").json()
        return [Run.model_validate(one) for one in listed["sync_runs"]]

    def follow(self, run_id: int) -> Generator[Run | None, None, None]:
        """Yield a run as it changes until it has ended; None while nothing happens."""
        path = f"/v1/sync-runs/{run_id}/events"
        with closing(self.client.stream("GET", path)) as stream:
            for sent in stream:
                if sent is None:
                    yield None
                    continue
                try:
                    yield Run.model_validate(sent[1])
                except ValidationError as error:
                    raise Unreachable() from error

    def failures(self, name: str) -> list[FailureGroup]:
        """Return what could not be read, by cause."""
        listed = self.client.call("GET", f"{_path(name)}/failures").json()
        return [FailureGroup.model_validate(one) for one in listed["groups"]]

    def retry(self, name: str, cause: str | None = None) -> Run:
        """Queue a run that reads quarantined items again, all or those of a cause."""
        body = {"cause": cause}
        return read(Run, self.client.call("POST", f"{_path(name)}/failures/retry", body))

    def schedule(self, name: str, wanted: Schedule | None) -> None:
        """Sync a source by itself, or only when somebody says so."""
        path = f"{_path(name)}/schedule"
        if wanted is None:
            self.client.call("DELETE", path)
        else:
            self.client.call("PUT", path, wanted.model_dump(mode="json"))


def _path(name: str) -> str:
    return f"/v1/connectors/{segment(name)}"
