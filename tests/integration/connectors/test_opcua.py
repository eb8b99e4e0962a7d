"""The connector opcua against a real server: texts, versions, security, a sync per person."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from asyncua import Node, ua
from pydantic import ValidationError

from assistant.store.database import Database
from connectors.conformance import Conformance, listing
from connectors.contract import Connector, ConnectorError, Item
from connectors.following import Ability, Following
from connectors.opcua import OpcUa, OpcUaConfig
from tests.support import opcua
from tests.support.finding import Finding
from tests.support.opcua import Plant


@pytest.fixture
def plant() -> Iterator[Plant]:
    with opcua.running() as found:
        yield found


@pytest.fixture(scope="module")
def ground() -> Iterator[Plant]:
    """A plant that is empty between tests."""
    with opcua.running() as found:
        yield found


@pytest.fixture(scope="module")
def line() -> Iterator[Plant]:
    """A plant that nobody changes."""
    with opcua.running() as found:
        build(found, *(f"Press {n} 日本" for n in range(7)))
        yield found


def build(plant: Plant, *names: str) -> dict[str, Node]:
    """Add presses to two lines of a plant."""

    async def story() -> dict[str, Node]:
        root = await plant.server.nodes.objects.add_folder(plant.index, "Plant")
        lines = [await root.add_folder(plant.index, f"Line{n}") for n in (1, 2)]
        return {
            name: await plant.press(lines[n % 2], name, f"SN-{n}") for n, name in enumerate(names)
        }

    built: dict[str, Node] = plant.run(story)
    return built


def source(plant: Plant, **changed: Any) -> OpcUa:
    given = {"url": plant.url, "security": "none", "allow": ["group:plant"]}
    return OpcUa(OpcUaConfig.model_validate({**given, **changed}))


def texts(connector: OpcUa) -> dict[str, tuple[Item, str]]:
    async def story() -> dict[str, tuple[Item, str]]:
        try:
            items = (await listing(connector, None)).items
            return {
                item.title: (item, b"".join([p async for p in connector.fetch(item)]).decode())
                for item in items
            }
        finally:
            await connector.aclose()

    return asyncio.run(story())


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def _plant(self, line: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.opcua.ITEMS_PER_MARK", 3)
        self.plant = line

    def make(self) -> Connector:
        return source(self.plant)

    def make_unusable(self) -> Connector:
        return OpcUa(OpcUaConfig(url="opc.tcp://127.0.0.1:1", security="none"))


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "revoke": "OPC UA knows no readers; lists for areas are in the configuration.",
        "throttle": "The server has no limits of its own.",
        "fill": "The server needs minutes for ten thousand objects; `max_nodes` ends a listing.",
    }
    names = ("Ação – 文档 🙂 #1 100%", " blank  'quoted' & [odd]+", "long " + "n" * 190)

    @pytest.fixture(autouse=True)
    def _plant(self, ground: Plant) -> Iterator[None]:
        self.plant = ground
        self.objects = dict[str, tuple[Node, Node]]()
        self.add("one", "One.")
        yield
        for name in [*self.objects]:
            self.delete(name)

    def make(self) -> Connector:
        return source(self.plant)

    def make_unusable(self) -> Connector:
        return OpcUa(OpcUaConfig(url="opc.tcp://127.0.0.1:1", security="none"))

    def add(self, name: str, text: str) -> None:
        async def story() -> tuple[Node, Node]:
            made = await self.plant.server.nodes.objects.add_object(self.plant.index, name)
            return made, await made.add_property(self.plant.index, "Note", text)

        self.objects[name] = self.plant.run(story)

    def change(self, name: str, text: str) -> None:
        self.plant.run(lambda: self.objects[name][1].write_value(text))

    def delete(self, name: str) -> None:
        self.plant.run(lambda: self.objects.pop(name)[0].delete(recursive=True))

    def empty(self) -> None:
        self.delete("one")


def test_a_server_without_its_last_object_is_an_empty_source(plant: Plant) -> None:
    """It passes the check: whether all documents may go is for the guard of the sync to say."""

    async def story() -> list[str]:
        connector = source(plant)
        try:
            await connector.check()
            return [item.id for item in (await listing(connector, None)).items]
        finally:
            await connector.aclose()

    assert asyncio.run(story()) == []


def test_an_object_is_a_text_with_units_and_methods(plant: Plant) -> None:
    build(plant, "Press7")
    item, text = texts(source(plant, values=["*/Recipe"]))["Plant › Line1 › Press7"]
    assert item.id.startswith("nsu=urn:plant;i=")
    assert item.access.allow == {"group:plant"}
    assert text.splitlines() == [
        "# Press7",
        "",
        "Place: Plant/Line1/Press7",
        "",
        "Hydraulic press of the first hall.",
        "",
        "| Name | Value | Unit | Range | Description |",
        "|---|---|---|---|---|",
        "| SerialNumber | SN-0 |  |  |  |",
        "| Pressure |  | bar | 0 to 250 |  |",
        "| Recipe | door \\| panel |  |  |  |",
        "",
        "## Methods",
        "",
        "**Start(speed (strokes a minute))**",
    ]


def test_process_values_are_no_new_version_and_properties_are(plant: Plant) -> None:
    press = build(plant, "Press7")["Press7"]
    name = "Plant › Line1 › Press7"
    before = texts(source(plant))[name][0].version
    exact = texts(source(plant, values=["*/Pressure"]))[name]
    assert "| Pressure | 101.3 |" in exact[1]

    async def write(child: str, value: Any) -> None:
        await (await press.get_child(f"{plant.index}:{child}")).write_value(value)

    plant.run(lambda: write("Pressure", 101.349))
    assert texts(source(plant))[name][0].version == before
    assert texts(source(plant, values=["*/Pressure"]))[name][0].version == exact[0].version
    plant.run(lambda: write("Pressure", 140.0))
    assert texts(source(plant, values=["*/Pressure"]))[name][0].version != exact[0].version
    plant.run(lambda: write("SerialNumber", "SN-8"))
    assert texts(source(plant))[name][0].version != before


def test_areas_and_patterns(plant: Plant) -> None:
    build(plant, "A", "B")
    areas = {"Plant": ["group:plant"], "Plant/Line2": ["user:ana"], "Plant/Line": ["everyone"]}
    found = texts(source(plant, areas=areas))
    assert found["Plant › Line1 › A"][0].access.allow == {"group:plant"}
    assert found["Plant › Line2 › B"][0].access.allow == {"user:ana"}
    assert list(texts(source(plant, include=["*/B"]))) == ["Plant › Line2 › B"]


def test_an_object_with_two_parents_is_listed_once(plant: Plant) -> None:
    press = build(plant, "A")["A"]

    async def share() -> None:
        root = await plant.server.nodes.objects.get_child(f"{plant.index}:Plant")
        other = await root.get_child(f"{plant.index}:Line2")
        await other.add_reference(press, ua.ObjectIds.Organizes)

    plant.run(share)
    assert len(texts(source(plant))) == 1


def test_a_large_address_space_is_refused(plant: Plant) -> None:
    build(plant, "A")
    with pytest.raises(ConnectorError, match="more than 3 nodes"):
        texts(source(plant, max_nodes=3))


def test_certificates_and_a_user(tmp_path: Path) -> None:
    with opcua.running(tmp_path) as plant:
        build(plant, "Press7")
        safe: dict[str, Any] = {"security": "sign_and_encrypt", "username": opcua.USER}
        safe |= {"password": opcua.PASSWORD, "certificate": tmp_path / "client.der"}
        safe |= {"key": tmp_path / "client.pem", "server_certificate": tmp_path / "server.der"}
        assert list(texts(source(plant, **safe))) == ["Plant › Line1 › Press7"]
        for wrong in ({"password": "wrong"}, {"server_certificate": tmp_path / "client.der"}):
            connector = source(plant, **{**safe, **wrong, "timeout_s": 3})
            with pytest.raises(ConnectorError) as caught:
                asyncio.run(connector.check())
            assert opcua.PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "opc.tcp://plant.example:4840", "security": "none"}, "turn allow_plain on"),
        ({"url": "opc.tcp://127.0.0.1:4840"}, "give certificate, key and server_certificate"),
        ({"url": "opc.tcp://127.0.0.1", "security": "none", "key": "k"}, "certificates are for"),
        ({"url": "http://127.0.0.1"}, "url"),
    ],
)
def test_a_source_is_safe_unless_told_otherwise(given: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        OpcUaConfig.model_validate(given)


def test_each_person_finds_the_machines_of_their_area(
    plant: Plant, database: Database, tmp_path: Path
) -> None:
    presses = build(plant, "Press7", "Press8")
    bench = Finding(database, tmp_path)
    areas = {"Plant/Line1": ["user:ana"]}
    assert bench.sync("plant", "opcua", source(plant, areas=areas)).counts.added == 2
    question = "What is the serial number of the hydraulic press?"
    assert any("SN-0" in text for text in bench.texts("ana", question))
    assert not any("SN-0" in text for text in bench.texts("bob", question))
    assert bench.sync("plant", "opcua", source(plant, areas=areas)).counts.unchanged == 2
    plant.run(lambda: plant.server.delete_nodes([presses["Press7"]], recursive=True))
    bench.sync("plant", "opcua", source(plant, areas=areas))
    assert bench.texts("ana", question) == set()
