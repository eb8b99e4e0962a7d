"""Sources: what they hold, how fresh they are, and how they are added and tried."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, JsonValue, SecretStr, StringConstraints

from assistant.api.schemas.questions import Request
from assistant.api.schemas.syncs import RunState, ScheduleBody

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class LagsBody(BaseModel):
    """Seconds by which the catalog may be behind the source; null: never known.

    `content_s`: new and changed documents; `deletes_s`: documents that are gone; `access_s`: who
    may read each document; `groups_s`: who is in which group.
    """

    content_s: float | None
    deletes_s: float | None
    access_s: float | None
    groups_s: float | None


class RunHead(BaseModel):
    """A run in a list of sources."""

    id: int
    kind: str
    state: RunState
    queued_at: datetime
    finished_at: datetime | None
    error: str


class ConnectorBody(BaseModel):
    """A source with what it holds; its configuration is shown only to those who may change it.

    `late` names the clocks that are late: older than two turns of the schedule, or a day without
    one. `active_run` waits, runs or is paused; `last_run` is the newest that is no dry run.
    """

    name: str
    title: str
    connector: str
    industry: str
    synced_at: datetime | None
    groups_at: datetime | None
    lags: LagsBody
    late: list[Literal["content", "deletes", "access", "groups"]]
    n_documents: int
    n_chunks: int
    n_failures: int
    schedule: ScheduleBody | None
    next_run_at: datetime | None
    active_run: RunHead | None
    last_run: RunHead | None


class ConnectorList(BaseModel):
    """All sources."""

    connectors: list[ConnectorBody]


class ConnectorDetail(ConnectorBody):
    """A source with its configuration; of `secrets` only the names of those that are set."""

    config: dict[str, JsonValue]
    secrets: list[str]


class ConnectorType(BaseModel):
    """An installed connector; `config_schema` is the JSON schema of its form.

    Properties with `writeOnly` are secrets: send them in `secrets`, not in `config`. `problem`
    says why a connector can't be used.
    """

    name: str
    about: str
    config_schema: dict[str, Any]
    secrets: list[str]
    problem: str = ""


class ConnectorTypes(BaseModel):
    """The installed connectors."""

    types: list[ConnectorType]


class ConnectorChange(Request):
    """How a source is to be; secrets that are not given are kept."""

    connector: Name
    config: dict[str, JsonValue] = Field(default_factory=dict)
    secrets: dict[str, SecretStr] = Field(default_factory=dict)
    title: Title = ""
    industry: Title = ""


class NewConnector(ConnectorChange):
    """A source to add; `name` has a-z, 0-9, - and _."""

    name: Name


class ConnectorPatch(Request):
    """What to change of a source; what is left out stays.

    Fields of `config` replace those of the same name, null takes one away.
    """

    config: dict[str, JsonValue] = Field(default_factory=dict)
    secrets: dict[str, SecretStr] = Field(default_factory=dict)
    title: Title | None = None
    industry: Title | None = None


class ConnectorTrial(ConnectorPatch):
    """What to change of a source, to look at first; `public` accepts what everyone may read."""

    public: bool = False


class TestRequest(Request):
    """How to try a source; `public` accepts items that everyone may read."""

    __test__ = False

    public: bool = False


class DraftTest(NewConnector):
    """A source to try before it is added; `public` accepts items that everyone may read."""

    public: bool = False


class TestBody(BaseModel):
    """What a first look found; `problem` says why the source should not be used as it is.

    `readers` counts the items of the first page by who may read them.
    """

    __test__ = False

    ok: bool
    problem: str
    n_groups: int
    n_items: int
    n_failed: int
    readers: dict[str, int]


class FieldChange(BaseModel):
    """A setting with what is stored and what would be; null: nothing, the default holds."""

    field: str
    before: JsonValue
    after: JsonValue


class TrialBody(BaseModel):
    """What a change of a source would do; nothing is stored.

    `secrets` are those that would be replaced. If it `lists_again`, the next sync begins from
    nothing. `test` is missing where what the source is reached by stays.
    """

    changes: list[FieldChange]
    secrets: list[str]
    lists_again: bool
    test: TestBody | None


class Removed(BaseModel):
    """A source was removed, with so many documents."""

    n_documents: int
