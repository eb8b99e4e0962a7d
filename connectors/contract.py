"""The whole contract between a source of documents and the sync engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, JsonValue


class Frozen(BaseModel):
    """An immutable value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Access(Frozen):
    """Who may read an item, in the source's own principals (`user:…`, `group:…`, `everyone`).

    An empty `allow` means nobody: unknown permissions fail closed. `deny` wins over `allow`.
    A reader must also hold every principal of `all_of`.
    """

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    all_of: frozenset[str] = frozenset()


class Item(Frozen):
    """A document that exists in the source now; its body is fetched only if `version` changed.

    `id` is stable in the source. `version` is whatever changes with the content: an etag, a
    commit, a file id with size and time, or a content hash. `meta` may carry `collection`,
    `industry`, `lang` and `date`, which become search filters.
    """

    id: str
    version: str
    uri: str
    title: str = ""
    media_type: str = "application/octet-stream"
    modified_at: datetime | None = None
    access: Access = Access()
    meta: dict[str, JsonValue] = {}


class Gone(Frozen):
    """The source says that this item was deleted."""

    id: str


class Failed(Frozen):
    """An item that could not be listed: kept as it was, retried, shown to the admin.

    An `id` that ends with `/` stands for everything whose id begins with it: a folder that could
    not be listed. An `id` that is no item's (a broken access file) is only shown.
    """

    id: str
    error: str


class Mark(Frozen):
    """Everything yielded before this is listed: a crash resumes from `cursor`."""

    cursor: JsonValue
    done: int = 0
    total: int | None = None


class Complete(Mark):
    """Nothing else exists: what an unbroken run did not see is gone.

    Only legal in a run that began at `None`.
    """


class Group(Frozen):
    """A group of the source; `members` may be groups.

    `title` is what people call it, where its id isn't that; it is shown, and decides nothing.
    """

    id: str
    members: frozenset[str]
    title: str = ""


class ConnectorError(Exception):
    """A source could not be used; the message is a sentence an admin can act on."""


class CursorExpired(ConnectorError):
    """The source no longer knows this cursor (HTTP 410, new UIDVALIDITY): list afresh."""


class RetryLater(ConnectorError):
    """The source asks for patience (HTTP 429 or 503)."""

    def __init__(self, after_s: float | None = None) -> None:
        when = f"in {after_s:g} s" if after_s else "later"
        super().__init__(f"The source is busy or does not answer; try again {when}.")
        self.after_s = after_s


class Connector(Protocol):
    """A transport: where documents are, what changed, and who may read them.

    `Config.reach`, a class variable, may name the fields that say where secrets are sent; without
    it every field does. Secrets outlive no change of these: they are asked for anew.
    """

    Config: ClassVar[type[BaseModel]]

    def __init__(self, config: Any) -> None: ...

    async def check(self) -> None:
        """Raise `ConnectorError`, with a sentence an admin can act on, if it can't be used."""

    def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Yield what changed since a cursor; `None` lists from nothing."""

    def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield the body of an item in pieces."""

    def groups(self) -> AsyncIterator[Group]:
        """Yield the groups of the source with their direct members."""

    async def aclose(self) -> None:
        """Release what the connector holds."""


@runtime_checkable
class Receiving(Protocol):
    """A connector whose source sends: what it received is listed by `changes`."""

    async def receive(self, ready: Callable[[str], None]) -> None:
        """Receive until cancelled; `ready` is told the address once somebody may send there."""
