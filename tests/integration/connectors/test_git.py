"""The git connector on real repositories: a path, Apache over TLS, and OpenSSH."""

from __future__ import annotations

import asyncio
import random
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo
from pydantic import JsonValue, SecretStr, ValidationError

from connectors import git_blob, git_remote
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
from connectors.following import Ability, Following
from connectors.git import Git, GitConfig
from tests.support.git import TOKEN, USER, Depot, Server, free_port, git, over_https, over_ssh

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


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "throttle": "A path never asks for patience; Apache's answer is tested by itself.",
    }

    @pytest.fixture(autouse=True)
    def repository(self, depot: Depot) -> None:
        self.depot = depot
        depot.commit({".access.toml": EVERYONE, "m/one.txt": "One."})

    def make(self) -> Connector:
        return connector(self.depot.path)

    def make_unusable(self) -> Connector:
        return connector(self.depot.path / "missing")

    def add(self, name: str, text: str) -> None:
        self.depot.commit({name: text})

    change = add

    def delete(self, name: str) -> None:
        self.depot.commit({name: None})

    def revoke(self, name: str) -> None:
        self.depot.commit({f"{name}.access.toml": 'allow = ["user:ana"]'})

    def empty(self) -> None:
        self.depot.commit({"m/one.txt": None})

    def fill(self, n: int) -> None:
        self.depot.commit({f"{i % 10}/{i}.txt": str(i) for i in range(n)})


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


def applied(state: dict[str, Item], changes: list[Item | Gone | Failed]) -> dict[str, Item]:
    """What a catalog holds after changes."""
    found = dict(state)
    for event in changes:
        if isinstance(event, Item):
            found[event.id] = event
        elif isinstance(event, Gone):
            found.pop(event.id, None)
    return found


def cursor_of(commit: str) -> JsonValue:
    return {"commit": commit}


def test_who_may_read_and_what_a_file_is_filed_under(depot: Depot) -> None:
    depot.commit(
        {
            ".access.toml": 'allow = ["group:hr"]\n[meta]\ncollection = "general"',
            "pol/.access.toml": 'deny = ["user:rui"]',
            "pol/Férias 2024.DOCX": b"PK",
            "pol/Férias 2024.DOCX.access.toml": "[meta]\ndate = 2024-03-31\n"
            'title = "Férias"\nsuperseded_by = "../new/f.md"',
            "open/x.md": "x",
            "open/x.md.access.toml": EVERYONE,
        }
    )
    link = "https://git.acme.example/docs/blob/main/{path}"
    found = items(connector(depot.path, link=link, industry="retail"))
    item = found["pol/Férias 2024.DOCX"]
    assert item.access == Access(allow=frozenset({"group:hr"}), deny=frozenset({"user:rui"}))
    assert item.title == "Férias"
    assert item.uri == "https://git.acme.example/docs/blob/main/pol/F%C3%A9rias%202024.DOCX"
    assert item.media_type.endswith("wordprocessingml.document")
    assert item.meta == {
        "collection": "general",
        "industry": "retail",
        "date": "2024-03-31",
        "superseded_by": "new/f.md",
    }
    assert found["open/x.md"].access.allow == {"everyone"}


def test_the_configuration_decides_where_no_access_file_does(depot: Depot) -> None:
    depot.commit({"a.md": "a", "in/b.md": "b", "in/.access.toml": EVERYONE})
    assert items(connector(depot.path))["a.md"].access == Access()
    config: dict[str, Any] = {"allow": ["user:ana"], "deny": ["user:rui"], "all_of": ["group:x"]}
    found = items(connector(depot.path, **config))
    mine = Access(**{key: frozenset(value) for key, value in config.items()})
    assert found["a.md"].access == mine
    assert found["in/b.md"].access == Access(
        allow=frozenset({"everyone"}), deny=frozenset({"user:rui"})
    )
    alone = items(connector(depot.path, access_files=False, **config))
    assert alone["in/b.md"].access == mine


