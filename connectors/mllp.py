"""A listener for HL7 v2 over MLLP that acknowledges only what is durably in a spool folder.

Answers: AA once the message is on disk (also for a repeated one), AE if it can't be stored or
its control id was used for another content, AR if it is no HL7 message. A frame that is larger
than allowed or not framed (HL7 MLLP release 1: 0x0B … 0x1C 0x0D) is answered AR and cut off.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
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


def store(spool: Path, message: bytes) -> str:
    """Put a message on disk, synced, and return AA, AE or AR; raises OSError if it can't."""
    found = header(message)
    if found is None:
        return "AR"
    place = spool / spool_name(found.id)
    if not place.exists():
        _write(place, message)
    elif place.read_bytes() != message:
        return "AE"
    folder = os.open(spool, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return "AA"


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


def answer(message: bytes, code: str) -> bytes:
    """Return the framed acknowledgement of a message."""
    found = header(message)
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    to, about = (found.application, found.control_id) if found else ("", "")
    msh = f"MSH|^~\\&|ASSISTANT||{to}||{now}||ACK|{time.time_ns()}|P|2.5"
    return START + f"{msh}\rMSA|{code}|{about}\r".encode() + END


class Listener:
    """Receives messages into a spool folder until it is closed."""

    def __init__(
        self,
        spool: Path,
        host: str = "127.0.0.1",
        port: int = 2575,
        tls: ssl.SSLContext | None = None,
        max_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self._spool, self._host, self._port, self._tls = spool, host, port, tls
        self._max_bytes = max_bytes
        self._lock = asyncio.Lock()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._port

    async def start(self) -> None:
        """Listen; raises ConnectorError if the port is taken or the folder can't be made."""
        try:
            self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._server = await asyncio.start_server(
                self._serve, self._host, self._port, ssl=self._tls, limit=self._max_bytes
            )
        except OSError as error:
            raise ConnectorError(
                f"Port {self._port} or the spool folder can't be used ({error.strerror}); "
                "choose another."
            ) from error

    async def aclose(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            frame = await asyncio.wait_for(reader.readuntil(END), IDLE_S)
        except asyncio.LimitOverrunError:
            frame = b""
        is_framed = frame.startswith(START)
        message = frame[1 : -len(END)] if is_framed else b""
        try:
            async with self._lock:
                code = await asyncio.to_thread(store, self._spool, message)
        except OSError:
            code = "AE"
        writer.write(answer(message, code))
        await writer.drain()
        return is_framed
