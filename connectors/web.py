"""A web site as a source: the pages that its sitemaps list, as far as robots.txt allows them.

An item's id is the page's URL. Its version is the sitemap's lastmod, else what a HEAD request
tells (ETag, Last-Modified), else the SHA-256 of the page. The site has no delete feed, so
`changes` always lists everything: what no sitemap lists any more is gone. Its cursor is how many
pages were listed, with a digest of their URLs: where the sitemaps changed since, all is listed
again. A sitemap or robots.txt that can't be read is a `Failed` that keeps all pages it may hold.

Every request goes through `connectors.egress`: allowed hosts only, public addresses only.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, Field, JsonValue, ValidationError

from connectors import egress
from connectors.confinement import PathFields
from connectors.contract import (
    Access,
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Frozen,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from connectors.egress import EgressRefused, Gate, Place
from connectors.http import Answer, Client, Interrupted, Limits
from connectors.media import media_type
from connectors.sidecars import Principals
from connectors.site import Site, unavailable
from connectors.sitemap import Entry

ITEMS_PER_MARK = 100
PATIENCE = 5
"""So many pages in a row may stay silent before the site counts as down."""
PRODUCT = "enterprise-assistant"


def _url(value: str) -> str:
    try:
        return egress.parse(value).url
    except EgressRefused as error:
        raise ValueError(str(error)) from error


Url = Annotated[str, AfterValidator(_url)]


class WebConfig(PathFields):
    """Which site, which of its pages, and who may read them."""

    site: Url = Field(title="Site", description="such as https://docs.example.com/")
    sitemaps: tuple[Url, ...] = Field(
        default=(), description="their URLs; else those of robots.txt, else /sitemap.xml"
    )
    allowed: tuple[Url, ...] = Field(
        default=(), description="only pages below these URLs; else all of the site's host"
    )
    internal_hosts: frozenset[str] = Field(
        default=frozenset(),
        description="host names that may lead to private addresses: an intranet of your own",
    )
    ca_file: Path | None = Field(
        default=None, title="Authority", description="PEM file of a company's own authority"
    )
    allow: Principals = Field(
        default=frozenset(), description="readers, such as everyone or group:sales; empty is nobody"
    )
    collection: str = Field(default="", description="collection of the pages")
    industry: str = Field(default="", description="industry of the pages")
    trust_lastmod: bool = Field(
        default=True, description="off: ask for each page whether it changed, which takes longer"
    )
    pace_s: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="seconds between requests; robots.txt may ask for more",
    )
    max_pages: int = Field(default=100_000, ge=1, le=1_000_000, description="more stop the run")
    max_bytes: int = Field(
        default=20_000_000, ge=1, le=100_000_000, description="larger pages fail"
    )
    timeout_s: float = Field(default=30.0, gt=0, le=600, description="patience with the server")

    def prefixes(self) -> tuple[Place, ...]:
        """Return what pages must lie below."""
        whole = egress.parse(self.site)
        below = self.allowed or (f"{whole.scheme}://{whole.authority}/",)
        return tuple(egress.parse(url) for url in below)

    def gate(self) -> Gate:
        """Return where connections may go."""
        places = [egress.parse(url) for url in (self.site, *self.sitemaps, *self.allowed)]
        return Gate(
            hosts=frozenset(place.authority for place in places),
            internal=frozenset(host.lower().strip("[]") for host in self.internal_hosts),
            schemes=frozenset({"https", *(place.scheme for place in places)}),
        )


class Cursor(Frozen):
    """How many pages were passed, which, and how many of them were listed."""

    n_passed: int = 0
    digest: str = ""
    done: int = 0


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a request told about a page."""

    version: str
    media_type: str
    modified_at: datetime | None


