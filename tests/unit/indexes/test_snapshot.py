from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from indexes import manifest as manifests
from indexes.manifest import Facts, Manifest, SnapshotDamaged
from indexes.model import SearchIndexError
from indexes.snapshot import Role, SnapshotBusy, SnapshotMissing, Snapshots, State


def facts(generation: int = 1, n: int = 3) -> Facts:
    return Facts(generation, "model@1", 2, n)


def state(value: float = 0.0) -> State:
    return State({"vectors": np.full((3, 2), value, np.float16)}, {"cells": [[0, "a"]]})


def value(snapshots: Snapshots, role: Role = "current") -> float:
    return float(snapshots.open(role).state.arrays["vectors"][0, 0])


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "index")


def generations(snapshots: Snapshots) -> set[str]:
    return {path.name for path in snapshots.folder.iterdir() if path.is_dir()}


def test_what_was_published_comes_back_read_only(snapshots: Snapshots, tmp_path: Path) -> None:
    words = tmp_path / "words.idx"
    words.write_bytes(b"terms")
    saved: dict[str, NDArray[Any]] = {
        "vectors": np.arange(12, dtype=np.float16).reshape(6, 2)[::2],
        "columns": np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
        "live": np.array([True, False]),
        "none": np.zeros((0, 5), np.float32),
        "one": np.array(7, np.int32),
    }
    published = snapshots.publish(
        State(saved, {"langs": {"pt": 1}}, {"words.idx": words, "empty": Path("/dev/null")}),
        facts(42),
    )
    opened = snapshots.open()
    assert opened.manifest == published
    assert opened.manifest.facts == facts(42)
    assert opened.name.startswith("00000000000000000042-")
    assert opened.state.tables == {"langs": {"pt": 1}}
    assert opened.state.files["words.idx"].read_bytes() == b"terms"
    assert opened.state.files["empty"].read_bytes() == b""
    assert set(opened.state.arrays) == set(saved)
    for name, array in saved.items():
        found = opened.state.arrays[name]
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype
        assert not found.flags.writeable


