"""Fetching over HTTP through the gate of `connectors.egress`, with caps on size and time.

Each redirect goes through the gate again. Connections of different names are never shared, and
proxies or certificates named in the environment are not used.
"""

from __future__ import annotations

import asyncio
import email.utils
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urljoin

import httpx

from connectors.contract import ConnectorError, RetryLater
from connectors.egress import EgressRefused, Gate, Place, is_literal, shown

T = TypeVar("T")
Resolve = Callable[[str, int], Awaitable[list[str]]]

MAX_REDIRECTS = 5
MAX_RATIO = 100
PIECE_BYTES = 65_536
_FREE_BYTES = 1_048_576
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Interrupted(RetryLater):
    """Nothing came in time, or the connection broke."""


class TooLarge(ConnectorError):
    """An answer is larger, or inflates to more, than is allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response after its redirects; `pieces` is the inflated body, once."""

    place: Place
    status: int
    headers: Mapping[str, str]
    pieces: AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken from anybody, how long it may take, and how often they are asked."""

    max_bytes: int = 20_000_000
    timeout_s: float = 30.0
    total_s: float = 300.0
    pace_s: float = 0.0


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name by the system's resolver, empty if there is none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return list(dict.fromkeys(str(info[4][0]) for info in found))


@dataclass(slots=True)
class Client:
    """Fetches through a gate; every host has connections of its own, so names never mix."""

    gate: Gate
    limits: Limits
    user_agent: str
    ca_file: Path | None = None
    resolve: Resolve = resolve
    _transports: dict[str, httpx.AsyncHTTPTransport] = field(default_factory=dict)
    _turns: dict[str, float] = field(default_factory=dict)

    @asynccontextmanager
    async def ask(
        self,
        url: str,
        *,
        method: Literal["GET", "HEAD"] = "GET",
        admits: Callable[[Place], bool] = lambda place: True,
        pace_s: float | None = None,
        max_bytes: int | None = None,
    ) -> AsyncIterator[Answer]:
        """Send a request and follow redirects to places that the gate and `admits` let through.

        Raises `EgressRefused`, `TooLarge`, `Interrupted`, `RetryLater` for 429 and 503, and
        `ConnectorError` where nobody answers.
        """
        deadline = asyncio.get_running_loop().time() + self.limits.total_s
        for _ in range(MAX_REDIRECTS + 1):
            place = self.gate.place(url)
            if not admits(place):
                raise EgressRefused(f"{shown(url)} is refused: it is outside of what is allowed.")
            await self._turn(place, self.limits.pace_s if pace_s is None else pace_s)
            response = await _within(deadline, place, self._send(method, place))
            try:
                target = response.headers.get("location", "")
                if response.status_code in _REDIRECTS and target:
                    url = urljoin(place.url, target)
                    continue
                if response.status_code in (429, 503):
                    raise RetryLater(retry_after(response.headers.get("retry-after", "")))
                limit = max_bytes or self.limits.max_bytes
                pieces = _pieces(response, place, deadline, limit)
                yield Answer(place, response.status_code, response.headers, pieces)
                return
            finally:
                await response.aclose()
        raise EgressRefused(f"{shown(url)} is refused: it redirects more than {MAX_REDIRECTS}x.")

    async def aclose(self) -> None:
        """Close all connections."""
        transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            await transport.aclose()

    async def _send(self, method: str, place: Place) -> httpx.Response:
        found = (
            [place.host] if is_literal(place.host) else await self.resolve(place.host, place.port)
        )
        addresses = self.gate.admit(place, found)
        for address in addresses[:-1]:
            try:
                return await self._send_to(address, method, place)
            except httpx.ConnectError:
                continue
        return await self._send_to(addresses[-1], method, place)

    async def _send_to(self, address: str, method: str, place: Place) -> httpx.Response:
        request = httpx.Request(
            method,
            httpx.URL(
                scheme=place.scheme,
                host=address,
                port=place.port,
                raw_path=place.target.encode("ascii"),
            ),
            headers={
                "Host": place.authority,
                "User-Agent": self.user_agent,
                "Accept-Encoding": "gzip",
                "Accept": "*/*",
            },
            extensions={
                "sni_hostname": place.host,
                "timeout": httpx.Timeout(self.limits.timeout_s).as_dict(),
            },
        )
        return await self._transport(place).handle_async_request(request)

    def _transport(self, place: Place) -> httpx.AsyncHTTPTransport:
        key = f"{place.scheme}://{place.authority}"
        if key not in self._transports:
            verify: ssl.SSLContext | bool = True
            if self.ca_file is not None:
                verify = _trusting(self.ca_file)
            self._transports[key] = httpx.AsyncHTTPTransport(
                verify=verify,
                trust_env=False,
                limits=httpx.Limits(max_connections=4, keepalive_expiry=5.0),
            )
        return self._transports[key]

    async def _turn(self, place: Place, pace_s: float) -> None:
        now = asyncio.get_running_loop().time()
        turn = max(now, self._turns.get(place.host, now))
        self._turns[place.host] = turn + pace_s
        if turn > now:
            await asyncio.sleep(turn - now)


async def inflated(pieces: AsyncIterator[bytes], name: str) -> AsyncIterator[bytes]:
    """Inflate gzip or zlib data piece by piece, each of at most 64 KiB.

    Raises `TooLarge` beyond 1 MiB at a ratio of more than 100, `ConnectorError` if it is broken.
    """
    inflater, n_in, n_out = zlib.decompressobj(zlib.MAX_WBITS | 32), 0, 0
    async for piece in pieces:
        n_in += len(piece)
        while piece:
            try:
                out = inflater.decompress(piece, PIECE_BYTES)
            except zlib.error as error:
                raise ConnectorError(f"{shown(name)} is not valid gzip data.") from error
            n_out += len(out)
            if n_out > _FREE_BYTES and n_out > MAX_RATIO * n_in:
                raise TooLarge(f"{shown(name)} inflates to more than {MAX_RATIO} times its size.")
            if out:
                yield out
            piece = inflater.unconsumed_tail
            if inflater.eof and inflater.unused_data:
                piece, inflater = inflater.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 32)
    if n_in and not inflater.eof:
        raise ConnectorError(f"{shown(name)} ended in the middle of its gzip data.")


def retry_after(value: str) -> float | None:
    """Return the seconds that a Retry-After header asks for, if it can be understood."""
    if value.strip().isdecimal():
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConnectorError(
            f"The certificates in {ca_file} can't be read; give a PEM file."
        ) from error
    return context


async def _timely(
    pieces: AsyncIterator[bytes], place: Place, deadline: float
) -> AsyncIterator[bytes]:
    following = partial(anext, pieces, None)
    while (piece := await _within(deadline, place, following())) is not None:
        yield piece


async def _within(deadline: float, place: Place, work: Awaitable[T]) -> T:
    """Wait for work until a deadline; turns what httpx raises into what the contract knows."""
    left = deadline - asyncio.get_running_loop().time()
    try:
        return await asyncio.wait_for(work, max(left, 0.001))
    except (TimeoutError, httpx.TimeoutException) as error:
        raise Interrupted from error
    except httpx.ConnectError as error:
        raise _unreachable(place, error) from error
    except httpx.UnsupportedProtocol as error:
        raise EgressRefused(f"{shown(place.url)} is refused: its scheme isn't used.") from error
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise Interrupted from error
    except httpx.TransportError as error:
        raise ConnectorError(f"{place.authority} does not speak HTTP properly.") from error


def _unreachable(place: Place, error: BaseException) -> ConnectorError:
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ConnectorError(
                f"The certificate of {place.authority} is not trusted ({cause.verify_message})."
            )
        if isinstance(cause, ssl.SSLError):
            return ConnectorError(f"{place.authority} speaks no TLS there; check the scheme.")
    return ConnectorError(f"Nothing answers at {place.authority}; check the host and the port.")


async def _pieces(
    response: httpx.Response, place: Place, deadline: float, max_bytes: int
) -> AsyncGenerator[bytes, None]:
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise TooLarge(f"{shown(place.url)} is larger than {max_bytes} bytes.")
    raw = response.aiter_raw(PIECE_BYTES)
    stream = _timely(raw, place, deadline)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip", "deflate"):
        stream = inflated(stream, place.url)
    elif encoding not in ("", "identity"):
        raise ConnectorError(f"{shown(place.url)} came in the unknown encoding {encoding}.")
    n_bytes = 0
    async for piece in stream:
        n_bytes += len(piece)
        if n_bytes > max_bytes:
            raise TooLarge(f"{shown(place.url)} is larger than {max_bytes} bytes.")
        yield piece
