"""Rows of a database as documents: PostgreSQL or SQLite, only read.

An item's id is `KIND/ID.SUFFIX`, its version a hash of title and body. The first run lists every
row in the order of the ids. Where each kind has a change column, later runs list the rows whose
change column is not below the highest value so far less an overlap, except what was listed before
exactly so; rows marked as deleted are `Gone`. Rows that vanish without a mark are found when
everything is listed again, after `relist_hours` (`CursorExpired`). Where a kind has no change
column, every run lists all.

What was listed since the last `Mark` is kept in memory, so `fetch` needs no query of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    model_validator,
)

from connectors.confinement import PathFields, path_fields
from connectors.contract import (
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
)
from connectors.sql_cursor import Place, Reach, Value, lowered
from connectors.sql_listing import Listing
from connectors.sql_row import Document, Kind, Row, document, is_deleted, item_id, row_id

if TYPE_CHECKING:
    from connectors.sql_database import Database

PIECE_BYTES = 65_536

_DIALECTS = ("postgresql", "sqlite")
_SOCKETS = "/run/postgresql"
_OPTIONS = frozenset({"host", "port", "sslmode", "sslrootcert"})


def _address(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError("write postgresql://USER@HOST:PORT/DATABASE or sqlite:///PATH") from error
    if parts.get_backend_name() not in _DIALECTS or "+" in parts.drivername:
        raise ValueError("only postgresql:// and sqlite:// are known")
    if parts.password:
        raise ValueError("the password has a field of its own")
    if unknown := set(parts.query) - _OPTIONS:
        raise ValueError(f"there is no option {sorted(unknown)[0]!r} here")
    if not parts.database:
        raise ValueError("the address names no database")
    return url


def _local_paths(url: str) -> Iterator[Path]:
    from sqlalchemy.engine import make_url

    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        yield Path(parts.database or "")
        return
    named = [parts.host or "", *parts.normalized_query.get("host", ())]
    hosts = [unquote(host) for one in named for host in one.split(",") if host]
    # Without a host, and where a name begins with / or @, libpq takes a socket of this machine.
    yield from (Path(host) for host in hosts or [_SOCKETS] if host.startswith(("/", "@")))
    certificates = parts.normalized_query.get("sslrootcert", ())
    yield from (Path(one) for one in certificates if one != "system")


class SqlConfig(PathFields):
    """Which database, which rows of it, and what they become."""

    reach: ClassVar[frozenset[str]] = frozenset({"url"})
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, title="Database"
    )

    url: Annotated[str, AfterValidator(_address)] = Field(
        title="Address",
        description="postgresql://USER@HOST:PORT/DATABASE (?sslmode=verify-full) or "
        "sqlite:///PATH; a user who may only read",
    )
    password: SecretStr = Field(default=SecretStr(""), title="Password")
    kinds: tuple[Kind, ...] = Field(
        min_length=1, title="Documents", description="one entry for each kind of documents"
    )
    groups_query: str = Field(
        default="", title="Groups", description="a SELECT of two columns: group, member"
    )
    overlap: float = Field(
        default=60,
        ge=0,
        title="Overlap",
        description="how far below the highest change each run begins, for rows committed late: "
        "seconds for times, a difference for numbers",
    )
    relist_hours: float = Field(
        default=24,
        ge=0,
        title="Full listing",
        description="hours after which everything is listed again, to find deleted rows; 0 is "
        "always",
    )
    timeout_s: float = Field(
        default=60, gt=0, le=3600, title="Time limit", description="seconds for a statement"
    )

    @model_validator(mode="after")
    def _has_names(self) -> Self:
        names = [kind.name for kind in self.kinds]
        if len(names) != len(set(names)):
            raise ValueError("two kinds of documents have the same name")
        return self

    def local_paths(self) -> Iterator[Path]:
        """Yield the given paths, and those of a file, a socket or a certificate in the address."""
        yield from path_fields(self)
        yield from _local_paths(self.url)


class Sql:
    """Lists and reads the rows of one database; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = SqlConfig

    def __init__(self, config: SqlConfig) -> None:
        self._config = config
        self._kinds: Mapping[str, Kind] = {kind.name: kind for kind in config.kinds}
        self._opened: Database | None = None
        self._bodies: dict[str, bytes] = {}

    async def check(self) -> None:
        """Raise `ConnectorError` if a query can't be used or a row of it is no document."""
        await asyncio.to_thread(self._check)

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Yield the rows that changed, with a `Mark` every 100.

        Raises `ConnectorError`, `RetryLater` while the database is busy or starting, and
        `CursorExpired` when it is time to list everything.
        """
        now = datetime.now(UTC)
        place = Place(now) if since is None else Place.of(since)
        if since is None or place.full:
            async for event in self._all(place, now):
                yield event
            return
        hours = timedelta(hours=self._config.relist_hours)
        if place.kinds.keys() != self._kinds.keys() or now - place.began >= hours:
            raise CursorExpired("It is time to list all rows, to find those that were deleted.")
        for kind in self._config.kinds:
            async for step in self._later(kind, place, now):
                if isinstance(step, Place):
                    place = step
                    yield Mark(cursor=place.cursor)
                else:
                    yield step
        yield Mark(cursor=place.cursor)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield what a row says; raises `ConnectorError` if it is gone."""
        body = self._bodies.get(item.id)
        if body is None:
            body = await asyncio.to_thread(self._read, item)
        for start in range(0, len(body), PIECE_BYTES):
            yield body[start : start + PIECE_BYTES]

    async def groups(self) -> AsyncIterator[Group]:
        """Yield the groups that the query of the configuration gives."""
        if self._config.groups_query.strip():
            for group in await asyncio.to_thread(self._groups):
                yield group

    async def aclose(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await asyncio.to_thread(self._opened.close)
            self._opened = None

    async def _all(self, place: Place, now: datetime) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List every row of every kind, from where an interrupted listing stopped."""
        names = list(self._kinds)
        if place.full and place.full not in names:
            raise CursorExpired("The kinds of documents changed; everything is listed afresh.")
        for name in names[names.index(place.full) if place.full else 0 :]:
            kind = self._kinds[name]
            if name not in place.kinds:
                reach, failed = await asyncio.to_thread(self._begun, kind, now)
                place = replace(place, kinds={**place.kinds, name: reach}, full=name, at=())
                for problem in failed:
                    yield problem
            listing = Listing(kind, self._config.overlap, now, place.kinds[name], is_full=True)
            async for page in self._pages(kind, (kind.id,), None, place.at):
                events = self._events(listing, page)
                for event in events:
                    yield event
                kinds = {**place.kinds, name: replace(place.kinds[name], seen=listing.seen)}
                done = place.done + sum(isinstance(event, Item) for event in events)
                place = replace(place, kinds=kinds, full=name, at=(page[-1][kind.id],), done=done)
                yield Mark(cursor=place.cursor, done=done)
        place = replace(place, full="", at=())
        relists = self._config.relist_hours == 0 or not all(k.changed for k in self._kinds.values())
        cursor = None if relists else replace(place, done=0).cursor
        yield Complete(cursor=cursor, done=place.done, total=place.done)

    async def _later(
        self, kind: Kind, place: Place, now: datetime
    ) -> AsyncIterator[Item | Gone | Failed | Place]:
        """List what changed in one kind; a `Place` follows each page."""
        reach = place.kinds[kind.name]
        listing = Listing(kind, self._config.overlap, now, reach)
        order = (kind.changed, kind.id)
        async for page in self._pages(kind, order, reach.low, reach.after):
            for event in self._events(listing, page):
                yield event
            after = tuple(page[-1][column] for column in order)
            unfinished = {**place.kinds, kind.name: replace(reach, after=after)}
            yield replace(place, kinds=unfinished)
        yield replace(place, kinds={**place.kinds, kind.name: listing.reach})

    async def _pages(
        self, kind: Kind, order: tuple[str, ...], low: Value | None, after: tuple[Value, ...]
    ) -> AsyncIterator[list[Row]]:
        walk = self._database().pages(kind, order, low, after)
        try:
            while page := await asyncio.to_thread(next, walk, None):
                self._bodies.clear()
                yield page
        finally:
            self._bodies.clear()
            await asyncio.to_thread(walk.close)

    def _events(self, listing: Listing, page: list[Row]) -> list[Item | Gone | Failed]:
        events: list[Item | Gone | Failed] = []
        for row in page:
            for listed in listing.look(row):
                if isinstance(listed, Document):
                    self._bodies[listed.item.id] = listed.body
                    events.append(listed.item)
                else:
                    events.append(listed)
        return events

    def _begun(self, kind: Kind, now: datetime) -> tuple[Reach, list[Failed]]:
        database = self._database()
        failed = []
        if database.lacks_an_id(kind):
            why = f"Rows of {kind.name} have nothing in {kind.id}, so they can't be documents."
            failed.append(Failed(id=f"{kind.name} (no id)", error=why))
        if not kind.changed:
            return Reach(), failed
        high = database.highest(kind)
        return Reach(low=lowered(high, self._config.overlap, now)), failed

    def _check(self) -> None:
        database = self._database()
        for kind in self._config.kinds:
            row = database.first(kind)
            if row is None:
                continue
            document(kind, row)
            if kind.changed:
                lowered(row[kind.changed], self._config.overlap, datetime.now(UTC))
        if self._config.groups_query.strip():
            with closing(database.pairs(self._config.groups_query)) as pairs:
                next(pairs, None)

    def _read(self, item: Item) -> bytes:
        kind = self._kinds.get(item.id.partition("/")[0])
        if kind is not None:
            for row in self._database().rows(kind, *row_id(kind, item.id)):
                if item_id(kind, row[kind.id]) == item.id and not is_deleted(kind, row):
                    return document(kind, row).body
        raise ConnectorError(f"There is no row {item.id!r} any more; the next run removes it.")

    def _groups(self) -> list[Group]:
        members: dict[str, set[str]] = {}
        for group, member in self._database().pairs(self._config.groups_query):
            if group is None:
                continue
            name = str(group).removeprefix("group:").strip()
            found = members.setdefault(f"group:{name}", set())
            if member is not None and (text := str(member).strip()):
                found.add(text if text.startswith(("user:", "group:")) else f"user:{text}")
        return [Group(id=name, members=frozenset(members[name])) for name in sorted(members)]

    def _database(self) -> Database:
        if self._opened is None:
            from connectors.sql_database import Database

            config = self._config
            password = config.password.get_secret_value()
            self._opened = Database(config.url, password, config.timeout_s)
        return self._opened
