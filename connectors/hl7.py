"""HL7 v2 messages in a spool folder as a source; `connectors.mllp.Listener` fills it.

Each message is a document, named by its sending application and control id. The folder is listed
in each run; a message that was removed from it is gone.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, Field, JsonValue

from connectors.contract import (
    Access,
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Frozen,
    Gone,
    Group,
    Item,
    Mark,
)
from connectors.mllp import SUFFIX, header, spool_name
from connectors.sidecars import Principals

MEDIA_TYPE = "application/hl7-v2"
ITEMS_PER_MARK = 200


class Hl7Config(Frozen):
    """Where messages are spooled, and who may read them."""

    spool: Path = Field(title="Spool folder", description="the folder that the listener fills")
    allow: Principals = Field(default=frozenset(), title="Who may read; nobody if empty")


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
