"""Filings and company facts of the SEC's EDGAR, by `data.sec.gov` and `www.sec.gov/Archives`.

The SEC asks that whoever fetches says who they are in the User-Agent and sends at most ten
requests a second; one connector keeps to both. Filings never change, so an accession number is the
version; a company's facts change with its filings, so the newest accession number is theirs. There
is no feed of deletions: `changes` lists again, an interrupted listing begins anew. A company that
can't be listed is a `Failed` and its documents stay.

EDGAR has no permissions. What is public there is read by those whom the configuration names, and
it must name them: `everyone` has to be written down.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, JsonValue

from connectors.confinement import PathFields
from connectors.contract import (
    Access,
    Complete,
    ConnectorError,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from connectors.media import media_type
from connectors.sidecars import Principals

TIMEOUT_S = 30.0

_ID = re.compile(r"(\d{10})/(facts|(\d{10}-\d{2}-\d{6})/([^/\\]+))")
_PLAIN_NAME = re.compile(r"[^/\\\x00]+")


class EdgarConfig(PathFields):
    """Which companies, which filings, who asks, and who may read."""

    user_agent: str = Field(
        title="Who asks",
        pattern=r"^[ -~]*[^@\s]+@[^@\s]+\.[^@\s]+[ -~]*$",
        description="company and e-mail address, such as Acme Corp it@acme.example; "
        "the SEC refuses others",
    )
    ciks: tuple[Annotated[int, Field(ge=1, le=9_999_999_999)], ...] = Field(
        min_length=1, title="Companies", description="their numbers at the SEC (CIK)"
    )
    allow: Principals = Field(
        min_length=1, title="Readers", description="user:…, group:… or, as it is public, everyone"
    )
    forms: frozenset[str] = Field(
        default=frozenset({"10-K", "10-Q", "8-K", "20-F", "6-K"}),
        title="Forms",
        description="only these; all if empty",
    )
    since: date | None = Field(default=None, title="Since", description="only filed on or after")
    facts: bool = Field(default=True, title="Facts", description="company facts, too")
    collection: str = Field(default="", title="Collection", description="what it is filed under")


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where EDGAR is and the least seconds between requests; no form can choose them."""

    data: str = "https://data.sec.gov"
    archives: str = "https://www.sec.gov"
    pace_s: float = 0.11


