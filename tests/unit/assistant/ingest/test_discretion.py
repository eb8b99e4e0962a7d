"""A connector's secrets are cut out of whatever it raises or reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from pydantic import BaseModel, JsonValue

from assistant.ingest.discretion import Discreet, hide
from connectors.contract import (
    Complete,
    ConnectorError,
    Failed,
    Frozen,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)

CANARY = "canary-51d0"


class Indiscreet:
    Config: ClassVar[type[BaseModel]] = Frozen

    def __init__(self) -> None:
        self.closed = False

    async def check(self) -> None:
        try:
            raise ValueError(f"wrong password {CANARY}")
        except ValueError as error:
            raise ConnectorError(f"login with {CANARY} failed") from error

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        yield Item(id="a", version="1", uri="a")
        yield Failed(id="b", error=f"no {CANARY}")
        yield Complete(cursor=None)
        raise RetryLater(2.0)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        yield b"some"
        raise OSError(5, f"refused {CANARY}")

    async def groups(self) -> AsyncIterator[Group]:
        yield Group(id="g", members=frozenset())

    async def aclose(self) -> None:
        self.closed = True


def test_errors_are_cut_and_the_rest_passes() -> None:
    async def use() -> None:
        inner = Indiscreet()
        connector = Discreet(inner, [CANARY])
        with pytest.raises(ConnectorError, match=r"login with \(hidden\) failed") as caught:
            await connector.check()
        assert CANARY not in str(caught.value.__cause__)
        changes = connector.changes(None)
        events = [await anext(changes) for _ in range(3)]
        with pytest.raises(RetryLater) as patience:
            await anext(changes)
        assert patience.value.after_s == 2.0
        item = events[0]
        assert isinstance(item, Item)
        assert events[1:] == [Failed(id="b", error="no (hidden)"), Complete(cursor=None)]
        body = connector.fetch(item)
        assert await anext(body) == b"some"
        with pytest.raises(OSError, match="refused") as refused:
            await anext(body)
        assert CANARY not in str(refused.value)
        assert [group.id async for group in connector.groups()] == ["g"]
        await connector.aclose()
        assert inner.closed

    asyncio.run(use())


def test_the_longest_secret_goes_first() -> None:
    assert hide("abc ab", ["ab", "abc", ""]) == "(hidden) (hidden)"
