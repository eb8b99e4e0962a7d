"""Whatever happens to the files of a snapshot, nothing wrong is ever used."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexes import manifest as manifests
from indexes.manifest import Facts
from indexes.model import SearchIndexError
from indexes.snapshot import Snapshots, State

N_MUTATIONS = 2400


def state(generation: int, folder: Path) -> State:
    rng = np.random.default_rng(generation)
    words = folder / f"words{generation}"
    words.write_bytes(rng.bytes(5000))
    return State(
        {
            "vectors": rng.standard_normal((200, 16)).astype(np.float16),
            "chunk_ids": rng.integers(0, 1 << 40, 200),
            "cells": rng.integers(0, 9, 200).astype(np.int32),
        },
        {"keys": [[int(i), "acme"] for i in rng.integers(0, 99, 9)]},
        {"segment.store": words, "segment.term": words},
    )


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a previous and a current generation and a shadow, of equal sizes."""
    folder = tmp_path_factory.mktemp("snapshots")
    snapshots = Snapshots(folder / "index")
    for generation in (1, 2):
        facts = Facts(generation, "model@1", 16, 200)
        snapshots.publish(state(generation, folder), facts)
    snapshots.publish(state(3, folder), Facts(2, "model@1", 16, 200), shadow=True)
    return snapshots.folder


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")


def flip(rng: random.Random, folder: Path, current: Path) -> None:
    path = rng.choice([folder / "roles", *files_of(current)])
    raw = bytearray(path.read_bytes())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


def truncate(rng: random.Random, folder: Path, current: Path) -> None:
    path = rng.choice([folder / "roles", *files_of(current)])
    raw = path.read_bytes()
    path.write_bytes(raw[: rng.randrange(len(raw))])


def extend(rng: random.Random, folder: Path, current: Path) -> None:
    path = rng.choice([folder / "roles", *files_of(current)])
    path.write_bytes(path.read_bytes() + rng.randbytes(rng.randrange(1, 100)))


def swap(rng: random.Random, folder: Path, current: Path) -> None:
    while True:
        one, other = rng.sample(files_of(current), 2)
        left, right = one.read_bytes(), other.read_bytes()
        if left != right:
            break
    one.write_bytes(right)
    other.write_bytes(left)


def remove(rng: random.Random, folder: Path, current: Path) -> None:
    rng.choice(files_of(current)).unlink()


def zero(rng: random.Random, folder: Path, current: Path) -> None:
    """What a lost page looks like after a power cut."""
    while True:
        path = rng.choice(files_of(current))
        raw = bytearray(path.read_bytes())
        at = rng.randrange(len(raw))
        size = min(512, len(raw) - at)
        if any(raw[at : at + size]):
            break
    raw[at : at + size] = bytes(size)
    path.write_bytes(raw)


def older(rng: random.Random, folder: Path, current: Path) -> None:
    """Some files, perhaps the manifest with all of them, come from another generation."""
    other = rng.choice([path for path in folder.iterdir() if path.is_dir() and path != current])
    files = [path.relative_to(current) for path in files_of(current)]
    for path in rng.sample(files, rng.randrange(1, len(files) + 1)):
        shutil.copyfile(other / path, current / path)


def edit(rng: random.Random, folder: Path, current: Path) -> None:
    """The manifest is edited, mostly with a digest that is right again."""
    path = current / "manifest.json"
    value = json.loads(path.read_bytes())
    del value["sha256"]
    _change(rng, value)
    raw, _ = manifests.sealed(value)
    if rng.random() < 0.2:
        raw = raw.replace(b"{", b"{ ", 1)
    path.write_bytes(raw)


def _change(rng: random.Random, value: dict[str, object]) -> None:
    files = value["files"]
    assert isinstance(files, list)
    facts = value["facts"]
    assert isinstance(facts, dict)
    which = rng.randrange(6)
    if which == 0:
        files.pop(rng.randrange(len(files)))
    elif which == 1:
        facts["generation"] += rng.choice([-1, 1, 1000])
    elif which == 2:
        facts[rng.choice(["n", "dimension", "n_dead"])] += rng.randrange(1, 100)
    elif which == 3:
        facts["embedder"] = "model@2"
    elif which == 4:
        file = rng.choice(files)
        file[rng.choice(["n_bytes", "sha256", "path", "dtype"])] = rng.choice([1, "x", None])
    else:
        value["created_at"] = "2020-01-01T00:00:00+00:00"