def test_groups(depot: Depot) -> None:
    async def groups(**config: Any) -> list[Group]:
        source = connector(depot.path, **config)
        try:
            return [group async for group in source.groups()]
        finally:
            await source.aclose()

    depot.commit({"a.md": "a"})
    assert asyncio.run(groups()) == []
    depot.commit({".groups.toml": '[groups]\nb = ["group:a"]\na = ["user:ana"]'})
    assert [group.id for group in asyncio.run(groups())] == ["group:a", "group:b"]
    assert asyncio.run(groups(access_files=False)) == []
    depot.commit({".groups.toml": "nonsense"})
    with pytest.raises(ConnectorError, match=r"\.groups\.toml is wrong"):
        asyncio.run(groups())


def test_exactly_what_changed_between_two_commits(depot: Depot) -> None:
    first = depot.commit({f"d/{n}.md": f"text {n}" for n in range(5)} | {"r.md": "rename me"})
    state = items(connector(depot.path))
    depot.commit({"d/1.md": "new text", "d/2.md": None, "e/new.md": "new"})
    head = depot.rename("r.md", "d/renamed.md")
    found = listed(connector(depot.path), cursor_of(first))
    changes = [event for page in found.pages for event in page]
    assert [(type(event).__name__, event.id) for event in changes] == [
        ("Item", "d/1.md"),
        ("Gone", "d/2.md"),
        ("Item", "d/renamed.md"),
        ("Item", "e/new.md"),
        ("Gone", "r.md"),
    ]
    assert found.marks[-1].cursor == cursor_of(head)
    assert not isinstance(found.marks[-1], Complete)
    after = applied(state, changes)
    assert after == items(connector(depot.path))
    assert after["d/renamed.md"].version == state["r.md"].version
    assert events(connector(depot.path), cursor_of(head)) == []


def test_a_file_becomes_a_folder_and_back(depot: Depot) -> None:
    first = depot.commit({"a": "file", "b/c": "x"})
    second = depot.commit({"a": None, "b": None, "a/in": "y", "b.x": "z"})
    changes = events(connector(depot.path), cursor_of(first))
    assert [(type(event).__name__, event.id) for event in changes] == [
        ("Gone", "a"),
        ("Item", "a/in"),
        ("Gone", "b/c"),
        ("Item", "b.x"),
    ]
    depot.commit({"a": None})
    depot.commit({"a": "file"})
    changes = events(connector(depot.path), cursor_of(second))
    assert [(type(e).__name__, e.id) for e in changes] == [("Item", "a"), ("Gone", "a/in")]


def test_an_access_file_lists_again_what_it_covers_with_the_same_version(depot: Depot) -> None:
    first = depot.commit(
        {
            ".access.toml": EVERYONE,
            **{f"hr/{n}.md": f"{n}" for n in range(3)},
            "hr/own/.access.toml": 'allow = ["user:ana"]',
            "hr/own/x.md": "x",
            "y.md": "y",
        }
    )
    before = items(connector(depot.path))
    second = depot.commit({"hr/.access.toml": 'allow = ["group:hr"]'})
    changed = items(connector(depot.path), cursor_of(first))
    assert set(changed) == {"hr/0.md", "hr/1.md", "hr/2.md"}
    assert all(item.access.allow == {"group:hr"} for item in changed.values())
    assert all(item.version == before[id_].version for id_, item in changed.items())
    third = depot.commit({"hr/.access.toml": "nonsense"})
    changes = events(connector(depot.path), cursor_of(second))
    failed = [event for event in changes if isinstance(event, Failed)]
    assert [event.id for event in failed] == ["hr/.access.toml"]
    assert failed[0].error.endswith("Nobody may read what it covers.")
    closed = [event for event in changes if isinstance(event, Item)]
    assert {item.id for item in closed} == {"hr/0.md", "hr/1.md", "hr/2.md", "hr/own/x.md"}
    assert all(item.access == Access() for item in closed)
    depot.commit({"hr/.access.toml": None, "z.md.access.toml": EVERYONE})
    changes = events(connector(depot.path), cursor_of(third))
    assert [event.id for event in changes if isinstance(event, Gone)] == ["hr/.access.toml"]
    assert [event.id for event in changes if isinstance(event, Failed)] == ["z.md.access.toml"]