class Web:
    """Lists and reads one site; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = WebConfig

    def __init__(self, config: WebConfig) -> None:
        self._config = config
        limits = Limits(
            max_bytes=config.max_bytes, timeout_s=config.timeout_s, pace_s=config.pace_s
        )
        agent = f"{PRODUCT}/0.1"
        self._client = Client(config.gate(), limits, agent, ca_file=config.ca_file)
        self._site = Site(
            self._client,
            egress.parse(config.site),
            sitemaps=config.sitemaps,
            prefixes=config.prefixes(),
            product=PRODUCT,
        )
        self._n_silent = 0

    async def check(self) -> None:
        """Raise `ConnectorError` if robots.txt or the first sitemap can't be read."""
        try:
            await self._site.learn(egress.parse(self._config.site))
            first = self._site.sitemaps()[0]
            async with aclosing(self._site.entries(first)) as entries:
                async for _ in entries:
                    return
        except RetryLater as error:
            raise ConnectorError(
                f"{egress.shown(self._config.site)} doesn't answer in time; try again later."
            ) from error
        raise ConnectorError(f"The sitemap {first} lists nothing; give another one.")

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List all pages, with a `Mark` every 100 of them."""
        start = _cursor(since)
        n_passed, done, digest = 0, start.done, hashlib.sha256()
        seen: set[bytes] = set()
        async for found in self._site.pages():
            if isinstance(found, Failed):
                yield found
                continue
            place, entry = found
            key = hashlib.sha256(place.url.encode()).digest()[:12]
            if key in seen:
                continue
            seen.add(key)
            n_passed += 1
            if n_passed > self._config.max_pages:
                raise ConnectorError(
                    f"The site lists more than {self._config.max_pages} pages; raise max_pages."
                )
            digest.update(key)
            if n_passed <= start.n_passed:
                _expect_same(start, n_passed, digest.hexdigest())
                continue
            event = await self._look_at(place, entry)
            if event is not None:
                done += isinstance(event, Item)
                yield event
            if n_passed % ITEMS_PER_MARK == 0:
                at = Cursor(n_passed=n_passed, digest=digest.hexdigest(), done=done)
                yield Mark(cursor=at.model_dump(mode="json"), done=done)
        if n_passed < start.n_passed:
            raise CursorExpired("The sitemaps list less than before; they are listed afresh.")
        yield Complete(cursor=None, done=done, total=done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a page in pieces; raises `ConnectorError` if it is gone or no longer allowed."""
        place = self._client.gate.place(item.id)
        await self._site.learn(place)
        try:
            async with self._site.ask("GET", place) as answer:
                if answer.status != 200:
                    raise ConnectorError(unavailable(place, answer.status))
                async with aclosing(answer.pieces) as pieces:
                    async for piece in pieces:
                        yield piece
            self._n_silent = 0
        except Interrupted as error:
            raise self._silent(place, error) from error

    async def groups(self) -> AsyncIterator[Group]:
        """Yield nothing: a web site has no groups."""
        nothing: tuple[Group, ...] = ()
        for group in nothing:
            yield group

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _look_at(self, place: Place, entry: Entry) -> Item | Failed | None:
        """Return a page as an item; None if it is gone."""
        facts: _Facts | None = None
        if self._config.trust_lastmod and entry.modified_at is not None:
            kind = media_type(place.target.partition("?")[0])
            kind = "text/html" if kind == "application/octet-stream" else kind
            facts = _Facts(f"lastmod:{entry.lastmod}", kind, entry.modified_at)
        else:
            try:
                facts = await self._ask_for(place)
                self._n_silent = 0
            except Interrupted as error:
                return Failed(id=place.url, error=str(self._silent(place, error)))
            except RetryLater:
                raise
            except ConnectorError as error:
                return Failed(id=place.url, error=str(error))
        return None if facts is None else self._item(place, facts)

    async def _ask_for(self, place: Place) -> _Facts | None:
        async with self._site.ask("HEAD", place) as answer:
            if answer.status in (404, 410):
                return None
            if answer.status == 200 and (version := _version(answer)):
                return _facts(answer, version)
        digest = hashlib.sha256()
        async with self._site.ask("GET", place) as answer:
            if answer.status in (404, 410):
                return None
            if answer.status != 200:
                raise ConnectorError(unavailable(place, answer.status))
            async with aclosing(answer.pieces) as pieces:
                async for piece in pieces:
                    digest.update(piece)
            return _facts(answer, f"sha256:{digest.hexdigest()}")

    def _silent(self, place: Place, error: Interrupted) -> ConnectorError:
        """Return what to say of a silent page; raises `RetryLater` if it is the fifth in a row."""
        self._n_silent += 1
        if self._n_silent >= PATIENCE:
            self._n_silent = 0
            raise RetryLater from error
        return ConnectorError(f"{egress.shown(place.url)} did not answer in time.")

    def _item(self, place: Place, facts: _Facts) -> Item:
        config = self._config
        meta: dict[str, JsonValue] = {
            key: value for key in ("collection", "industry") if (value := getattr(config, key))
        }
        if facts.modified_at is not None:
            meta["date"] = facts.modified_at.date().isoformat()
        return Item(
            id=place.url,
            version=facts.version,
            uri=place.url,
            media_type=facts.media_type,
            modified_at=facts.modified_at,
            access=Access(allow=config.allow),
            meta=meta,
        )


def _cursor(since: JsonValue) -> Cursor:
    if since is None:
        return Cursor()
    try:
        return Cursor.model_validate(since)
    except ValidationError as error:
        raise CursorExpired("The site's cursor is not one of its own; list afresh.") from error


def _expect_same(start: Cursor, n_passed: int, digest: str) -> None:
    if n_passed == start.n_passed and digest != start.digest:
        raise CursorExpired("The sitemaps changed in between; they are listed afresh.")


def _version(answer: Answer) -> str:
    if etag := answer.headers.get("etag", ""):
        return f"etag:{etag}"[:500]
    if modified := answer.headers.get("last-modified", ""):
        return f"modified:{modified}"[:500]
    return ""


def _facts(answer: Answer, version: str) -> _Facts:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    modified: datetime | None
    try:
        modified = parsedate_to_datetime(answer.headers.get("last-modified", ""))
    except (TypeError, ValueError):
        modified = None
    if modified is not None and modified.tzinfo is None:
        modified = modified.replace(tzinfo=UTC)
    return _Facts(version, kind if "/" in kind else "text/html", modified)
