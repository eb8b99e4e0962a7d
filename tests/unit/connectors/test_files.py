"""The folder connector on real folders: what is listed, who may read it, what can't escape."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import JsonValue

from connectors.conformance import Conformance, Listing, listing
from connectors.contract import (
    Access,
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Failed,
    Group,
    Item,
)
from connectors.files import Files, FilesConfig
from connectors.following import Ability, Following

EVERYONE = 'allow = ["everyone"]\n'


def put(root: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def files(root: Path, **config: Any) -> Files:
    return Files(FilesConfig(path=root, **config))


def listed(connector: Files, since: JsonValue = None) -> Listing:
    return asyncio.run(listing(connector, since))


def items(connector: Files) -> dict[str, Item]:
    return {item.id: item for item in listed(connector).items}


def failures(connector: Files) -> dict[str, str]:
    pages = listed(connector).pages
    return {e.id: e.error for page in pages for e in page if isinstance(e, Failed)}


def body(connector: Files, item: Item) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in connector.fetch(item)])

    return asyncio.run(read())


def anything(item_id: str) -> Item:
    return Item(id=item_id, version="1", uri=item_id)


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def tree(self, tmp_path: Path) -> None:
        self.root = put(
            tmp_path / "root",
            {
                ".access.toml": 'allow = ["group:all"]\n[meta]\ndate = 2024-01-31\nlang = "pt"',
                ".groups.toml": '[groups]\nall = ["user:ana", "group:hr"]\nhr = ["user:rui"]',
                "secret/.access.toml": 'allow = ["user:ana"]\nall_of = ["group:hr"]',
                "a/broken/.access.toml": "allow = everyone",
                "nobody/x.pdf": b"%PDF",
                "big.bin": b"x" * 1_500_000,
                **{f"a/{n:02}/doc.txt": f"text {n}" for n in range(31)},
                **{f"a/broken/{n}.md": f"# {n}" for n in range(25)},
                **{f"secret/{n}.md": f"# {n}" for n in range(3)},
            },
        )

    def make(self) -> Connector:
        return files(self.root)

    def make_unusable(self) -> Connector:
        return files(self.root / "missing")


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {"throttle": "A folder never asks for patience."}

    @pytest.fixture(autouse=True)
    def tree(self, tmp_path: Path) -> None:
        self.root = put(tmp_path / "root", {".access.toml": EVERYONE, "m/one.txt": "One."})

    def make(self) -> Connector:
        return files(self.root)

    def make_unusable(self) -> Connector:
        return files(self.root / "missing")

    def add(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    change = add

    def delete(self, name: str) -> None:
        (self.root / name).unlink()

    def revoke(self, name: str) -> None:
        (self.root / f"{name}.access.toml").write_text('allow = ["user:ana"]\n')

    def empty(self) -> None:
        shutil.rmtree(self.root / "m")

    def fill(self, n: int) -> None:
        put(self.root, {f"{i % 10}/{i}.txt": "" for i in range(n)})


def test_an_item_tells_what_the_catalog_needs(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "pol/.access.toml": 'allow = ["group:hr", "user:ana"]\ndeny = ["user:rui"]\n'
            '[meta]\nlang = "pt"\ncollection = "policies"\ntitle = "not inherited"',
            "pol/Férias 2024.DOCX": b"PK",
            "pol/Férias 2024.DOCX.access.toml": "[meta]\ndate = 2024-03-31\n"
            'title = "Férias"\nsuperseded_by = "../new/f.md"',
            "pol/other.md": "x",
        },
    )
    found = items(files(tmp_path, collection="general", industry="retail"))
    item = found["pol/Férias 2024.DOCX"]
    assert item.uri == item.id
    assert item.title == "Férias"
    assert item.media_type.endswith("wordprocessingml.document")
    assert item.access == Access(
        allow=frozenset({"group:hr", "user:ana"}), deny=frozenset({"user:rui"})
    )
    assert item.meta == {
        "lang": "pt",
        "collection": "policies",
        "industry": "retail",
        "date": "2024-03-31",
        "superseded_by": "new/f.md",
    }
    assert item.modified_at is not None
    assert found["pol/other.md"].title == ""


def test_sidecars_hidden_and_temporary_files_are_no_items(tmp_path: Path) -> None:
    put(
        tmp_path,
        dict.fromkeys(
            (
                "real.txt",
                ".access.toml",
                "real.txt.access.toml",
                ".groups.toml",
                ".hidden",
                ".git/config",
                "~$plan.docx",
                "a.tmp",
                "b.PART",
                "c~",
                "Thumbs.db",
            ),
            "x",
        ),
    )
    os.mkfifo(tmp_path / "pipe")
    assert list(items(files(tmp_path))) == ["real.txt"]


def test_include_and_exclude(tmp_path: Path) -> None:
    put(tmp_path, {"a.pdf": "", "b.txt": "", "old/c.pdf": "", "new/d.pdf": "", "new/e.txt": ""})
    assert list(items(files(tmp_path, include=("*.pdf",)))) == ["a.pdf", "new/d.pdf", "old/c.pdf"]
    some = files(tmp_path, include=("new/*", "b.txt"), exclude=("*.txt",))
    assert list(items(some)) == ["new/d.pdf"]
    assert list(items(files(tmp_path, exclude=("old/*", "new/*")))) == ["a.pdf", "b.txt"]


def test_change_rename_and_delete_show_in_the_next_listing(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": "one", "b.txt": "two", "big.bin": b"x" * 1_100_000})
    before = items(files(tmp_path))
    stamp = (tmp_path / "a.txt").stat().st_mtime_ns
    (tmp_path / "a.txt").write_text("eno")
    os.utime(tmp_path / "a.txt", ns=(stamp, stamp))
    (tmp_path / "b.txt").rename(tmp_path / "c.txt")
    big = (tmp_path / "big.bin").stat().st_mtime_ns
    (tmp_path / "big.bin").write_bytes(b"y" * 1_100_000)
    os.utime(tmp_path / "big.bin", ns=(big, big))
    after = items(files(tmp_path))
    assert set(after) == {"a.txt", "c.txt", "big.bin"}
    assert after["a.txt"].version != before["a.txt"].version
    assert after["big.bin"].version != before["big.bin"].version
    assert after["c.txt"].version == before["b.txt"].version
    os.utime(tmp_path / "a.txt")
    assert items(files(tmp_path))["a.txt"].version == after["a.txt"].version


def test_marks_every_twenty_files_and_ends_complete(tmp_path: Path) -> None:
    put(tmp_path, {f"d/{n:03}.txt": "x" for n in range(45)})
    found = listed(files(tmp_path))
    assert [len(page) for page in found.pages] == [20, 20, 5, 0]
    assert [(mark.done, mark.total) for mark in found.marks] == [
        (20, 45),
        (40, 45),
        (45, 45),
        (45, 45),
    ]
    assert isinstance(found.marks[-1], Complete)
    rest = listed(files(tmp_path), found.marks[0].cursor)
    assert rest.marks[0].done == 40
    assert [item.id for item in rest.items] == [f"d/{n:03}.txt" for n in range(20, 45)]


def test_a_folder_and_a_file_sort_by_parts_not_by_characters(tmp_path: Path) -> None:
    """`a-b` sorts before `a/b` as text, but behind the folder `a`: a resumed run must agree."""
    put(tmp_path, {"a/z.txt": "", "a-b.txt": "", "a.txt": "", "b.txt": ""})
    assert list(items(files(tmp_path))) == ["a/z.txt", "a-b.txt", "a.txt", "b.txt"]
    cursor: JsonValue = {"after": "a/z.txt", "done": 1}
    rest = listed(files(tmp_path), cursor)
    assert [item.id for item in rest.items] == ["a-b.txt", "a.txt", "b.txt"]


@pytest.mark.parametrize("cursor", ["x", 3, {}, {"after": 1, "done": 0}, [], {"after": "a"}])
def test_a_foreign_cursor_is_expired(tmp_path: Path, cursor: JsonValue) -> None:
    with pytest.raises(CursorExpired):
        listed(files(put(tmp_path, {"a": ""})), cursor)


BROKEN = [
    b"allow = everyone",
    b'alow = ["everyone"]',
    b'allow = "everyone"',
    b'allow = ["ana"]',
    b'allow = ["group:"]',
    b'allow = ["user: ana"]',
    b"allow = [1]",
    b"",
    b"# nothing",
    b"\xff\xfe",
    b'allow = ["everyone"]\n[meta]\nlang = 3',
    b'allow = ["everyone"]\n[meta]\nx = {a = 1}',
    b'allow = ["everyone"]\n[meta]\nx = nan',
    b'allow = ["everyone"]\n[meta]\nsuperseded_by = "../../up.txt"',
    b'allow = ["everyone"]\n[meta]\nsuperseded_by = "/etc/passwd"',
    b'allow = ["everyone"]\n#' + b"x" * 70_000,
    b"x = " + b"[" * 20_000,
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_sidecar_closes_what_it_covers(tmp_path: Path, content: bytes) -> None:
    put(
        tmp_path,
        {
            ".access.toml": EVERYONE,
            "d/.access.toml": content,
            "d/x.txt": "x",
            "d/in/.access.toml": EVERYONE,
            "d/in/y.txt": "y",
            "z.txt": "z",
            "f.txt": "f",
            "f.txt.access.toml": content,
        },
    )
    found = items(files(tmp_path))
    assert found["z.txt"].access.allow == {"everyone"}
    for closed in ("d/x.txt", "d/in/y.txt", "f.txt"):
        assert found[closed].access == Access()
    errors = failures(files(tmp_path))
    assert set(errors) == {"d/.access.toml", "f.txt.access.toml"}
    assert all(error.endswith("Nobody may read what it covers.") for error in errors.values())


def test_a_sidecar_from_notepad_is_understood(tmp_path: Path) -> None:
    put(tmp_path, {".access.toml": b"\xef\xbb\xbf" + EVERYONE.encode(), "x.txt": "x"})
    assert items(files(tmp_path))["x.txt"].access.allow == {"everyone"}


def test_a_sidecar_without_its_file_is_reported(tmp_path: Path) -> None:
    put(tmp_path, {"x.txt": "", "y.txt.access.toml": EVERYONE, "d/z": "", "d.access.toml": ""})
    errors = failures(files(tmp_path))
    assert set(errors) == {"y.txt.access.toml", "d.access.toml"}
    assert "no file y.txt" in errors["y.txt.access.toml"]


def test_groups(tmp_path: Path) -> None:
    async def groups() -> list[Group]:
        return [group async for group in files(tmp_path).groups()]

    assert asyncio.run(groups()) == []
    put(tmp_path, {".groups.toml": '[groups]\nb = ["group:a"]\na = ["user:ana"]\nc = []'})
    assert asyncio.run(groups()) == [
        Group(id="group:a", members=frozenset({"user:ana"})),
        Group(id="group:b", members=frozenset({"group:a"})),
        Group(id="group:c", members=frozenset()),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "x",
        '[groups]\na = ["everyone"]',
        '[groups]\na = "user:x"',
        "[group]\na = []",
        '[groups]\n" "=[]',
    ],
)
def test_a_broken_groups_file_stops_the_run(tmp_path: Path, content: str) -> None:
    put(tmp_path, {"x.txt": "", ".groups.toml": content})
    with pytest.raises(ConnectorError, match=r"^\.groups\.toml is wrong: .*Correct the file\.$"):
        asyncio.run(files(tmp_path).check())


def test_check_names_the_problem(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="doesn't exist"):
        asyncio.run(files(tmp_path / "missing").check())
    put(tmp_path, {"file": ""})
    with pytest.raises(ConnectorError, match="is not a folder"):
        asyncio.run(files(tmp_path / "file").check())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConnectorError, match="has nothing in it"):
        asyncio.run(files(tmp_path / "empty").check())


def test_check_lets_the_last_document_go(tmp_path: Path) -> None:
    """A folder that still has its sidecar is no lost mount: every deletion takes effect."""
    put(tmp_path, {".access.toml": EVERYONE})
    asyncio.run(files(tmp_path).check())
    (last,) = listed(files(tmp_path)).marks
    assert isinstance(last, Complete)


def test_a_missing_root_stops_the_listing(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError):
        listed(files(tmp_path / "missing"))


class TestLinks:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        put(tmp_path, {"outside.txt": "out", "beyond/x.txt": "out"})
        root = put(
            tmp_path / "root",
            {
                ".access.toml": EVERYONE,
                "real/a.txt": "a",
                ".data/k.txt": "k",
                "secret/.access.toml": 'allow = ["user:ana"]',
                "secret/s.txt": "s",
                "public/p.txt": "p",
                "public/.access.toml": 'allow = ["everyone"]\ndeny = ["user:rui"]',
            },
        )
        for link, target in {
            "out.txt": "../outside.txt",
            "beyond": "../beyond",
            "etc": "/etc",
            "broken.txt": "nowhere",
            "self": ".",
            "real/up": "..",
            "real/loop": "loop",
            "k.txt": ".data/k.txt",
            "data": ".data",
            "public/s.txt": "../secret/s.txt",
            "public/sub": "../secret",
        }.items():
            (root / link).symlink_to(target)
        return root

    def test_are_left_out(self, root: Path) -> None:
        assert list(items(files(root))) == ["public/p.txt", "real/a.txt", "secret/s.txt"]
        assert failures(files(root)) == {}

    def test_inside_are_followed_on_request(self, root: Path) -> None:
        found = items(files(root, follow_symlinks=True))
        assert {"data/k.txt", "k.txt", "public/s.txt", "public/sub/s.txt"} < set(found)
        assert not [name for name in found if "out" in name or "beyond" in name or "etc" in name]
        assert body(files(root, follow_symlinks=True), found["data/k.txt"]) == b"k"

    def test_never_widen_access(self, root: Path) -> None:
        found = items(files(root, follow_symlinks=True))
        narrowed = Access(allow=frozenset({"user:ana"}), deny=frozenset({"user:rui"}))
        assert found["public/s.txt"].access == narrowed
        assert found["public/sub/s.txt"].access == narrowed
        assert found["k.txt"].access == Access(allow=frozenset({"everyone"}))

    def test_swapped_in_later_are_not_fetched(self, root: Path) -> None:
        item = items(files(root))["real/a.txt"]
        (root / "real" / "a.txt").unlink()
        (root / "real" / "a.txt").symlink_to("/etc/passwd")
        with pytest.raises(ConnectorError):
            body(files(root), item)
        with pytest.raises(ConnectorError):
            body(files(root, follow_symlinks=True), item)

    def test_swapped_in_for_a_folder_are_not_fetched(self, root: Path) -> None:
        put(root, {"sub/x.txt": "mine"})
        item = items(files(root))["sub/x.txt"]
        (root / "sub").rename(root / "sub2")
        (root / "sub").symlink_to("../beyond")
        with pytest.raises(ConnectorError):
            body(files(root), item)

    def test_as_sidecars_close(self, root: Path) -> None:
        put(root, {"real/open.toml": EVERYONE})
        (root / "real" / ".access.toml").symlink_to("open.toml")
        assert items(files(root))["real/a.txt"].access == Access()
        assert "real/.access.toml" in failures(files(root))
        assert items(files(root, follow_symlinks=True))["real/a.txt"].access.allow == {"everyone"}

    def test_as_the_root_are_fine(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(root)
        assert "real/a.txt" in items(files(tmp_path / "link"))


@pytest.mark.parametrize(
    "item_id", ["../x.txt", "a/../../x.txt", "/etc/passwd", "", "a//b", ".hidden", "a\0b", "."]
)
def test_fetch_stays_inside(tmp_path: Path, item_id: str) -> None:
    put(tmp_path, {"x.txt": "x", "in/.hidden": "x", "in/b.txt": ""})
    with pytest.raises(ConnectorError, match="not a document"):
        body(files(tmp_path / "in"), anything(item_id))


def test_fetch_of_a_pipe_neither_hangs_nor_tells_the_path(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "missing"):
        with pytest.raises(ConnectorError) as caught:
            body(files(tmp_path), anything(name))
        assert str(tmp_path) not in str(caught.value)


def test_fetch_streams(tmp_path: Path) -> None:
    content = os.urandom(200_000)
    connector = files(put(tmp_path, {"x.bin": content}))

    async def pieces() -> list[bytes]:
        return [piece async for piece in connector.fetch(anything("x.bin"))]

    got = asyncio.run(pieces())
    assert b"".join(got) == content
    assert max(map(len, got)) == 65_536


def test_a_name_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": "", "z.txt": ""})
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))).write_bytes(b"")
    assert list(items(files(tmp_path))) == ["a.txt", "z.txt"]
    assert failures(files(tmp_path)) == {
        "caf\\xe9.txt": "The name of caf\\xe9.txt is not valid UTF-8; rename it."
    }


def test_deep_trees_are_listed(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 300)
    put(deep, {"x.txt": "x"})
    (item,) = items(files(tmp_path)).values()
    assert body(files(tmp_path), item) == b"x"


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything: become somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


class TestUnreadable:
    @pytest.fixture
    def root(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as name:
            root = put(
                Path(name),
                {
                    ".access.toml": EVERYONE,
                    "a.txt": "a",
                    "dir/b.txt": "b",
                    "file.txt": "f",
                    "odd/.access.toml": EVERYONE,
                    "odd/o.txt": "o",
                    "z.txt": "z",
                },
            )
            root.chmod(0o755)
            (root / "dir").chmod(0)
            (root / "file.txt").chmod(0)
            (root / "odd" / ".access.toml").chmod(0)
            yield root
            (root / "dir").chmod(0o700)

    def test_places_do_not_stop_the_listing(self, root: Path) -> None:
        with without_privileges():
            found, errors = items(files(root)), failures(files(root))
        assert list(found) == ["a.txt", "file.txt", "odd/o.txt", "z.txt"]
        assert found["odd/o.txt"].access == Access()
        assert errors["dir/"] == "dir/ can't be read: Permission denied."
        assert set(errors) == {"dir/", "odd/.access.toml"}

    def test_files_keep_to_their_sidecars_and_fail_when_fetched(self, root: Path) -> None:
        connector = files(root)
        with without_privileges():
            item = items(connector)["file.txt"]
            assert item.version.startswith("unreadable:")
            assert item.access.allow == {"everyone"}
            with pytest.raises(ConnectorError, match=r"file\.txt can't be read: Permission denied"):
                body(connector, item)

    def test_groups_and_root_are_errors(self, root: Path) -> None:
        put(root, {".groups.toml": "[groups]"})
        (root / ".groups.toml").chmod(0)
        with without_privileges(), pytest.raises(ConnectorError, match="can't be read"):
            asyncio.run(files(root).check())
        root.chmod(0)
        with without_privileges(), pytest.raises(ConnectorError, match="can't be read"):
            asyncio.run(files(root).check())
        root.chmod(0o755)


def test_a_file_that_vanishes_while_listing_fails_alone(tmp_path: Path) -> None:
    put(tmp_path, {f"{n:02}.txt": "x" for n in range(45)})

    async def story() -> list[object]:
        events: list[object] = []
        async for event in files(tmp_path).changes(None):
            events.append(event)
            if len(events) == 1:
                (tmp_path / "30.txt").unlink()
        return events

    events = asyncio.run(story())
    assert len([event for event in events if isinstance(event, Item)]) == 44
    assert [event.id for event in events if isinstance(event, Failed)] == ["30.txt"]
