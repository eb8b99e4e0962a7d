"""URLs that must lead nowhere, through the gate that connectors fetch by.

Only `allowed.example:443` is allowed. Each URL is fetched while its name resolves to loopback,
metadata, private, and disguised addresses; an audit hook of the interpreter sees and stops every
connection, whoever tries one.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.evaluation.attacks.attack import rows
from connectors.contract import ConnectorError
from connectors.egress import EgressRefused, Gate
from connectors.http import Client, Limits

POLICY = Gate(frozenset({"allowed.example"}), schemes=frozenset({"https"}))
ADDRESSES = ("127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "64:ff9b::7f00:1", "0.0.0.0")  # noqa: S104


@dataclass(slots=True)
class Probed:
    """What was tried of one sort: id, kind and violations of each, and what was not run."""

    name: str
    run: list[tuple[str, str, list[str]]] = field(default_factory=list)
    not_run: Counter[str] = field(default_factory=Counter)


def run(folder: Path) -> Probed:
    """Try every URL of `ssrf_urls.jsonl`, none where there is no such file."""
    found = Probed("ssrf")
    path = folder / "ssrf_urls.jsonl"
    for number, row in enumerate(rows(path), 1) if path.exists() else ():
        identity, allowed = (
            str(row.get("id", number)),
            str(row.get("expect", "")).startswith("allow"),
        )
        found.run.append((identity, "ssrf", tried(row["text"], allowed=allowed)))
    return found


def tried(url: str, *, allowed: bool, gate: Gate = POLICY) -> list[str]:
    """Return what went wrong with a URL: a connection, an outcome that was not expected."""
    wrong: list[str] = []
    try:
        gate.place(url)
    except EgressRefused:
        if allowed:
            wrong.append(f"refused, though allowed: {url[:80]!r}")
        return wrong
    for address in ADDRESSES:
        with _watched() as attempts:
            outcome = asyncio.run(_fetched(url, address, gate))
        wrong += [f"{url[:80]!r} connected to {attempt}" for attempt in attempts]
        if outcome:
            wrong.append(f"{url[:80]!r} was not refused at {address}: {outcome}")
    return wrong


async def _fetched(url: str, address: str, gate: Gate) -> str:
    async def resolve(host: str, port: int) -> list[str]:
        del host, port
        return [address]

    client = Client(gate, Limits(timeout_s=2.0, total_s=4.0), "attacks", resolve=resolve)
    try:
        async with client.ask(url) as answer:
            return f"it answered {answer.status}"
    except EgressRefused:
        return ""
    except (ConnectorError, OSError) as error:
        return type(error).__name__
    finally:
        with suppress(OSError):
            await client.aclose()


_watching: list[list[str]] = []
_hooked: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event == "socket.connect":
        connecting, address = arguments
        if connecting.family != socket.AF_UNIX:
            _watching[-1].append(str(address))
            raise ConnectionRefusedError("The attacks' watch stops every connection.")


@contextmanager
def _watched() -> Iterator[list[str]]:
    """See and stop every connection of the process to a network address meanwhile."""
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    attempts: list[str] = []
    _watching.append(attempts)
    try:
        yield attempts
    finally:
        _watching.remove(attempts)
