"""Sources that come over the API read below the named folders only, and never the data folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from assistant.errors import InvalidRequest
from assistant.ingest.confinement import Confinement
from connectors.confinement import PathFields

PARTS = (
    *("open", "openly", "closed", "data", "companies", "bank", "keys", "a", "b", "out", "up"),
    *("in", "loop", "new", "~", ".", "..", "/"),
)


class Config(PathFields):
    path: Path


class Silent(BaseModel):
    path: Path


class Sly(BaseModel):
    """Says nothing of the path in its field."""

    path: Path

    def local_paths(self) -> Iterable[Path]:
        return ()


def admits(confinement: Confinement, path: Path | str) -> bool:
    try:
        confinement.admit("notes", Config(path=Path(path)))
    except InvalidRequest:
        return False
    return True


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root `open` with links out of it, a folder beside it, and the data folder."""
    top = Path(os.path.realpath(tmp_path_factory.mktemp("disk")))
    for name in ("open/a/b", "openly", "closed", "data/keys", "data/companies/bank"):
        (top / name).mkdir(parents=True)
    links = {
        "open/out": "closed",
        "open/up": ".",
        "open/a/data": "data",
        "closed/in": "open/a",
        "open/loop": "open/loop",
    }
    for link, target in links.items():
        (top / link).symlink_to(top / target)
    return top


def test_without_folders_nothing_is_read(disk: Path) -> None:
    nothing = Confinement((), disk / "data")
    assert not admits(nothing, disk / "open")
    assert not admits(nothing, "/")


@given(parts=st.lists(st.sampled_from(PARTS), max_size=7), absolute=st.booleans())
def test_no_spelling_leads_out(disk: Path, parts: list[str], absolute: bool) -> None:
    """What is admitted lies below a root, whichever way its name turns."""
    text = "/".join(parts)
    path = disk / text if absolute else Path(text)
    if not admits(Confinement((disk / "open", disk / "closed/in"), disk / "data"), path):
        return
    real = Path(os.path.realpath(path))
    assert path == real
    assert real.is_relative_to(disk / "open")
    assert not real.is_relative_to(disk / "data")


def test_what_lies_below_a_folder_is_admitted(disk: Path) -> None:
    confinement = Confinement((disk / "open",), disk / "data")
    for path in ("open", "open/a", "open/a/b", "open/not-yet"):
        assert admits(confinement, disk / path)
    for path in ("openly", "closed", "open/out", "open/up", "open/a/data", "open/a/../../closed"):
        assert not admits(confinement, disk / path)


def test_a_root_may_be_a_link_or_relative(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(disk)
    for root in (disk / "closed/in", Path("open/a")):
        assert admits(Confinement((root,), disk / "data"), disk / "open/a/b")
        assert not admits(Confinement((root,), disk / "data"), disk / "open")


def test_the_data_folder_is_never_read(disk: Path) -> None:
    for root in (Path("/"), disk, disk / "data"):
        confinement = Confinement((root,), disk / "data")
        for path in (disk, disk / "data", disk / "data/keys", disk / "data/companies/bank"):
            assert not admits(confinement, path)
    named = Confinement((disk / "data/companies",), disk / "data")
    assert admits(named, disk / "data/companies/bank")
    assert not admits(named, disk / "data/keys")
    assert not admits(named, disk / "data")


def test_relative_paths_are_refused(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker on another machine would take them from another folder."""
    monkeypatch.chdir(disk)
    assert not admits(Confinement((disk / "open",), disk / "data"), "open/a")


def test_a_configuration_that_says_nothing_is_refused(disk: Path) -> None:
    confinement = Confinement((disk / "open",), disk / "data")
    with pytest.raises(InvalidRequest, match="assistant connector add"):
        confinement.admit("notes", Silent(path=disk / "open"))
    confinement.admit("notes", Sly(path=disk / "open"))
    with pytest.raises(InvalidRequest, match="local_roots"):
        confinement.admit("notes", Sly(path=disk / "closed"))
