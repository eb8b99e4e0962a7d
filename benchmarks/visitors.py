"""Clients of the API under load: they ask, read the stream, crowd, and leave in the middle."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

DEPARTMENTS = ("sales", "finance", "legal", "research", "stores", "clinic", "plant", "people")
SUBJECTS = ("travel", "training", "repair", "freight", "energy", "audit", "cleaning", "software")
CITIES = ("Recife", "Porto Alegre", "Lyon", "Leeds", "Osaka", "Boston")
OVERLOAD = 4
CALM_FIRST_S = 1.5


@dataclass
class Crowd:
    """The people, by session token, and the secret word of each department."""

    members: list[tuple[str, str]] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)

    def foreign(self, department: str, said: str) -> int:
        """Count the words of other departments in what a member was sent."""
        return sum(word in said for name, word in self.words.items() if name != department)


@dataclass
class Seen:
    """What the clients of one phase saw; times in seconds."""

    first: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    receipts: list[str] = field(default_factory=list)
    n_foreign: int = 0
    n_withheld: int = 0

    def figures(self) -> dict[str, Any]:
        """Return the figures of a report; times in milliseconds."""
        return {
            "ended": dict(self.ended),
            "foreign": self.n_foreign,
            "withheld": self.n_withheld,
            "first_ms": quantiles(self.first),
            "gap_ms": quantiles(self.gaps),
        }


def question(rng: np.random.Generator) -> str:
    """Return a question about a budget, perhaps another department's."""
    subject, department, city = (rng.choice(names) for names in (SUBJECTS, DEPARTMENTS, CITIES))
    return f"What is the {subject} budget of the {department} department in {city}?"


@dataclass
class Visitors:
    """Clients of the API."""

    url: str
    crowd: Crowd
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def client(self) -> httpx.AsyncClient:
        """Return a client for any number of connections."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        return httpx.AsyncClient(base_url=self.url, timeout=90, limits=limits, trust_env=False)

    async def ask(self, http: httpx.AsyncClient, n: int, seen: Seen, leave: int = 0) -> str:
        """Ask as the `n`-th person; returns how it ended. Leaves after so many events, if any."""
        token, department = self.crowd.members[n % len(self.crowd.members)]
        body = {"question": question(self.rng)}
        headers = {"Authorization": f"Bearer {token}"}
        sent = last = time.perf_counter()
        n_events, parts = 0, []
        ended = "cut"
        async with http.stream("POST", "/v1/chat", json=body, headers=headers) as response:
            if response.status_code != 200:
                assert response.status_code != 429 or response.headers["Retry-After"]
                return _ended(seen, str(response.status_code))
            async for name, data in _events(response):
                now = time.perf_counter()
                (seen.gaps if n_events else seen.first).append(
                    now - last if n_events else now - sent
                )
                last, n_events = now, n_events + 1
                parts.append(data)
                seen.n_withheld += name == "verdict"
                if name in ("done", "problem"):
                    ended = name
                if name == "done":
                    seen.receipts.append(json.loads(data)["receipt"])
                if leave and n_events >= leave:
                    ended = "left"
                    break
        seen.n_foreign += self.crowd.foreign(department, "".join(parts))
        return _ended(seen, ended)

    async def steady(self, n_streams: int, seconds: float) -> Seen:
        """Let so many people ask again and again."""
        seen, until = Seen(), time.monotonic() + seconds

        async def stream(n: int, http: httpx.AsyncClient) -> None:
            await asyncio.sleep(n * 5 / n_streams)
            while time.monotonic() < until:
                if await self.ask(http, n, seen) != "done":
                    await asyncio.sleep(1)

        async with self.client() as http, asyncio.TaskGroup() as group:
            for n in range(n_streams):
                group.create_task(stream(n, http))
        return seen

    async def overload(self, n_streams: int, seconds: float) -> tuple[Seen, float]:
        """Let too many ask and leave all at once; returns the seconds until it is calm again."""
        seen = Seen()

        async def stream(n: int, http: httpx.AsyncClient) -> None:
            while True:
                if await self.ask(http, n, seen) != "done":
                    await asyncio.sleep(0.5)

        async with self.client() as http:
            tasks = [asyncio.create_task(stream(n, http)) for n in range(OVERLOAD * n_streams)]
            await asyncio.sleep(seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return seen, await self._calm(n_streams)

    async def _calm(self, n_streams: int) -> float:
        """Return the seconds until so many people are answered in time again."""
        began = time.monotonic()
        while True:
            asked, after = Seen(), time.monotonic() - began
            async with self.client() as http:
                await asyncio.gather(*(self.ask(http, n, asked, 1) for n in range(n_streams)))
            if asked.ended["left"] == n_streams and max(asked.first) <= CALM_FIRST_S:
                return after
            await asyncio.sleep(0.5)

    async def vanish(self, n_clients: int, n_streams: int) -> tuple[Seen, list[float]]:
        """Let clients leave after two events; returns how long each next one waited for a slot."""
        seen, waits = Seen(), []

        async def one(n: int, http: httpx.AsyncClient) -> None:
            began = time.monotonic()
            while await self.ask(http, n, seen, 2) == "429":
                await asyncio.sleep(0.05)
            waits.append(time.monotonic() - began)

        async with self.client() as http:
            for start in range(0, n_clients, n_streams):
                some = range(start, min(start + n_streams, n_clients))
                await asyncio.gather(*(one(n, http) for n in some))
        return seen, waits


def _ended(seen: Seen, how: str) -> str:
    seen.ended[how] += 1
    return how


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, str]]:
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            yield name, line[5:].strip()


def quantiles(seconds: list[float]) -> list[float]:
    """Return the median, the 99th percentile and the most, in milliseconds."""
    if not seconds:
        return [0.0, 0.0, 0.0]
    return [float(v) for v in np.percentile(np.array(seconds) * 1000, (50, 99, 100))]
