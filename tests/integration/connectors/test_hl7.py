"""The HL7 listener over a real socket, and its spool as a source."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from assistant.store.database import Database
from connectors.conformance import Conformance, listing
from connectors.contract import Connector, ConnectorError
from connectors.following import Ability, Following
from connectors.hl7 import Hl7, Hl7Config
from connectors.mllp import END, START, Limits, Listener, header, spool_name, store
from tests.support.dovecot import certify
from tests.support.finding import Finding

SMALL = Limits(message_bytes=10_000)


def message(n: int, text: str = "Silva^José") -> bytes:
    msh = f"MSH|^~\\&|LAB|H|EHR|H|20261122||ORU^R01|c {n}|P|2.5"
    return f"{msh}\rPID|1||123^^^H^MR||{text}\r".encode()


def spooled(spool: Path) -> Hl7:
    return Hl7(Hl7Config(spool=spool, allow=frozenset({"user:ana"})))


async def sent(frames: list[bytes], spool: Path, limits: Limits = SMALL) -> list[str]:
    """Send frames over one connection and return the codes of the answers."""
    listener = Listener(spool, port=0, limits=limits)
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
        assert store(tmp_path, message(0)).code == "AA"
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


def test_answers_say_why(tmp_path: Path) -> None:
    async def story() -> bytes:
        listener = Listener(tmp_path, port=0)
        await listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(framed(b"hello"))
        answer = await asyncio.wait_for(reader.readuntil(END), 20)
        writer.close()
        await listener.aclose()
        return answer

    assert b"\rMSA|AR||no MSH segment with a control id in MSH-10\r" in asyncio.run(story())


def test_a_full_disk_makes_senders_wait(tmp_path: Path) -> None:
    full = Limits(free_bytes=1 << 62)
    assert asyncio.run(sent([framed(message(1))], tmp_path, full)) == ["AE"]
    assert list(tmp_path.iterdir()) == []
    assert asyncio.run(sent([framed(message(1))], tmp_path)) == ["AA"]


def test_more_connections_than_allowed_are_closed(tmp_path: Path) -> None:
    async def story() -> None:
        listener = Listener(tmp_path, port=0, limits=Limits(connections=1))
        await listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(framed(message(1)))
        await asyncio.wait_for(reader.readuntil(END), 20)
        late, other = await asyncio.open_connection("127.0.0.1", listener.port)
        assert await asyncio.wait_for(late.read(), 20) == b""
        for one in (writer, other):
            one.close()
        await listener.aclose()

    asyncio.run(story())


def test_what_a_killed_listener_left_half_written_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".half.tmp").write_bytes(b"MSH|")
    asyncio.run(sent([framed(message(1))], tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [spool_name("LAB/c 1")]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    folder = tmp_path / "certificate"
    folder.mkdir()
    certify(folder)
    return folder


@pytest.mark.parametrize("client_ca", [False, True])
def test_messages_come_by_tls(tmp_path: Path, certificate: Path, client_ca: bool) -> None:
    given: dict[str, Any] = {"spool": tmp_path / "spool", "port": 0, "min_free_bytes": 0}
    given |= {"certificate": certificate / "cert.pem", "key": certificate / "key.pem"}
    if client_ca:
        given["client_ca"] = certificate / "cert.pem"
    trusting = ssl.create_default_context(cafile=certificate / "cert.pem")

    async def code(connector: Hl7, has_certificate: bool) -> bytes:
        address = asyncio.get_running_loop().create_future()
        receiving = asyncio.create_task(connector.receive(address.set_result))
        port = int((await address).rpartition(":")[2])
        if has_certificate:
            trusting.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        try:
            reader, writer = await asyncio.open_connection("localhost", port, ssl=trusting)
            writer.write(framed(message(1)))
            return await asyncio.wait_for(reader.readuntil(END), 20)
        finally:
            writer.close()
            receiving.cancel()

    connector = Hl7(Hl7Config.model_validate(given))
    if client_ca:
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            asyncio.run(code(connector, has_certificate=False))
    assert b"\rMSA|AA|" in asyncio.run(code(connector, has_certificate=client_ca))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"host": "0.0.0.0"}, "give certificate and key, or turn allow_plain on"),
        ({"certificate": "c.pem"}, "give certificate and key, or neither"),
        ({"client_ca": "c.pem"}, "client_ca needs"),
    ],
)
def test_a_listener_is_safe_unless_told_otherwise(
    tmp_path: Path, given: dict[str, str], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        Hl7Config.model_validate({"spool": tmp_path, **given})
    Hl7Config.model_validate({"spool": tmp_path, "host": "0.0.0.0", "allow_plain": True})


def test_each_person_finds_the_messages_they_may_read(database: Database, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    admission = (
        b"MSH|^~\\&|ADT|H|EHR|H|20261122||ADT^A01|7|P|2.5\r"
        b"PID|1||123^^^H^MR||Silva^Jos\xc3\xa9||19700101|M\rDG1|1||I10^Hypertension^ICD10\r"
    )
    assert asyncio.run(sent([framed(admission)], spool)) == ["AA"]
    bench = Finding(database, tmp_path)
    assert bench.sync("lab", "hl7", spooled(spool)).counts.added == 1
    found = bench.texts("ana", "Who has hypertension?")
    assert any("Hypertension" in text for text in found)
    assert bench.texts("bob", "Who has hypertension?") == set()
    (spool / spool_name("ADT/7")).unlink()
    bench.sync("lab", "hl7", spooled(spool))
    assert bench.texts("ana", "Who has hypertension?") == set()
