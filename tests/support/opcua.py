"""A real OPC UA server on a free loopback port, in a thread of its own: a press and its line."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asyncua import Node, Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.daemon import free_port

URI = "urn:plant"
USER, PASSWORD = "alice", "pässword-of-alice"


class _People(UserManager):  # type: ignore[misc, unused-ignore]
    def get_user(
        self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None
    ) -> User | None:
        known = (username, password) == (USER, PASSWORD)
        return User(role=UserRole.User, name=USER) if known else None


@dataclass
class Plant:
    """A running server; `run` changes it."""

    url: str
    server: Server
    loop: asyncio.AbstractEventLoop
    index: int = 0

    def run(self, story: Callable[[], Awaitable[Any]]) -> Any:
        """Run something in the server's loop."""

        async def told() -> Any:
            return await story()

        return asyncio.run_coroutine_threadsafe(told(), self.loop).result(250)

    async def press(self, line: Node, name: str, serial: str) -> Node:
        """Add a press with a property, a variable with unit and range, and a method."""
        press = await line.add_object(self.index, name)
        text = ua.LocalizedText("Hydraulic press of the first hall.")
        await press.write_attribute(ua.AttributeIds.Description, ua.DataValue(ua.Variant(text)))
        await press.add_property(self.index, "SerialNumber", serial)
        pressure = await press.add_variable(self.index, "Pressure", 101.325678)
        unit = ua.EUInformation(DisplayName=ua.LocalizedText("bar"))
        await pressure.add_property(0, "EngineeringUnits", unit)
        await pressure.add_property(0, "EURange", ua.Range(0.0, 250.0))
        await press.add_variable(self.index, "Recipe", "door | panel")
        speed = ua.Argument(Name="speed", Description=ua.LocalizedText("strokes a minute"))
        await press.add_method(self.index, "Start", _start, [speed], [])
        return press


def _start(*_: Any) -> list[Any]:
    return []


@contextmanager
def running(folder: Path | None = None) -> Iterator[Plant]:
    """Run a server with an empty address space; with a folder it wants certificates and a user."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = free_port()
    plant = Plant(f"opc.tcp://127.0.0.1:{port}/", None, loop)  # type: ignore[arg-type]

    async def begin() -> None:
        plant.server = Server(user_manager=_People() if folder else None)
        await plant.server.init()
        plant.server.set_endpoint(plant.url)
        if folder:
            for name in ("server", "client"):
                await certify(folder, name)
            plant.server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
            plant.server.set_security_IDs(["Username"])
            await plant.server.load_certificate(folder / "server.der")
            await plant.server.load_private_key(folder / "server.pem")
        plant.index = await plant.server.register_namespace(URI)
        await plant.server.start()

    async def end() -> None:
        await plant.server.stop()

    try:
        plant.run(begin)
        yield plant
    finally:
        if plant.server is not None:
            plant.run(end)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=20)
        loop.close()


async def certify(folder: Path, name: str) -> None:
    """Write a self-signed certificate `NAME.der` and its key `NAME.pem`."""
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    await setup_self_signed_certificate(
        folder / f"{name}.pem",
        folder / f"{name}.der",
        "urn:freeopcua:client",
        "127.0.0.1",
        uses,
        {},
    )
