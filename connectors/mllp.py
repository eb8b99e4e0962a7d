"""A listener for HL7 v2 over MLLP that acknowledges only what is durably in a spool folder.

Answers: AA once the message is on disk (also for a repeated one), AE if it can't be stored or
its control id was used for another content, AR if it is no HL7 message. A frame that is larger
than allowed or not framed (HL7 MLLP release 1: 0x0B … 0x1C 0x0D) is answered AR and cut off.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from connectors.contract import ConnectorError

START, END = b"\x0b", b"\x1c\r"
SUFFIX = ".hl7"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
IDLE_S = 300.0


@dataclass(frozen=True, slots=True)
class Header:
    """What MSH says: `application` is MSH-3, `control_id` MSH-10, `kind` MSH-9."""

    application: str
    control_id: str
    kind: str

    @property
    def id(self) -> str:
        """Return the id of the message in its source."""
        return f"{self.application}/{self.control_id}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a message is answered: AA, AE or AR, and why (MSA-3)."""

    code: Literal["AA", "AE", "AR"]
    why: str = ""


def header(message: bytes) -> Header | None:
    """Return the header of a message, None if there is no MSH with a control id."""
    first = message.split(b"\r", 1)[0].decode("utf-8", "replace")
    if not first.startswith("MSH") or len(first) < 8:
        return None
    fields = first.split(first[3])
    if len(fields) < 10 or not fields[9].strip() or "\0" in first:
        return None
    return Header(fields[2].strip(), fields[9].strip(), fields[8].strip())


def spool_name(item_id: str) -> str:
    """Return the file name of a message; any id gives a short and safe one."""
    return hashlib.sha256(item_id.encode("utf-8", "replace")).hexdigest() + SUFFIX


def store(spool: Path, message: bytes) -> Verdict:
    """Put a message on disk, synced, and say what to answer; raises OSError if it can't."""
    found = header(message)
    if found is None:
        return Verdict("AR", "no MSH segment with a control id in MSH-10")
    place = spool / spool_name(found.id)
    if not place.exists():
        _write(place, message)
    elif place.read_bytes() != message:
        return Verdict("AE", "another message had the same application and control id")
    folder = os.open(spool, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Verdict("AA")


def _write(place: Path, message: bytes) -> None:
    partial = place.with_name(f".{uuid4().hex}.tmp")
    try:
        with partial.open("xb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)


def answer(message: bytes, verdict: Verdict) -> bytes:
    """Return the framed acknowledgement of a message."""
    found = header(message)
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    to, about = (found.application, found.control_id) if found else ("", "")
    msh = f"MSH|^~\\&|ASSISTANT||{to}||{now}||ACK|{time.time_ns()}|P|2.5"
    return START + f"{msh}\rMSA|{verdict.code}|{about}|{verdict.why}\r".encode() + END


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken: a larger message is refused, more connections are closed at once.

    With less than `free_bytes` left on the spool's disk every message is answered AE, which makes
    its sender wait and try again.
    """

    message_bytes: int = MAX_MESSAGE_BYTES
    connections: int = 64
    free_bytes: int = 0


class Listener:
    """Receives messages into a spool folder until it is closed."""

    def __init__(
        self,
        spool: Path,
        host: str = "127.0.0.1",
        port: int = 2575,
        tls: ssl.SSLContext | None = None,
        limits: Limits = Limits(),
    ) -> None:
        self._spool, self._host, self._port, self._tls = spool, host, port, tls
        self._limits = limits
        self._lock = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._open = set[asyncio.StreamWriter]()

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._port

    async def start(self) -> None:
        """Listen; raises ConnectorError if the port is taken or the folder can't be made."""
        try:
            self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            for left in self._spool.glob(".*.tmp"):
                left.unlink(missing_ok=True)
            self._server = await asyncio.start_server(
                self._serve,
                self._host,
                self._port,
                ssl=self._tls,
                limit=self._limits.message_bytes,
            )
        except OSError as error:
            raise ConnectorError(
                f"Port {self._port} or the spool folder can't be used ({error.strerror}); "
                "choose another."
            ) from error

    async def aclose(self) -> None:
        """Stop listening, and hang up: what is not acknowledged yet will be sent again."""
        if self._server:
            self._server.close()
        for writer in self._open:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._limits.connections:
            writer.close()
            return
        self._open.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one message, and the next only when its answer is on its way."""
        try:
            frame = await asyncio.wait_for(reader.readuntil(END), IDLE_S)
        except asyncio.LimitOverrunError:
            frame = b""
        is_framed = frame.startswith(START)
        message = frame[1 : -len(END)] if is_framed else b""
        verdict = Verdict("AR", "not framed, or too large")
        if is_framed:
            async with self._lock:
                verdict = await asyncio.to_thread(self._store, message)
        writer.write(answer(message, verdict))
        await writer.drain()
        return is_framed

    def _store(self, message: bytes) -> Verdict:
        try:
            if shutil.disk_usage(self._spool).free < self._limits.free_bytes:
                return Verdict("AE", "no room in the spool, send it again later")
            return store(self._spool, message)
        except OSError:
            return Verdict("AE", "it can't be stored, send it again later")
