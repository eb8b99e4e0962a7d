"""The git connector on real repositories: a path, Apache over TLS, and OpenSSH."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue, SecretStr, ValidationError

from connectors.conformance import Conformance, Listing, listing
from connectors.contract import (
    Access,
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    RetryLater,
)
from connectors.git import Git, GitConfig
from tests.support.git import TOKEN, USER, Depot, Server, git, over_https, over_ssh

EVERYONE = 'allow = ["everyone"]\n'
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
TREE: dict[str, str | bytes | None] = {
    ".access.toml": 'allow = ["group:all"]\n[meta]\nlang = "pt"\ntitle = "not inherited"',
    ".groups.toml": '[groups]\nall = ["user:ana", "group:hr"]\nhr = ["user:rui"]',
    ".gitignore": "*.o",
    "empty.txt": "",
    "políticas/Férias 2024.md": "# Férias",
    "políticas/" + "n" * 250 + ".md": "long",
    "secret/.access.toml": 'allow = ["user:ana"]\nall_of = ["group:hr"]',
    "broken/.access.toml": "allow = everyone",
    "big.bin": b"x" * 300_000,
    **{f"a/{n:03}/doc.txt": f"text {n}" for n in range(230)},
    **{f"broken/{n}.md": f"# {n}" for n in range(3)},
    **{f"secret/{n}.md": f"# {n}" for n in range(3)},
}


@pytest.fixture(scope="module")
def https() -> Iterator[Server]:
    with over_https() as server:
        yield server


@pytest.fixture(scope="module")
def ssh() -> Iterator[Server]:
    with over_ssh() as server:
        yield server


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot.made(tmp_path / "docs.git")


def connector(url: str | Path, **config: Any) -> Git:
    return Git(GitConfig(url=str(url), **config))


def secured(server: Server, path: str, cache: Path, **config: Any) -> Git:
    trust: dict[str, Any] = {"cache": cache, "ca_file": server.trusted}
    account = {"username": USER, "password": SecretStr(TOKEN)}
    return connector(server.url + path, **{**trust, **account, **config})


def listed(source: Git, since: JsonValue = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(source, since)
        finally:
            await source.aclose()

    return asyncio.run(story())


def events(source: Git, since: JsonValue = None) -> list[Item | Gone | Failed]:
    return [event for page in listed(source, since).pages for event in page]


def items(source: Git, since: JsonValue = None) -> dict[str, Item]:
    return {event.id: event for event in events(source, since) if isinstance(event, Item)}


def body(source: Git, item: Item) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in source.fetch(item)])

    return asyncio.run(read())


class TestPath(Conformance):
    @pytest.fixture(autouse=True)
    def repository(self, depot: Depot) -> None:
        depot.commit(TREE)
        depot.pack()
        self.url = depot.path

    def make(self) -> Connector:
        return connector(self.url)

    def make_unusable(self) -> Connector:
        return connector(self.url / "missing")


class TestHttps(Conformance):
    @pytest.fixture(autouse=True)
    def repository(self, https: Server, tmp_path: Path) -> None:
        self.server, self.cache = https, tmp_path / "cache"
        if not (https.folder / "docs.git").exists():
            Depot.made(https.folder / "docs.git").commit(TREE)

    def make(self) -> Connector:
        return secured(self.server, "/git/docs.git", self.cache)

    def make_unusable(self) -> Connector:
        return secured(self.server, "/git/missing.git", self.cache)


class TestSsh(Conformance):
    @pytest.fixture(autouse=True)
    def repository(self, ssh: Server, tmp_path: Path) -> None:
        self.server, self.cache = ssh, tmp_path / "cache"
        if not (ssh.folder / "docs.git").exists():
            Depot.made(ssh.folder / "docs.git").commit(TREE)

    def make(self) -> Connector:
        return connector(
            f"{self.server.url}/docs.git",
            cache=self.cache,
            ssh_key=self.server.secret,
            known_hosts=self.server.trusted,
        )

    def make_unusable(self) -> Connector:
        return connector(
            f"{self.server.url}/missing.git",
            cache=self.cache,
            ssh_key=self.server.secret,
            known_hosts=self.server.trusted,
        )
