"""A FHIR R4 server as a source: each resource is a document.

With `deletes: listing` every run pages through all resources, and what is missing is gone; what
didn't change is not fetched again. With `deletes: history` later runs ask for
`_lastUpdated=ge…` and for the deletions in `TYPE/_history?_since=…`. With `deletes: export` the
server writes everything that changed into NDJSON files (Bulk Data Access IG 2.0, `$export`).

An incremental run starts ten seconds before the last one by the server's clock: what is
listed twice has the same version. Pages follow `next` links; a server that doesn't hold its
result still may skip a resource that moves meanwhile, until it changes again or a full listing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
from pydantic import BaseModel, JsonValue

from connectors.compartments import AccessMap, access_of
from connectors.contract import (
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from connectors.fhirform import FhirConfig
from connectors.smart import BackendService, access_token

MEDIA_TYPE = "application/fhir+json"
MAX_PAGE_BYTES = 64 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
LINES_PER_MARK = 500
OVERLAP = timedelta(seconds=10)
_ID = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}")

Event = Item | Gone | Failed | Mark


class Fhir:
    """Lists and fetches resources; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = FhirConfig

    def __init__(self, config: FhirConfig) -> None:
        self._config = config
        self._client = httpx.AsyncClient(timeout=config.timeout_s, trust_env=False)
        self._rules = AccessMap(config.allow, config.labels, config.patient_group)
        self._token = (config.token.get_secret_value(), float("inf"))
        if config.token_url:
            self._token = ("", 0.0)

    async def check(self) -> None:
        """Raise `ConnectorError` if the first resource type can't be searched."""
        await self._json(self._search(self._config.types[0], None, 1))

    async def changes(self, since: JsonValue) -> AsyncIterator[Event]:
        """Yield what changed, with a `Mark` a page or every 500 lines of an export."""
        cursor = _cursor(since)
        events = self._exported if self._config.deletes == "export" else self._searched
        async for event in events(cursor):
            yield event

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a resource as JSON; raises `ConnectorError` if it is gone."""
        if not _ID.fullmatch(item.id):
            raise ConnectorError(f"{item.id!r} is not a resource of this server.")
        async with self._open(f"{self._config.url}/{item.id}") as answer:
            async for piece in answer.aiter_bytes(65_536):
                yield piece

    async def groups(self) -> AsyncIterator[Group]:
        """Yield nothing: FHIR has no groups of readers."""
        nothing: tuple[Group, ...] = ()
        for group in nothing:
            yield group

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _searched(self, cursor: dict[str, Any]) -> AsyncIterator[Event]:
        since, done = cursor.get("since"), int(cursor.get("done", 0))
        resumed, start = cursor.get("next"), cursor.get("start")
        seen, listed = set[str](), int(cursor.get("listed", 0))
        steps = [(kind, step) for kind in self._config.types for step in _steps(since)]
        for n in range(int(cursor.get("step", 0)), len(steps)):
            kind, step = steps[n]
            url = resumed or self._step(kind, step, since)
            resumed = None
            while url:
                bundle, date = await self._json(url, resuming=bool(cursor.get("next")))
                start = start or date
                for event in self._events(bundle, step, seen):
                    done += isinstance(event, Item)
                    listed += 1
                    yield event
                url = self._next(bundle, url)
                if not url and step == "search" and listed < int(bundle.get("total") or 0):
                    yield _short(kind, listed, int(bundle["total"]))
                listed = listed if url else 0
                state = {"since": since, "start": start, "done": done, "listed": listed}
                place: dict[str, Any] = (
                    {"step": n, "next": url} if url else {"step": n + 1, "next": None}
                )
                yield Mark(cursor={**state, **place}, done=done)
        if self._config.deletes == "listing":
            yield Complete(cursor=None, done=done)
        else:
            kind_of_end = Mark if since else Complete
            yield kind_of_end(cursor={"since": start}, done=done)

    def _events(self, bundle: Any, step: str, seen: set[str]) -> list[Item | Gone | Failed]:
        events = list[Item | Gone | Failed]()
        for entry in bundle.get("entry") or ():
            if step == "history":
                gone = _deleted(entry)
                name = gone or "{resourceType}/{id}".format_map(_Blank(entry.get("resource") or {}))
                if gone and name not in seen:
                    events.append(Gone(id=gone))
                seen.add(name)
            elif (entry.get("search") or {}).get("mode", "match") == "match":
                events.append(self._item(entry.get("resource") or {}))
        return events

    async def _exported(self, cursor: dict[str, Any]) -> AsyncIterator[Event]:
        since, done = cursor.get("since"), int(cursor.get("done", 0))
        status = cursor.get("status") or await self._kick_off(since)
        manifest = await self._manifest(status, resuming="status" in cursor)
        files = [("deleted", one["url"]) for one in manifest.get("deleted") or () if since]
        files += [("output", one["url"]) for one in manifest.get("output") or ()]
        skip = int(cursor.get("line", 0))
        for n in range(int(cursor.get("file", 0)), len(files)):
            part, url = files[n]
            line = 0
            async for text in self._lines(self._own(url, status)):
                line += 1
                if line <= skip:
                    continue
                for event in self._line(text, part):
                    done += isinstance(event, Item)
                    yield event
                if line % LINES_PER_MARK == 0:
                    place = {"status": status, "file": n, "line": line}
                    yield Mark(cursor={"since": since, "done": done, **place}, done=done)
            skip = 0
        kind_of_end = Mark if since else Complete
        yield kind_of_end(cursor={"since": manifest["transactionTime"]}, done=done)

    def _line(self, text: str, part: str) -> list[Item | Gone | Failed]:
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ConnectorError("A line of the export is not JSON; export again.") from error
        if part == "output":
            return [self._item(value)]
        return [Gone(id=g) for entry in value.get("entry") or () if (g := _deleted(entry))]

    async def _kick_off(self, since: str | None) -> str:
        query = {"_type": ",".join(self._config.types), **({"_since": since} if since else {})}
        url = f"{self._config.url}/$export?{urlencode(query)}"
        async with self._open(url, {"Prefer": "respond-async"}) as answer:
            place = answer.headers.get("Content-Location", "")
        if answer.status_code != 202 or not place:
            raise ConnectorError("The server didn't start an export; choose another way.")
        return self._own(place, url)

    async def _manifest(self, status: str, *, resuming: bool) -> dict[str, Any]:
        deadline = time.monotonic() + self._config.export_s
        while True:
            async with self._open(self._own(status, status), resuming=resuming) as answer:
                body = await _body(answer)
            if answer.status_code != 202:
                break
            pause = _seconds(answer) or 1.0
            if time.monotonic() + pause > deadline:
                raise ConnectorError("The export takes too long; wait longer or ask for less.")
            await asyncio.sleep(pause)
        manifest = _parsed(body)
        if not isinstance(manifest.get("transactionTime"), str):
            raise ConnectorError("The export's manifest has no time; ask who runs the server.")
        return manifest

    async def _lines(self, url: str) -> AsyncIterator[str]:
        rest = b""
        async with self._open(url, {"Accept": "application/fhir+ndjson"}) as answer:
            async for piece in answer.aiter_bytes():
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > MAX_LINE_BYTES:
                    raise ConnectorError(
                        "A line of the export is larger than 16 MiB; leave it out."
                    )
                for line in lines:
                    if line.strip():
                        yield line.decode("utf-8", "replace")
        if rest.strip():
            yield rest.decode("utf-8", "replace")

    def _step(self, kind: str, step: str, since: str | None) -> str:
        if step == "history":
            query = urlencode({"_since": since, "_count": self._config.page_size})
            return f"{self._config.url}/{kind}/_history?{query}"
        return self._search(kind, since, self._config.page_size)

    def _search(self, kind: str, since: str | None, count: int) -> str:
        query = {"_count": str(count), "_sort": "_lastUpdated"}
        if since:
            query["_lastUpdated"] = f"ge{since}"
        return f"{self._config.url}/{kind}?{urlencode(query)}"

    def _next(self, bundle: Mapping[str, Any], url: str) -> str | None:
        for link in bundle.get("link") or ():
            if link.get("relation") == "next" and link.get("url"):
                following = self._own(str(link["url"]), url)
                if following == url:
                    raise ConnectorError(
                        "The server's next page is the same page; ask who runs it."
                    )
                return following
        return None

    def _own(self, url: str, base: str) -> str:
        """Resolve an address of the server; the token must never go to another host."""
        whole = urljoin(base, url)
        mine, other = urlsplit(self._config.url), urlsplit(whole)
        if (mine.scheme, mine.netloc) != (other.scheme, other.netloc):
            raise ConnectorError(
                f"The server points to another host ({other.hostname}), which is not followed; "
                "let it know its public address."
            )
        return whole

    def _item(self, resource: Mapping[str, Any]) -> Item | Failed:
        name = f"{resource.get('resourceType', '')}/{resource.get('id', '')}"
        if not _ID.fullmatch(name):
            return Failed(id=name, error=f"The server listed {name!r}, which has no proper id.")
        meta = resource.get("meta") or {}
        updated = str(meta.get("lastUpdated", ""))
        version = f"{meta['versionId']} {updated}" if meta.get("versionId") else updated
        if not version:
            canonical = json.dumps(resource, sort_keys=True).encode()
            version = "sha256:" + hashlib.sha256(canonical).hexdigest()
        return Item(
            id=name,
            version=version,
            uri=f"{self._config.url}/{name}",
            media_type=MEDIA_TYPE,
            modified_at=_instant(updated),
            access=access_of(resource, self._rules),
        )

    async def _json(self, url: str, *, resuming: bool = False) -> tuple[dict[str, Any], str]:
        async with self._open(url, resuming=resuming) as answer:
            bundle = _parsed(await _body(answer))
        if bundle.get("resourceType") != "Bundle":
            raise ConnectorError(
                f"{self._config.url} doesn't answer like FHIR; check the base URL."
            )
        return bundle, _server_time(answer)

    @asynccontextmanager
    async def _open(
        self, url: str, headers: Mapping[str, str] | None = None, *, resuming: bool = False
    ) -> AsyncIterator[httpx.Response]:
        sent = {"Accept": MEDIA_TYPE, **await self._authorization(), **(headers or {})}
        try:
            async with self._client.stream("GET", url, headers=sent) as answer:
                self._expect(answer, resuming)
                yield answer
        except httpx.TimeoutException as error:
            raise RetryLater from error
        except httpx.HTTPError as error:
            raise ConnectorError(
                f"{self._config.url} can't be reached ({type(error).__name__}); check the address."
            ) from error

    def _expect(self, answer: httpx.Response, resuming: bool) -> None:
        status = answer.status_code
        if status in (429, 503):
            raise RetryLater(_seconds(answer))
        if resuming and status in (404, 410):
            raise CursorExpired("The server forgot the page; it is listed afresh.")
        if status in (401, 403):
            raise ConnectorError(f"The server refuses access (HTTP {status}); check the token.")
        if status not in (200, 202):
            where = answer.url.path
            raise ConnectorError(f"The server answers HTTP {status} for {where}; check its log.")

    async def _authorization(self) -> dict[str, str]:
        config = self._config
        if time.monotonic() >= self._token[1]:
            key = config.private_key.get_secret_value()
            service = BackendService(
                config.token_url, config.client_id, config.key_id, config.scope, key
            )
            self._token = await access_token(service, self._client)
        return {"Authorization": f"Bearer {self._token[0]}"} if self._token[0] else {}


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def _steps(since: str | None) -> tuple[str, ...]:
    return ("history", "search") if since else ("search",)


def _short(kind: str, listed: int, total: int) -> Failed:
    error = f"The server counts {total} of {kind} but listed {listed}; the others are kept."
    return Failed(id=f"{kind}/", error=error)


def _deleted(entry: Mapping[str, Any]) -> str:
    request = entry.get("request") or {}
    name = "/".join(str(request.get("url", "")).split("/_history/")[0].split("/")[-2:])
    return name if request.get("method") == "DELETE" and _ID.fullmatch(name) else ""


def _cursor(since: JsonValue) -> dict[str, Any]:
    if since is None:
        return {}
    if isinstance(since, dict) and "since" in since:
        return dict(since)
    raise CursorExpired("The cursor is not one of this server; it is listed afresh.")


async def _body(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > MAX_PAGE_BYTES:
            raise ConnectorError("A page is larger than 64 MiB; ask for fewer resources a page.")
    return bytes(body)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise ConnectorError("The server's answer is not JSON; check the base URL.") from error
    if not isinstance(value, dict):
        raise ConnectorError("The server's answer is not a FHIR resource; check the base URL.")
    return value


def _seconds(answer: httpx.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return min(float(value), 3600.0) if value.isdigit() else None


def _server_time(answer: httpx.Response) -> str:
    try:
        now = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        now = datetime.now(UTC)
    return (now.astimezone(UTC) - OVERLAP).isoformat(timespec="seconds").replace("+00:00", "Z")


def _instant(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
