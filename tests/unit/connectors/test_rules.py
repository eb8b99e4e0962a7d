"""Access files of a tree that is read over a network: each once, broken ones close."""

from __future__ import annotations

import asyncio

import pytest

from connectors.contract import ConnectorError, Failed, RetryLater
from connectors.rules import Rules, read_groups


class Remote:
    """A tree of files that counts what is read."""

    def __init__(self, files: dict[str, str | Exception]) -> None:
        self.files = files
        self.asked: list[str] = []

    async def read(self, path: str) -> bytes | None:
        self.asked.append(path)
        found = self.files.get(path)
        if isinstance(found, Exception):
            raise found
        return found.encode() if found is not None else None


def allowed(remote: Remote, *paths: str) -> tuple[list[list[str]], list[Failed]]:
    async def story() -> tuple[list[list[str]], list[Failed]]:
        rules = Rules(remote.read)
        found = [sorted((await rules.file(path)).granted().allow) for path in paths]
        return found, rules.failures()

    return asyncio.run(story())


def test_the_nearest_access_file_counts_and_each_is_read_once() -> None:
    remote = Remote(
        {".access.toml": 'allow = ["everyone"]', "a/b/.access.toml": 'allow = ["user:ana"]'}
    )
    found, failed = allowed(remote, "x.txt", "a/x.txt", "a/b/x.txt", "a/b/y.txt", "a/z.txt")
    assert found == [["everyone"], ["everyone"], ["user:ana"], ["user:ana"], ["everyone"]]
    assert failed == []
    folders = [path for path in remote.asked if path.rpartition("/")[2] == ".access.toml"]
    assert folders == [".access.toml", "a/.access.toml", "a/b/.access.toml"]


def test_what_can_not_be_read_or_understood_closes() -> None:
    remote = Remote(
        {
            ".access.toml": 'allow = ["everyone"]',
            "a/.access.toml": ConnectorError("It may not be read."),
            "b/.access.toml": "allow = 1",
            "b/c/.access.toml": 'allow = ["everyone"]',
        }
    )
    found, failed = allowed(remote, "a/x.txt", "b/c/x.txt", "x.txt")
    assert found == [[], [], ["everyone"]]
    assert [one.id for one in failed] == ["a/.access.toml", "b/.access.toml"]
    assert failed[0].error == "It may not be read. Nobody may read what it covers."


def test_a_busy_source_is_no_broken_access_file() -> None:
    with pytest.raises(RetryLater):
        allowed(Remote({".access.toml": RetryLater(1.0)}), "x.txt")


def test_groups() -> None:
    assert asyncio.run(read_groups(Remote({}).read)) == []
    with pytest.raises(ConnectorError, match="Correct the file"):
        asyncio.run(read_groups(Remote({".groups.toml": "a = 1"}).read))
