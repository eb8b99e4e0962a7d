"""A connector that never says its secrets: they are cut out of every error it raises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractContextManager, aclosing
from types import TracebackType
from typing import Any, ClassVar

from pydantic import BaseModel, JsonValue

from connectors.contract import Connector, Failed, Gone, Group, Item, Mark

HIDDEN = "(hidden)"


def hide(text: str, secrets: Collection[str]) -> str:
    """Return a text without these secrets, the longest first."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


class Discretion(AbstractContextManager[None]):
    """Cuts secrets out of the errors that leave its block, causes too."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = secrets

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Change the errors in place."""
        while error is not None:
            error.args = tuple(
                hide(arg, self._secrets) if isinstance(arg, str) else arg for arg in error.args
            )
            if isinstance(error, OSError) and error.strerror:
                error.strerror = hide(error.strerror, self._secrets)
            error = error.__cause__ or error.__context__


class Discreet:
    """A connector as it is, except for what its errors say."""

    Config: ClassVar[type[BaseModel]] = BaseModel

    def __init__(self, inner: Connector, secrets: Collection[str]) -> None:
        self._inner = inner
        self._secrets = secrets
        self._discretion = Discretion(secrets)

    async def check(self) -> None:
        """Check the source."""
        with self._discretion:
            await self._inner.check()

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Yield what changed since a cursor."""
        changes: Any = self._inner.changes(since)
        with self._discretion:
            async with aclosing(changes) as events:
                async for event in events:
                    if isinstance(event, Failed):
                        yield Failed(id=event.id, error=hide(event.error, self._secrets))
                    else:
                        yield event

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield the body of an item."""
        body: Any = self._inner.fetch(item)
        with self._discretion:
            async with aclosing(body) as pieces:
                async for piece in pieces:
                    yield piece

    async def groups(self) -> AsyncIterator[Group]:
        """Yield the groups of the source."""
        found: Any = self._inner.groups()
        with self._discretion:
            async with aclosing(found) as groups:
                async for group in groups:
                    yield group

    async def aclose(self) -> None:
        """Release what the connector holds."""
        with self._discretion:
            await self._inner.aclose()
