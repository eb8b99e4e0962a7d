"""Who may read, as the connector says it, against the written rules applied naively."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from connectors.conformance import listing
from connectors.contract import Access, Failed
from connectors.files import Files, FilesConfig
from connectors.sidecars import SidecarError, parse_groups, parse_sidecar

PRINCIPALS = ("everyone", "user:ana", "group:hr", "group:it")
READERS = [
    frozenset({"everyone", *some})
    for some in chain.from_iterable(combinations(PRINCIPALS[1:], n) for n in range(4))
]
FOLDERS = ("", "a", "a/b", "a/b/c", "d")
FILES = ("x.txt", "a/x.txt", "a/b/x.txt", "a/b/c/x.txt", "d/x.txt", "d/y.txt")

some = st.none() | st.lists(st.sampled_from(PRINCIPALS), max_size=2)


@dataclass(frozen=True)
class Written:
    """A sidecar as a test wrote it; None is a key that isn't there."""

    allow: list[str] | None
    deny: list[str] | None
    all_of: list[str] | None
    broken: bool

    def toml(self) -> str:
        keys = {"allow": self.allow, "deny": self.deny, "all_of": self.all_of}
        lines = [f"{key} = {value!r}" for key, value in keys.items() if value is not None]
        return "\n".join(lines or ["[meta]", "x = 1"]) + ("\noops" if self.broken else "")


sidecars = st.builds(
    Written, allow=some, deny=some, all_of=some, broken=st.integers(0, 9).map(lambda n: n == 0)
)
places = st.sampled_from(
    [f"{folder}/.access.toml".lstrip("/") for folder in FOLDERS]
    + [f"{file}.access.toml" for file in FILES]
)


def naively(file: str, written: dict[str, Written], reader: frozenset[str]) -> bool:
    """Apply the four rules of `connectors.sidecars` to one reader, from the file outwards."""
    names = [f"{file}.access.toml"]
    names += [str(folder / ".access.toml") for folder in PurePosixPath(file).parents]
    applying = [written[name] for name in names if name in written]
    if any(sidecar.broken for sidecar in applying):
        return False
    if any(reader & set(sidecar.deny or ()) for sidecar in applying):
        return False
    for sidecar in applying:
        if sidecar.allow is not None or sidecar.all_of is not None:
            allowed = reader & set(sidecar.allow or ())
            return bool(allowed) and reader >= set(sidecar.all_of or ())
    return False


def may_read(access: Access, reader: frozenset[str]) -> bool:
    return bool(access.allow & reader) and not access.deny & reader and access.all_of <= reader


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(places, sidecars, max_size=8))
def test_access_follows_the_written_rules(written: dict[str, Written]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for file in FILES:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text("x")
        for place, sidecar in written.items():
            (root / place).write_text(sidecar.toml())
        found = asyncio.run(listing(Files(FilesConfig(path=root)), None))
    items = {item.id: item for item in found.items}
    assert set(items) == set(FILES)
    for file, item in items.items():
        for reader in READERS:
            assert may_read(item.access, reader) == naively(file, written, reader), (file, reader)
    failed = {e.id for page in found.pages for e in page if isinstance(e, Failed)}
    assert failed == {place for place, sidecar in written.items() if sidecar.broken}


names = st.sampled_from(["a", "b", "b.txt", "a-b", "ä", "B", ".h", "z.txt"])
paths = st.lists(names, min_size=1, max_size=4).map(lambda parts: "/".join((*parts, "f.txt")))


@settings(max_examples=40, deadline=None)
@given(st.sets(paths, min_size=1, max_size=30), st.data())
def test_any_place_resumes_to_the_same_listing(tree: set[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        for path in tree:
            place = Path(name, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(path)
        connector = Files(FilesConfig(path=Path(name)))
        everything = [item.id for item in asyncio.run(listing(connector, None)).items]
        assert set(everything) == {path for path in tree if ".h" not in path.split("/")}
        if everything:
            n = data.draw(st.integers(0, len(everything) - 1))
            cursor: JsonValue = {"after": everything[n], "done": n + 1}
            rest = asyncio.run(listing(connector, cursor))
            assert [item.id for item in rest.items] == everything[n + 1 :]
            assert rest.marks[-1].done == len(everything)


def test_a_sidecar_with_only_deny_narrows_what_applies_anyway() -> None:
    sidecar = parse_sidecar(b'deny = ["user:rui"]', "")
    assert sidecar.allow is None
    assert sidecar.deny == {"user:rui"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"x", "not valid TOML"),
        (b"", "says nothing"),
        (b"alow = []", "there is no key 'alow'"),
        (b'allow = ["ana"]', "neither user:LOGIN"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_errors_say_what_is_wrong(content: bytes, why: str) -> None:
    with pytest.raises(SidecarError, match=why):
        parse_sidecar(content, "")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_sidecar_or_an_error(content: bytes) -> None:
    for parse in (lambda c: parse_sidecar(c, "d"), parse_groups):
        with suppress(SidecarError):
            assert parse(content) is not None