def test_a_link_or_a_folder_as_access_file_closes(depot: Depot) -> None:
    depot.commit(
        {"a/x.md": "x", "open.toml": EVERYONE, "b/.access.toml/in": "x", "b/y.md": "y"},
        links={"a/.access.toml": "../open.toml", "a/link.md": "x.md"},
    )
    found = events(connector(depot.path, allow=["everyone"]))
    access = {event.id: event.access for event in found if isinstance(event, Item)}
    assert access["a/x.md"] == access["b/y.md"] == Access()
    assert "a/link.md" not in access
    failed = {event.id for event in found if isinstance(event, Failed)}
    assert failed == {"a/.access.toml", "b/.access.toml"}


def test_what_is_no_document_is_shown_and_what_it_was_before_goes(depot: Depot) -> None:
    first = depot.commit({"m.bin": "was text", "lib": "was a file", "big.txt": "small", "k": "k"})
    second = depot.commit(
        {"m.bin": LFS, "lib": None, "big.txt": "x" * 2000}, submodules={"lib": "a" * 40}
    )
    source = connector(depot.path, max_file_bytes=1000)
    changes = events(source, cursor_of(first))
    assert [event.id for event in changes if isinstance(event, Gone)] == ["big.txt", "lib", "m.bin"]
    failed = {event.id: event.error for event in changes if isinstance(event, Failed)}
    assert set(failed) == {"big.txt (too large)", "lib (submodule)", "m.bin (Git LFS)"}
    assert "2,000 bytes" in failed["big.txt (too large)"]
    everything = events(connector(depot.path, max_file_bytes=1000))
    assert {event.id for event in everything} == {*failed, "k"}
    depot.commit({"m.bin": "text again", "lib": None, "big.txt": "small"})
    changes = events(connector(depot.path, max_file_bytes=1000), cursor_of(second))
    assert {event.id for event in changes if isinstance(event, Gone)} == set(failed)
    assert {event.id for event in changes if isinstance(event, Item)} == {"m.bin", "big.txt"}


def test_names(depot: Depot) -> None:
    names = ["a b.md", "日本/ü\n.md", "-x", "n" * 255, "%2e.md", 'q"uote.md', ".hidden", "x.tmp"]
    depot.commit({**dict.fromkeys(names, "x"), "caf\udce9.md": "y", "d\udce9/z.md": "z"})
    found = events(connector(depot.path))
    assert {event.id for event in found if isinstance(event, Item)} == set(names[:6])
    assert {event.id for event in found if isinstance(event, Failed)} == {"caf\\xe9.md", "d\\xe9"}


def test_include_and_exclude(depot: Depot) -> None:
    first = depot.commit({"a.pdf": "1", "b.txt": "2", "old/c.pdf": "3", "new/d.pdf": "4"})
    chosen: dict[str, Any] = {"include": ["*.pdf"], "exclude": ["old/*"]}
    assert set(items(connector(depot.path, **chosen))) == {"a.pdf", "new/d.pdf"}
    depot.commit({"b.txt": "5", "old/c.pdf": "6", "new/d.pdf": "7"})
    assert set(items(connector(depot.path, **chosen), cursor_of(first))) == {"new/d.pdf"}


def test_a_rewritten_history_is_listed_afresh(depot: Depot) -> None:
    depot.commit({"a.md": "a"})
    old = depot.commit({"b.md": "b"})
    depot.commit({"c.md": "c"}, rewrites=True)
    with pytest.raises(CursorExpired, match="rewritten"):
        listed(connector(depot.path), cursor_of(old))
    with pytest.raises(CursorExpired):
        listed(connector(depot.path), cursor_of("0" * 40))
    assert set(items(connector(depot.path))) == {"c.md"}


@pytest.mark.parametrize(
    "cursor",
    ["x", 3, {}, {"commit": "abc"}, {"commit": None}, [], {"from": None, "to": 1}],
)
def test_a_foreign_cursor_is_expired(depot: Depot, cursor: JsonValue) -> None:
    depot.commit({"a.md": "a"})
    with pytest.raises(CursorExpired):
        listed(connector(depot.path), cursor)


