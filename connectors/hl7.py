"""HL7 v2 messages in a spool folder as a source; `connectors.mllp.Listener` fills it.

Each message is a document, named by its sending application and control id. The folder is listed
in each run; a message that was removed from it is gone.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, Field, JsonValue, model_validator

from connectors.confinement import PathFields
from connectors.contract import (
    Access,
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
)
from connectors.mllp import SUFFIX, Limits, Listener, header, spool_name
from connectors.origin import is_loopback
from connectors.sidecars import Principals

MEDIA_TYPE = "application/hl7-v2"
ITEMS_PER_MARK = 200


class Hl7Config(PathFields):
    """Where messages are spooled, and who may read them."""

    spool: Path = Field(title="Spool folder", description="the folder that the listener fills")
    allow: Principals = Field(default=frozenset(), title="Who may read; nobody if empty")
    host: str = Field(default="127.0.0.1", title="Address", description="to listen at")
    port: int = Field(default=2575, title="Port", ge=0, le=65_535)
    certificate: Path | None = Field(
        default=None, title="Certificate", description="PEM file with the chain; then TLS is spoken"
    )
    key: Path | None = Field(default=None, title="Key", description="its PEM without a password")
    client_ca: Path | None = Field(
        default=None, title="Senders' authority", description="only senders it signed are taken"
    )
    allow_plain: bool = Field(
        default=False, title="Without encryption", description="also for other machines"
    )
    max_message_bytes: int = Field(default=8_388_608, ge=1_024, le=1_073_741_824)
    max_connections: int = Field(default=64, ge=1, le=10_000)
    min_free_bytes: int = Field(
        default=1_073_741_824, ge=0, description="with less on the disk senders have to wait"
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("give certificate and key, or neither")
        if self.client_ca and not self.certificate:
            raise ValueError("client_ca needs certificate and key")
        if not (self.certificate or self.allow_plain or is_loopback(f"mllp://{self.host}")):
            raise ValueError(
                "give certificate and key, or turn allow_plain on: patients' data comes openly"
            )
        return self


class Hl7:
    """Lists and reads spooled messages; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = Hl7Config

    def __init__(self, config: Hl7Config) -> None:
        self._config = config

    async def check(self) -> None:
        """Raise `ConnectorError` if the spool folder can't be listed."""
        await asyncio.to_thread(self._names)

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List all messages, with a `Mark` every 200."""
        after, done = "", 0
        match since:
            case {"after": str(after), "done": int(done)}:
                pass
            case None:
                pass
            case _:
                raise CursorExpired("The cursor is not one of this spool; it is listed afresh.")
        names = [name for name in await asyncio.to_thread(self._names) if name > after]
        for n, name in enumerate(names, 1):
            event = await asyncio.to_thread(self._look_at, name)
            done += isinstance(event, Item)
            yield event
            if n % ITEMS_PER_MARK == 0:
                yield Mark(cursor={"after": name, "done": done}, done=done)
        yield Complete(cursor=None, done=done, total=done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a message; raises `ConnectorError` if it left the spool."""
        place = self._config.spool / spool_name(item.id)
        try:
            yield await asyncio.to_thread(place.read_bytes)
        except OSError as error:
            raise ConnectorError("The message is not in the spool any more; sync again.") from error

    async def groups(self) -> AsyncIterator[Group]:
        """Yield nothing: HL7 v2 has no groups of readers."""
        nothing: tuple[Group, ...] = ()
        for group in nothing:
            yield group

    async def receive(self, ready: Callable[[str], None]) -> None:
        """Run the listener until cancelled; raises `ConnectorError` if it can't listen."""
        config = self._config
        limits = Limits(config.max_message_bytes, config.max_connections, config.min_free_bytes)
        listener = Listener(config.spool, config.host, config.port, _tls(config), limits)
        await listener.start()
        try:
            ready(f"{config.host}:{listener.port}")
            await asyncio.Event().wait()
        finally:
            await listener.aclose()

    async def aclose(self) -> None:
        """Release nothing: files are open only while they are read."""

    def _names(self) -> list[str]:
        try:
            return sorted(p.name for p in self._config.spool.iterdir() if p.name.endswith(SUFFIX))
        except OSError as error:
            raise ConnectorError(
                "The spool folder can't be listed; start the listener or correct the path."
            ) from error

    def _look_at(self, name: str) -> Item | Failed:
        place = self._config.spool / name
        try:
            message, changed = place.read_bytes(), place.stat().st_mtime
        except OSError:
            return Failed(id=name, error="The message can't be read; check the spool's rights.")
        found = header(message)
        if found is None or spool_name(found.id) != name:
            return Failed(id=name, error="The file is not a message of the listener; remove it.")
        return Item(
            id=found.id,
            version="sha256:" + hashlib.sha256(message).hexdigest(),
            uri=f"hl7:{found.id}",
            title=f"{found.kind} {found.control_id}",
            media_type=MEDIA_TYPE,
            modified_at=datetime.fromtimestamp(changed, UTC),
            access=Access(allow=self._config.allow),
        )


def _tls(config: Hl7Config) -> ssl.SSLContext | None:
    if config.certificate is None:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=config.client_ca)
        context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        raise ConnectorError(
            "The certificate, its key or the senders' authority can't be used; give PEM files."
        ) from error
    if config.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
