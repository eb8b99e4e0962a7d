"""The HL7 listener over a real socket, and its spool as a source."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.conformance import Conformance, listing
from connectors.contract import Connector, ConnectorError
from connectors.following import Ability, Following
from connectors.hl7 import Hl7, Hl7Config
from connectors.mllp import END, START, Listener, header, spool_name, store


def message(n: int, text: str = "Silva^José") -> bytes:
    msh = f"MSH|^~\\&|LAB|H|EHR|H|20261122||ORU^R01|c {n}|P|2.5"
    return f"{msh}\rPID|1||123^^^H^MR||{text}\r".encode()


def spooled(spool: Path) -> Hl7:
    return Hl7(Hl7Config(spool=spool, allow=frozenset({"user:ana"})))


async def sent(frames: list[bytes], spool: Path, max_bytes: int = 10_000) -> list[str]:
    """Send frames over one connection and return the codes of the answers."""
    listener = Listener(spool, port=0, max_bytes=max_bytes)
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    codes = []
    try:
        for frame in frames:
            writer.write(frame)
            await writer.drain()
            answer = await asyncio.wait_for(reader.readuntil(END), 20)
            codes.append(answer.split(b"\rMSA|")[1][:2].decode())
    finally:
        writer.close()
        await writer.wait_closed()
        await listener.aclose()
    return codes


def framed(body: bytes) -> bytes:
    return START + body + END


class TestHl7(Conformance):
    @pytest.fixture(autouse=True)
    def _spool(self, tmp_path: Path) -> None:
        self.spool = tmp_path
        assert store(tmp_path, message(0)) == "AA"
        for n in range(1, 410):
            (tmp_path / spool_name(f"LAB/c {n}")).write_bytes(message(n))

    def make(self) -> Connector:
        return spooled(self.spool)

    def make_unusable(self) -> Connector:
        return spooled(self.spool / "missing")


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "throttle": "A spool folder never asks for patience.",
        "revoke": "The spool has one list of readers for all, in its configuration.",
    }
    names = ("Ação 文档 #1 100%", "blank 'quoted' [odd]+", "n" * 60)

    @pytest.fixture(autouse=True)
    def _spool(self, tmp_path: Path) -> None:
        self.spool = tmp_path
        self.add("one", "One.")

    def make(self) -> Connector:
        return spooled(self.spool)

    def make_unusable(self) -> Connector:
        return spooled(self.spool / "missing")

    def add(self, name: str, text: str) -> None:
        body = message(0, text).replace(b"c 0", name.encode())
        (self.spool / spool_name(f"LAB/{name}")).write_bytes(body)

    change = add

    def delete(self, name: str) -> None:
        (self.spool / spool_name(f"LAB/{name}")).unlink()

    def empty(self) -> None:
        self.delete("one")

    def fill(self, n: int) -> None:
        for i in range(n):
            (self.spool / spool_name(f"LAB/c {i}")).write_bytes(message(i))


def test_messages_are_acknowledged_once_stored(tmp_path: Path) -> None:
    frames = [message(1), message(1), message(1, "other"), b"hello", message(2)]
    codes = asyncio.run(sent([framed(body) for body in frames], tmp_path))
    assert codes == ["AA", "AA", "AE", "AR", "AA"]
    found = asyncio.run(listing(spooled(tmp_path), None)).items
    assert sorted(item.id for item in found) == ["LAB/c 1", "LAB/c 2"]
    assert found[0].access.allow == {"user:ana"}


def test_what_can_not_be_stored_is_not_acknowledged(tmp_path: Path) -> None:
    (tmp_path / spool_name("LAB/c 1")).mkdir()
    assert asyncio.run(sent([framed(message(1))], tmp_path)) == ["AE"]


@pytest.mark.parametrize("frame", [b"no start" + END, framed(b"x" * 30_000)])
def test_bad_frames_are_refused(tmp_path: Path, frame: bytes) -> None:
    assert asyncio.run(sent([frame], tmp_path)) == ["AR"]
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        first = Listener(tmp_path, port=0)
        await first.start()
        try:
            with pytest.raises(ConnectorError, match="can't be used"):
                await Listener(tmp_path, port=first.port).start()
        finally:
            await first.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("body", [b"", b"MSH", b"MSH|^~\\&|A", b"PID|1"])
def test_what_is_no_message_has_no_header(body: bytes) -> None:
    assert header(body) is None