def test_interrupted_between_marks_while_the_branch_goes_on(depot: Depot) -> None:
    """Whatever mark a run stopped at, and whatever was pushed meanwhile, nothing is lost."""
    tree: dict[str, str | bytes | None] = {f"{n:03}/x.md": f"{n}" for n in range(240)}
    first = depot.commit({".access.toml": EVERYONE, **tree})
    state = items(connector(depot.path))
    depot.commit({**{path: f"new {path}" for path in list(tree)[:230]}, "100/x.md": None})
    passes = {
        "full": listed(connector(depot.path)),
        "diff": listed(connector(depot.path), cursor_of(first)),
    }
    depot.commit({"000/x.md": None, "150/x.md": "newest", "zzz.md": "z"})
    truth = items(connector(depot.path))
    for name, found in passes.items():
        assert len(found.marks) >= 3
        catalog = {} if name == "full" else dict(state)
        for page, mark in zip(found.pages, found.marks, strict=True):
            catalog = applied(catalog, page)
            reached, cursor = dict(catalog), mark.cursor
            for _ in range(2):
                rest = listed(connector(depot.path), cursor)
                reached = applied(reached, [event for page in rest.pages for event in page])
                cursor = rest.marks[-1].cursor
            assert reached == truth
            assert cursor == cursor_of(depot.head())


def test_random_histories_end_where_the_branch_is(depot: Depot) -> None:
    chance = random.Random(7)
    folders = ("", "a/", "a/b/", "c/")
    state: dict[str, Item] = {}
    shown: set[str] = set()
    cursor: JsonValue = None
    for turn in range(25):
        changes: dict[str, str | bytes | None] = {f"turn{turn}.md": "t"}
        for _ in range(chance.randrange(1, 6)):
            folder = chance.choice(folders)
            file = f"{folder}{chance.randrange(4)}.md"
            sidecar = chance.choice((f"{folder}.access.toml", f"{file}.access.toml"))
            text = chance.choice((EVERYONE, 'deny = ["user:x"]', "broken", None))
            body = chance.choice((f"text {turn}", LFS, None))
            changes |= {chance.choice((file, sidecar)): body} if chance.random() < 0.6 else {}
            changes |= {sidecar: text} if chance.random() < 0.5 else {}
        depot.commit(changes)
        found = listed(connector(depot.path), cursor)
        steps = [event for page in found.pages for event in page]
        state = applied(state, steps)
        for event in steps:
            shown.discard(event.id)
            shown |= {event.id} if isinstance(event, Failed) else set()
        cursor = found.marks[-1].cursor
        everything = events(connector(depot.path))
        assert state == {event.id: event for event in everything if isinstance(event, Item)}
        assert shown == {event.id for event in everything if isinstance(event, Failed)}


def _commit(repo: Repo) -> Commit:
    found = repo[repo.head()]
    assert isinstance(found, Commit)
    return found


def test_sizes_are_known_without_inflating(depot: Depot) -> None:
    texts = {f"{n}.txt": "\n".join(f"line {i}" for i in range(n * 40)) for n in range(30)}
    texts |= {"big.txt": "".join(f"{i:09}\n" for i in range(60_000)), "empty": ""}
    for name, text in texts.items():
        depot.commit({name: text})
    depot.pack()
    depot.commit({"big.txt": texts["big.txt"].replace("000000777", "changed")})
    depot.pack()
    blob = git("-C", str(depot.path), "hash-object", "-w", "--stdin", fed=b"loose" * 1000).strip()
    with closing(Repo(str(depot.path))) as repo:
        store = repo.object_store
        ids = [entry.sha for entry in store.iter_tree_contents(_commit(repo).tree)]
        assert len(ids) == len(texts)
        for id_ in (*ids, ObjectID(blob.encode())):
            assert git_blob.size(repo, id_) == len(store.get_raw(id_)[1])
        with pytest.raises(KeyError):
            git_blob.size(repo, ObjectID(b"0" * 40))


def test_fetch_gives_what_was_listed(depot: Depot) -> None:
    depot.commit({"a.md": "first"})

    async def story() -> tuple[bytes, bytes]:
        source = connector(depot.path)
        found = [event async for event in source.changes(None)]
        depot.commit({"a.md": "second"})
        item = found[0]
        assert isinstance(item, Item)
        early = b"".join([piece async for piece in source.fetch(item)])
        newer = [event async for event in source.changes(None)][0]  # noqa: RUF015
        assert isinstance(newer, Item)
        late = b"".join([piece async for piece in source.fetch(newer)])
        await source.aclose()
        return early, late

    assert asyncio.run(story()) == (b"first", b"second")