def forge(rng: random.Random, folder: Path, current: Path) -> None:
    """A file is changed and the manifest made to fit, but not the name that everyone knows."""
    path = current / "manifest.json"
    value = json.loads(path.read_bytes())
    del value["sha256"]
    file = rng.choice(value["files"])
    target = current / file["path"]
    raw = bytearray(target.read_bytes())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    target.write_bytes(raw)
    file["sha256"] = hashlib.sha256(raw).hexdigest()
    path.write_bytes(manifests.sealed(value)[0])


def misdirect(rng: random.Random, folder: Path, current: Path) -> None:
    """The list of generations names what isn't there, or is of another form."""
    value = json.loads((folder / "roles").read_bytes())
    del value["sha256"]
    if rng.random() < 0.8:
        value["current"] = rng.choice(
            [
                f"{rng.randrange(10):020d}-{rng.randbytes(16).hex()}",
                f"../index/{current.name}",
                "/etc",
                rng.randbytes(3).hex(),
            ]
        )
    else:
        value[rng.choice(["next", "old"])] = current.name
    (folder / "roles").write_bytes(manifests.sealed(value)[0])


def rename(rng: random.Random, folder: Path, current: Path) -> None:
    """The folder is gone, or another generation stands in its place."""
    others = [path for path in folder.iterdir() if path.is_dir() and path != current]
    shutil.rmtree(current)
    if rng.random() < 0.7:
        shutil.copytree(rng.choice(others), current)


MUTATIONS: list[Callable[[random.Random, Path, Path], None]] = [
    *[flip] * 4,
    truncate,
    extend,
    swap,
    remove,
    zero,
    older,
    edit,
    forge,
    misdirect,
    rename,
]


def test_every_mutation_is_detected_before_use(pristine: Path, tmp_path: Path) -> None:
    rng = random.Random(3)
    missed = []
    folder = tmp_path / "index"
    shutil.copytree(pristine, folder)
    snapshots = Snapshots(folder)
    name = snapshots.roles().current
    for number in range(N_MUTATIONS):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        mutate(rng, folder, folder / name)
        try:
            snapshots.open()
        except SearchIndexError as error:
            assert "build the index again" in str(error).lower()  # noqa: PT017
        else:
            missed.append((number, mutate.__name__))
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(pristine / name, folder / name)
        shutil.copyfile(pristine / "roles", folder / "roles")
    assert missed == []
    assert snapshots.open().name == name


def test_the_pristine_folder_opens(pristine: Path) -> None:
    snapshots = Snapshots(pristine)
    assert snapshots.open().manifest.facts.generation == 2
    assert snapshots.open("previous").manifest.facts.generation == 1
    assert snapshots.open("shadow").manifest.facts.n == 200


PUBLISHER = """
import builtins, io, os, pathlib, signal, sys
import numpy as np
from indexes.manifest import Facts
from indexes.snapshot import Snapshots, State

folder, left = pathlib.Path(sys.argv[1]), int(sys.argv[2])

def counted(function):
    def call(*args, **kwargs):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
Snapshots(folder).publish(
    State({"vectors": np.full((9, 4), 3, np.float32)}, {"cells": [3]}), Facts(3, "m@1", 4, 9)
)
"""


def test_a_publisher_killed_anywhere_leaves_a_generation_to_use(tmp_path: Path) -> None:
    outcomes: list[int] = []
    for n_calls in range(1, 200):
        folder = tmp_path / str(n_calls)
        snapshots = Snapshots(folder)
        for generation in (1, 2):
            array = np.full((9, 4), generation, np.float32)
            snapshots.publish(
                State({"vectors": array}, {"cells": [generation]}), Facts(generation, "m@1", 4, 9)
            )
        child = subprocess.run(
            [sys.executable, "-c", PUBLISHER, str(folder), str(n_calls)], check=False
        )
        opened = snapshots.open()
        generation = opened.manifest.facts.generation
        assert opened.state.tables == {"cells": [generation]}
        assert (opened.state.arrays["vectors"] == generation).all()
        outcomes.append(generation)
        snapshots.publish(State({"vectors": np.zeros(1)}), Facts(4, "m@1", 4, 1))
        roles = snapshots.roles()
        assert {path.name for path in folder.iterdir()} == {
            "roles",
            "lock",
            roles.current,
            roles.previous,
        }
        assert snapshots.open("previous").manifest.facts.generation == generation
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
    else:
        pytest.fail("the publisher never finished")
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {2, 3}
    assert len(outcomes) > 20