@given(
    array=arrays.arrays(
        st.sampled_from([np.dtype(t) for t in ("f2", "f4", "i8", "i4", "u1", "?")]),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    table=st.dictionaries(st.text(), st.integers() | st.text() | st.none()),
)
def test_any_array_and_table_come_back(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[Any], table: dict[str, object]
) -> None:
    snapshots = Snapshots(tmp_path_factory.mktemp("any"))
    snapshots.publish(State({"a": array}, {"t": table}), facts())
    found = snapshots.open().state
    np.testing.assert_array_equal(found.arrays["a"], array)
    assert (found.arrays["a"].dtype, found.arrays["a"].shape) == (array.dtype, array.shape)
    assert found.tables == {"t": table}


def test_a_map_outlives_its_generation(snapshots: Snapshots) -> None:
    snapshots.publish(state(1), facts(1))
    mapped = snapshots.open().state.arrays["vectors"]
    for generation in (2, 3):
        snapshots.publish(state(generation), facts(generation))
    assert mapped[0, 0] == 1


def test_the_last_two_are_kept(snapshots: Snapshots) -> None:
    for generation in range(1, 5):
        snapshots.publish(state(generation), facts(generation))
    roles = snapshots.roles()
    assert generations(snapshots) == {roles.current, roles.previous}
    assert (value(snapshots), value(snapshots, "previous")) == (4, 3)


def test_rollback_goes_back_and_forth(snapshots: Snapshots) -> None:
    snapshots.publish(state(1), facts(1))
    with pytest.raises(SnapshotMissing, match="no previous generation"):
        snapshots.rollback()
    snapshots.publish(state(2), facts(2))
    assert snapshots.rollback().facts.generation == 1
    assert (value(snapshots), value(snapshots, "previous")) == (1, 2)
    assert snapshots.rollback().facts.generation == 2


def test_a_shadow_becomes_current_only_by_a_swap(snapshots: Snapshots) -> None:
    snapshots.publish(state(1), facts(1))
    snapshots.publish(state(2), facts(1), shadow=True)
    assert value(snapshots) == 1
    snapshots.publish(state(3), facts(2))
    assert value(snapshots, "shadow") == 2
    assert len(generations(snapshots)) == 3
    snapshots.swap()
    assert (value(snapshots), value(snapshots, "previous")) == (2, 3)
    with pytest.raises(SnapshotMissing, match="no shadow generation"):
        snapshots.swap()


def test_a_shadow_can_be_given_up(snapshots: Snapshots) -> None:
    snapshots.publish(state(1), facts(1))
    snapshots.publish(state(2), facts(1), shadow=True)
    snapshots.drop_shadow()
    assert len(generations(snapshots)) == 1


def test_a_damaged_generation_never_becomes_current(snapshots: Snapshots) -> None:
    snapshots.publish(state(1), facts(1))
    snapshots.publish(state(2), facts(2))
    snapshots.publish(state(3), facts(3), shadow=True)
    roles = snapshots.roles()
    for name in (roles.previous, roles.shadow):
        (snapshots.folder / name / "cells.json").write_text("[]")
    with pytest.raises(SnapshotDamaged, match=r"cells\.json"):
        snapshots.swap()
    with pytest.raises(SnapshotDamaged, match=r"cells\.json"):
        snapshots.rollback()
    assert snapshots.roles() == roles
    assert value(snapshots) == 2


def test_writers_exclude_each_other(snapshots: Snapshots) -> None:
    snapshots.publish(state(1), facts(1))
    with (snapshots.folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SnapshotBusy, match="Another process"):
            snapshots.publish(state(2), facts(2))
        assert value(snapshots) == 1
    snapshots.publish(state(2), facts(2))


def test_publishing_repairs_a_damaged_list_of_generations(snapshots: Snapshots) -> None:
    snapshots.publish(state(1), facts(1))
    (snapshots.folder / "roles").write_text("{}")
    with pytest.raises(SnapshotDamaged, match="list of generations"):
        snapshots.open()
    snapshots.publish(state(2), facts(2))
    assert value(snapshots) == 2
    assert len(generations(snapshots)) == 1


def test_there_may_be_none(snapshots: Snapshots) -> None:
    assert snapshots.manifest() is None
    with pytest.raises(SnapshotMissing, match="no current generation"):
        snapshots.open()


def test_only_plain_numbers_under_plain_names_are_saved(snapshots: Snapshots) -> None:
    for wrong in (
        State({"a": np.array([{}])}),
        State({"../a": np.zeros(1)}),
        State({}, {"manifest": 1}),
        State({}, {}, {"..": Path("/dev/null")}),
    ):
        with pytest.raises(ValueError, match=r"dtype|name|manifest"):
            snapshots.publish(wrong, facts())
    snapshots.publish(state(), facts())
    assert len(generations(snapshots)) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SearchIndexError, match="can be written"):
        Snapshots(tmp_path / "file").publish(state(), facts())


def test_another_format_is_told() -> None:
    raw, _ = manifests.sealed({"format": manifests.FORMAT + 1})
    with pytest.raises(SearchIndexError, match=f"format {manifests.FORMAT + 1}"):
        manifests.decoded(raw)


def test_a_sealed_manifest_of_the_wrong_form_is_told() -> None:
    raw, _ = manifests.sealed({"format": manifests.FORMAT, "files": [{"path": "a"}]})
    with pytest.raises(SnapshotDamaged, match="lacks"):
        manifests.decoded(raw)


def test_a_manifest_reads_back() -> None:
    manifest = Manifest(facts(), "2026-01-01T00:00:00+00:00", ())
    raw, digest = manifests.encoded(manifest)
    assert manifests.decoded(raw) == (manifest, digest)
    assert json.loads(raw)["sha256"] == digest