class Edgar:
    """Lists and reads companies' filings; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = EdgarConfig

    def __init__(self, config: EdgarConfig, hosts: Hosts | None = None) -> None:
        self._config = config
        self._hosts = hosts or Hosts()
        self._client: httpx.AsyncClient | None = None
        self._turn = asyncio.Lock()
        self._next = 0.0

    async def check(self) -> None:
        """Raise `ConnectorError` if EDGAR doesn't answer or doesn't know the first company."""
        await self._json(f"/submissions/CIK{self._config.ciks[0]:010d}.json")

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List every company, whatever the cursor, with a `Mark` after each list of filings.

        Raises `RetryLater` if EDGAR asks for patience.
        """
        done, total = 0, len(dict.fromkeys(self._config.ciks))
        for cik in dict.fromkeys(self._config.ciks):
            try:
                async for page in self._company(f"{cik:010d}"):
                    for item in page:
                        yield item
                    yield Mark(cursor=None, done=done, total=total)
            except RetryLater:
                raise
            except ConnectorError as error:
                yield Failed(id=f"{cik:010d}/", error=str(error))
            done += 1
        yield Complete(cursor=None, done=done, total=total)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a filing's document or a company's facts; raises `ConnectorError` if it's gone."""
        async with self._answer(self._url(item.id)) as response:
            async for piece in response.aiter_bytes():
                yield piece

    async def groups(self) -> AsyncIterator[Group]:
        """Yield nothing: EDGAR has no groups."""
        for group in tuple[Group, ...]():
            yield group

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _company(self, cik: str) -> AsyncIterator[list[Item]]:
        """Yield a company's items, list by list, the newest filings first."""
        head = await self._json(f"/submissions/CIK{cik}.json")
        name, seen = str(head.get("name") or cik), set[str]()
        with _understood(cik):
            recent, older = head["filings"]["recent"], head["filings"]["files"]
            page = [self._filing(cik, name, row) for row in self._rows(recent, seen)]
            if self._config.facts and any(recent.get("isXBRL", ())):
                page.append(self._facts(cik, name, recent["accessionNumber"][0]))
        yield page
        for part in older:
            with _understood(cik):
                path = str(part["name"])
            table = await self._json(f"/submissions/{quote(path, safe='')}")
            with _understood(cik):
                page = [self._filing(cik, name, row) for row in self._rows(table, seen)]
            yield page

    def _rows(self, table: dict[str, Any], seen: set[str]) -> Iterator[dict[str, str]]:
        keys = ("accessionNumber", "form", "filingDate", "primaryDocument")
        for values in zip(*(table[key] for key in keys), strict=True):
            row = dict(zip(keys, map(str, values), strict=True))
            filed = date.fromisoformat(row["filingDate"])
            wanted = not self._config.forms or row["form"] in self._config.forms
            late = self._config.since is None or filed >= self._config.since
            if wanted and late and row["accessionNumber"] not in seen:
                seen.add(row["accessionNumber"])
                yield row

    def _filing(self, cik: str, name: str, row: dict[str, str]) -> Item:
        number, filed = row["accessionNumber"], row["filingDate"]
        document = row["primaryDocument"].rpartition("/")[2] or f"{number}.txt"
        if not _PLAIN_NAME.fullmatch(document):
            raise ValueError(f"{number} has no usable document name")
        meta: dict[str, JsonValue] = {"date": filed, "form": row["form"], "company": name}
        title = f"{name} · {row['form']} · {filed}"
        return self._item(f"{cik}/{number}/{document}", number, title, document, filed, meta)

    def _facts(self, cik: str, name: str, newest: str) -> Item:
        title = f"{name} · company facts"
        return self._item(f"{cik}/facts", str(newest), title, "facts.json", "", {"company": name})

    def _item(
        self,
        item_id: str,
        version: str,
        title: str,
        document: str,
        filed: str,
        meta: dict[str, JsonValue],
    ) -> Item:
        filing = {"collection": self._config.collection} if self._config.collection else {}
        return Item(
            id=item_id,
            version=version,
            uri=self._url(item_id),
            title=title,
            media_type=media_type(document),
            modified_at=datetime.fromisoformat(filed).replace(tzinfo=UTC) if filed else None,
            access=Access(allow=self._config.allow),
            meta={**filing, "industry": "finance", **meta},
        )

    def _url(self, item_id: str) -> str:
        found = _ID.fullmatch(item_id)
        if found is None:
            raise ConnectorError(f"{item_id!r} is not a document of EDGAR; sync again.")
        cik, _, number, document = found.groups()
        if number is None:
            return f"{self._hosts.data}/api/xbrl/companyfacts/CIK{cik}.json"
        folder = f"{int(cik)}/{number.replace('-', '')}"
        return f"{self._hosts.archives}/Archives/edgar/data/{folder}/{quote(document, safe='')}"

    async def _json(self, path: str) -> dict[str, Any]:
        async with self._answer(self._hosts.data + path) as response:
            await response.aread()
            with _understood(path):
                found = response.json()
                if not isinstance(found, dict):
                    raise TypeError("it is no object")
        return found

    @asynccontextmanager
    async def _answer(self, url: str) -> AsyncIterator[httpx.Response]:
        if self._client is None:
            headers = {"User-Agent": self._config.user_agent}
            self._client = httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S, trust_env=False)
        await self._wait()
        try:
            async with self._client.stream("GET", url) as response:
                await _expect_success(response, url)
                yield response
        except httpx.TimeoutException as error:
            raise RetryLater from error
        except httpx.HTTPError as error:
            raise ConnectorError(f"{url} can't be reached ({error}); check the network.") from error

    async def _wait(self) -> None:
        async with self._turn:
            await asyncio.sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + self._hosts.pace_s


class _understood:  # noqa: N801
    """Turns an answer that isn't as documented into a sentence."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError | IndexError | TypeError | ValueError | AttributeError):
            raise ConnectorError(
                f"EDGAR's answer for {self._what} is not as documented; report this."
            ) from error


async def _expect_success(response: httpx.Response, url: str) -> None:
    if response.status_code == 200:
        return
    body = (await response.aread())[:10_000]
    crowded = response.status_code == 403 and b"Request Rate Threshold" in body
    if response.status_code in (429, 503) or crowded:
        after = response.headers.get("Retry-After", "")
        raise RetryLater(float(after) if after.isdecimal() else (600.0 if crowded else None))
    if response.status_code == 403:
        raise ConnectorError("The SEC refused the request; check who asks in the configuration.")
    raise ConnectorError(f"EDGAR answered {response.status_code} for {url}; check the number.")