@pytest.mark.parametrize("path", ["../x", "", "a//b", ".git", ".hidden", "d", "link", "d/nope"])
def test_only_documents_are_fetched(depot: Depot, path: str) -> None:
    depot.commit({"d/x": "x", ".hidden": "h"}, links={"link": "d/x"})
    with pytest.raises(ConnectorError, match="is not a document"):
        body(connector(depot.path), Item(id=path, version="0" * 40, uri=path))


def test_thousands_of_files_in_bounded_memory(depot: Depot) -> None:
    tree: dict[str, str | bytes | None] = {f"{n % 50}/{n}.md": f"text {n}" for n in range(6000)}
    depot.commit({".access.toml": EVERYONE, **tree})
    depot.pack()

    async def story() -> int:
        source, n_items = connector(depot.path), 0
        async for event in source.changes(None):
            n_items += isinstance(event, Item)
        await source.aclose()
        return n_items

    asyncio.run(story())
    tracemalloc.start()
    try:
        assert asyncio.run(story()) == 6000
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()


class TestCopies:
    """What was fetched over the network is kept, and kept up to date."""

    @pytest.fixture
    def remote(self, https: Server, tmp_path: Path) -> Depot:
        return Depot.made(https.folder / f"{tmp_path.name}.git")

    def test_follow_the_branch(self, https: Server, remote: Depot, tmp_path: Path) -> None:
        def source(**config: Any) -> Git:
            return secured(https, f"/git/{remote.path.name}", tmp_path / "cache", **config)

        remote.commit({"a.md": "a", "b.md": "b"})
        remote.commit({"draft.md": "d"}, branch="draft")
        found = listed(source())
        assert {item.id for item in found.items} == {"a.md", "b.md"}
        remote.commit({"a.md": None, "c.md": "c"})
        changes = [event.id for event in events(source(), found.marks[-1].cursor)]
        assert changes == ["a.md", "c.md"]
        assert set(items(source(branch="draft"))) == {"draft.md"}
        remote.commit({"fresh.md": "f"}, rewrites=True)
        with pytest.raises(CursorExpired):
            listed(source(), found.marks[-1].cursor)
        assert set(items(source())) == {"fresh.md"}
        with pytest.raises(ConnectorError, match="no branch 'nope'; name a branch"):
            listed(source(branch="nope"))
        assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700

    def test_are_fetched_anew_when_they_are_in_many_pieces(
        self, https: Server, remote: Depot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(git_remote, "MAX_PACKS", 3)
        cursor: JsonValue = None
        for n in range(8):
            remote.commit({f"{n}.md": f"text {n}"})
            source = secured(https, f"/git/{remote.path.name}", tmp_path / "cache")
            found = listed(source, cursor)
            assert [item.id for item in found.items] == [f"{n}.md"]
            cursor = found.marks[-1].cursor
            assert len(list((tmp_path / "cache").glob("*/objects/pack/*.pack"))) <= 4
        assert len(list((tmp_path / "cache").glob("*/"))) == 1

    def test_of_a_file_address(self, depot: Depot, tmp_path: Path) -> None:
        depot.commit({"a.md": "a"})
        url = f"file://{depot.path}"
        found = listed(connector(url, cache=tmp_path / "cache"))
        depot.commit({"b.md": "b"})
        rest = listed(connector(url, cache=tmp_path / "cache"), found.marks[-1].cursor)
        assert [item.id for item in rest.items] == ["b.md"]


def refused(source: Git) -> str:
    async def story() -> None:
        try:
            await source.check()
        finally:
            await source.aclose()

    with pytest.raises(ConnectorError) as caught:
        asyncio.run(story())
    assert TOKEN not in str(caught.value)
    return str(caught.value)


class TestRefusals:
    def test_of_the_account(self, https: Server, tmp_path: Path) -> None:
        wrong = secured(https, "/git/x.git", tmp_path, password=SecretStr("wrong"))
        assert "refuses this account" in refused(wrong)
        nobody = secured(https, "/git/x.git", tmp_path, password=SecretStr(""))
        assert "refuses this account" in refused(nobody)

    def test_of_the_certificate(self, https: Server, tmp_path: Path) -> None:
        assert "certificate" in refused(secured(https, "/git/x.git", tmp_path, ca_file=None))

    def test_of_a_redirect(self, https: Server, tmp_path: Path) -> None:
        said = refused(secured(https, "/moved/x.git", tmp_path))
        assert f"redirects to {https.url}/git/x.git;" in said

    def test_of_a_broken_server(self, https: Server, tmp_path: Path) -> None:
        assert "HTTP 500" in refused(secured(https, "/broken/x.git", tmp_path))

    def test_of_a_page_that_is_no_repository(self, https: Server, tmp_path: Path) -> None:
        assert "no Git repository" in refused(secured(https, "/elsewhere", tmp_path))

    def test_of_a_busy_server(self, https: Server, tmp_path: Path) -> None:
        with pytest.raises(RetryLater) as caught:
            listed(secured(https, "/busy/x.git", tmp_path))
        assert caught.value.after_s == 7

    def test_of_a_server_that_is_away(self, tmp_path: Path) -> None:
        url = f"https://127.0.0.1:{free_port()}/x.git"
        assert "can't be reached" in refused(connector(url, cache=tmp_path))

    def test_of_a_server_that_is_silent(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
            with pytest.raises(RetryLater):
                listed(connector(url, cache=tmp_path, timeout_s=0.2))

    def test_over_ssh(self, ssh: Server, tmp_path: Path) -> None:
        good: dict[str, Any] = {"ssh_key": ssh.secret, "known_hosts": ssh.trusted}
        url = f"{ssh.url}/missing.git"
        no_key = connector(url, cache=tmp_path, known_hosts=ssh.trusted)
        assert "refuses the SSH key" in refused(no_key)
        stranger = ssh.trusted.replace("127.0.0.1", "127.0.0.2")
        unknown = connector(url, cache=tmp_path, **{**good, "known_hosts": stranger})
        assert "not among the known hosts" in refused(unknown)
        assert "can't be read over SSH" in refused(connector(url, cache=tmp_path, **good))
        port = ssh.url.split(":")[2].split("/")[0]
        away = connector(url.replace(port, str(free_port())), cache=tmp_path, **good)
        assert "Connection refused" in refused(away)

    def test_of_an_empty_repository(self, depot: Depot) -> None:
        assert "no commit on its own branch" in refused(connector(depot.path))

    def test_of_a_damaged_repository(self, depot: Depot) -> None:
        depot.commit({"a.md": "a" * 100, "b.md": "b"})
        depot.pack()
        for pack in depot.path.glob("objects/pack/*.pack"):
            data = bytearray(pack.read_bytes())
            data[12:-20] = bytes(len(data) - 32)
            pack.chmod(0o600)
            pack.write_bytes(bytes(data))
        with pytest.raises(ConnectorError, match="is damaged"):
            listed(connector(depot.path))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"url": f"https://u:{TOKEN}@h/x"}, "fields of their own"),
        ({"url": "git://h/x"}, "write https://"),
        ({"url": "ext::sh -c id"}, "write https://"),
        ({"url": "x.git"}, "write https://"),
        ({"url": "https:///x"}, "names no host"),
        ({"url": "ssh://-oProxyCommand=id/x", "known_hosts": "x"}, "names no host"),
        ({"url": "https://h/x?token=1"}, "no \\? or #"),
        ({"url": "ssh://git@h/x"}, "known_hosts"),
        ({"url": "git@h:x"}, "known_hosts"),
        ({"url": "http://h/x", "password": TOKEN}, "unencrypted"),
        ({"url": "/x", "allow": ["ana"]}, "neither user:LOGIN"),
    ],
)
def test_a_wrong_configuration_is_explained(config: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as caught:
        GitConfig.model_validate(config)
    assert TOKEN not in str(caught.value)


def test_secrets_stay_secret(https: Server, tmp_path: Path) -> None:
    source = secured(https, "/git/x.git", tmp_path)
    assert TOKEN not in f"{source!r} {source._config!r} {source._remote()!r}"
    assert TOKEN not in source._config.model_dump_json()
