"""A web site as robots see it: its hosts, their robots.txt, its sitemaps and pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from tempfile import SpooledTemporaryFile
from typing import IO, Literal
from urllib.parse import unquote

from connectors import robots, sitemap
from connectors.contract import ConnectorError, Failed, RetryLater
from connectors.egress import EgressRefused, Place, shown
from connectors.http import PIECE_BYTES, Answer, Client
from connectors.robots import Robots
from connectors.sitemap import Entry

MAX_SITEMAPS = 1_000
MAX_DEPTH = 3
SPOOLED_BYTES = 4_194_304


class Site:
    """Walks one site through a client; `product` is the name that robots.txt may use for us."""

    def __init__(
        self,
        client: Client,
        home: Place,
        *,
        sitemaps: tuple[str, ...],
        prefixes: tuple[Place, ...],
        product: str,
    ) -> None:
        self._client = client
        self._home = home
        self._sitemaps = sitemaps
        self._prefixes = prefixes
        self._product = product
        self._robots: dict[str, Robots] = {}

    async def pages(self) -> AsyncIterator[tuple[Place, Entry] | Failed]:
        """Yield the allowed pages of all sitemaps, and a `Failed` for what can't be looked into."""
        for failed in await self._unlearned():
            yield failed
        waiting = [(url, 1) for url in reversed(self.sitemaps())]
        known = {url for url, _ in waiting}
        while waiting:
            url, depth = waiting.pop()
            try:
                async with aclosing(self.entries(url)) as entries:
                    async for entry in entries:
                        if entry.is_sitemap and entry.url not in known:
                            known.add(entry.url)
                            _expect_few(url, depth, len(known))
                            waiting.append((entry.url, depth + 1))
                        elif (place := self._page(entry)) is not None:
                            yield place, entry
            except RetryLater:
                raise
            except ConnectorError as error:
                for host in self._hosts():
                    yield Failed(id=_everything(host), error=str(error))

    async def _unlearned(self) -> list[Failed]:
        """Read every robots.txt; a host whose rules are unknown is left alone and kept."""
        found = []
        for place in self._hosts():
            try:
                await self.learn(place)
            except RetryLater:
                raise
            except ConnectorError as error:
                found.append(Failed(id=_everything(place), error=str(error)))
        return found

    def _hosts(self) -> list[Place]:
        found = {place.authority: place for place in self._prefixes}
        return list(found.values())

    def _page(self, entry: Entry) -> Place | None:
        try:
            place = self._client.gate.place(entry.url)
        except EgressRefused:
            return None
        return place if not entry.is_sitemap and self.admits(place) else None

    def admits(self, place: Place) -> bool:
        """Return whether a page may be fetched: below a prefix, and allowed by known rules."""
        rules = self._robots.get(place.authority)
        inside = any(_is_below(place, prefix) for prefix in self._prefixes)
        return inside and rules is not None and rules.allows(place.target)

    async def learn(self, place: Place) -> None:
        """Read a host's robots.txt once; 4xx means that all is allowed (RFC 9309, 2.3.1.3)."""
        if place.authority in self._robots:
            return
        url = f"{place.scheme}://{place.authority}/robots.txt"
        content = b""
        async with self._client.ask(url, pace_s=0) as answer:
            if answer.status >= 500:
                raise ConnectorError(unavailable(answer.place, answer.status))
            if answer.status == 200:
                async with aclosing(answer.pieces) as pieces:
                    async for piece in pieces:
                        content += piece
                        if len(content) >= robots.MAX_BYTES:
                            break
        self._robots[place.authority] = robots.parse(content, self._product)

    def sitemaps(self) -> list[str]:
        """Return the URLs of the sitemaps: those given, else what robots.txt names."""
        place = self._home
        found = list(self._sitemaps)
        if not found:
            rules = self._robots.get(place.authority, Robots())
            found = [url for url in rules.sitemaps if self._is_reachable(url)]
        return found or [f"{place.scheme}://{place.authority}/sitemap.xml"]

    def _is_reachable(self, url: str) -> bool:
        try:
            self._client.gate.place(url)
        except EgressRefused:
            return False
        return True

    async def entries(self, url: str) -> AsyncGenerator[Entry, None]:
        """Yield what one sitemap lists; raises `ConnectorError` if it can't be read."""
        async with self._client.ask(url, max_bytes=sitemap.MAX_BYTES) as answer:
            if answer.status != 200:
                raise ConnectorError(unavailable(answer.place, answer.status))
            # Whole first: who takes the entries is slow, the server's patience is short.
            with SpooledTemporaryFile(max_size=SPOOLED_BYTES) as file:
                async with aclosing(answer.pieces) as pieces:
                    async for piece in pieces:
                        file.write(piece)
                file.seek(0)
                async for entry in sitemap.entries(_spooled(file), shown(url)):
                    yield entry

    def ask(
        self, method: Literal["GET", "HEAD"], place: Place
    ) -> AbstractAsyncContextManager[Answer]:
        """Request a page at the pace that is polite; redirects stay among the allowed pages."""
        rules = self._robots.get(place.authority, Robots())
        pace_s = max(self._client.limits.pace_s, rules.delay_s)
        return self._client.ask(place.url, method=method, admits=self.admits, pace_s=pace_s)


async def _spooled(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece


def _everything(host: Place) -> str:
    return f"{host.scheme}://{host.authority}/"


def _expect_few(url: str, depth: int, n_sitemaps: int) -> None:
    if depth >= MAX_DEPTH or n_sitemaps > MAX_SITEMAPS:
        raise ConnectorError(f"{shown(url)} leads to too many sitemaps; name those that are meant.")


def _is_below(place: Place, prefix: Place) -> bool:
    """Whether a place lies in a folder, also after a server has resolved dots in the path."""
    path, folder = unquote(place.target.partition("?")[0]), unquote(prefix.target)
    parts = path.replace("\\", "/").split("/")
    if place.authority != prefix.authority or "." in parts or ".." in parts:
        return False
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def unavailable(place: Place, status: int) -> str:
    """Return a sentence for a status that is not 200."""
    if status in (404, 410):
        return f"{shown(place.url)} is gone ({status}); check the URL."
    if status in (401, 403):
        return f"{shown(place.url)} is not public ({status}); the site wants a login."
    return f"{shown(place.url)} can't be had; the server answered {status}."
