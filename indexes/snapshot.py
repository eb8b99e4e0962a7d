"""Saved generations of an index: immutable folders, verified as a whole before any use.

A folder `00000000000000000042-5f0c…` holds the generation after change 42; the rest of its name
is the digest of its manifest, which holds the SHA-256 of every other file. The file `roles` says
which generation is `current`, which was so before and which one is a shadow that may become it.
All that finds damage and mix-ups, not a forger who may write into the folder: that person could
as well write into the database.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import mmap
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from indexes import manifest as manifests
from indexes.manifest import Facts, File, Manifest, SnapshotDamaged
from indexes.model import SearchIndexError

Role = Literal["current", "previous", "shadow"]

_Map = mmap.mmap | bytes

_BLOCK = 1 << 24
_N_THREADS = 4
_NAME = re.compile(r"\d{20}-[0-9a-f]{32}")
_PART = re.compile(r"[A-Za-z0-9_.-]+")
_ROLES = "roles"
_MANIFEST = "manifest.json"
_UNFINISHED = "unfinished"


class SnapshotMissing(SearchIndexError):
    """There is no saved generation in the role that was asked for."""


class SnapshotBusy(SearchIndexError):
    """Another process is writing here."""


@dataclass(frozen=True, slots=True)
class State:
    """What an index needs to come back.

    `arrays` are plain numpy arrays; `tables` small values of JSON; `files` what a library wrote
    itself, by name. An opened state's arrays are read-only views of the mapped files, so that
    all processes of a machine share their memory.
    """

    arrays: Mapping[str, NDArray[Any]]
    tables: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A generation that was verified."""

    name: str
    manifest: Manifest
    state: State


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the generations in use; empty where there is none."""

    current: str = ""
    previous: str = ""
    shadow: str = ""


class Snapshots:
    """The saved generations in a folder; several processes may share it.

    Readers need no lock. Writers exclude each other: the second gets `SnapshotBusy`. Wherever a
    writer is killed, the generations in use stay as they were, and the next writer cleans up.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def roles(self) -> Roles:
        """Return which generation is what; raises `SnapshotDamaged` if that can't be told."""
        try:
            raw = (self.folder / _ROLES).read_bytes()
        except FileNotFoundError:
            return Roles()
        value, _ = manifests.unsealed(raw, "The list of generations")
        try:
            return Roles(**value)
        except TypeError as error:
            raise SnapshotDamaged(
                "The list of generations has unknown names: build the index again from the "
                "database."
            ) from error

    def open(self, role: Role = "current") -> Snapshot:
        """Verify a generation and return it, its arrays mapped.

        Raises `SnapshotMissing` if there is none, `SnapshotDamaged` if it isn't what was saved.
        """
        return self._open(role, _opened)

    def intact(self, role: Role = "current") -> Snapshot:
        """Return a generation whose state lacks the files that aren't what was saved.

        Raises as `open` does, but `SnapshotDamaged` only for its manifest.
        """
        return self._open(role, _opened_in_part)

    def _open(self, role: Role, opened: Callable[[Path, str], Snapshot]) -> Snapshot:
        while True:
            name = getattr(self.roles(), role)
            if not name:
                raise SnapshotMissing(f"There is no {role} generation: build one.")
            try:
                return opened(self.folder, name)
            except SearchIndexError:
                # Writers may have removed it between the two reads; then there is another one.
                if getattr(self.roles(), role) == name:
                    raise

    def manifest(self, role: Role = "current") -> Manifest | None:
        """Return what a generation says it is, its files not verified; None if there is none."""
        name = getattr(self.roles(), role)
        return _manifest(self.folder, name) if name else None

    def publish(self, state: State, facts: Facts, *, shadow: bool = False) -> Manifest:
        """Save a generation; it becomes the current one, or the shadow.

        Raises `SnapshotBusy`, or `SearchIndexError` if the folder can't be written.
        """
        with self._writing():
            name, manifest = _written(self.folder, state, facts)
            roles = self._repaired_roles()
            if shadow:
                self._point(replace(roles, shadow=name))
            else:
                self._point(_promoted(roles, name))
            return manifest

    def swap(self) -> Manifest:
        """Make the shadow the current generation, after it was verified."""
        return self._promote("shadow")

    def rollback(self) -> Manifest:
        """Make the previous generation the current one, after it was verified."""
        return self._promote("previous")

    def drop_shadow(self) -> None:
        """Give the shadow generation up."""
        with self._writing():
            self._point(replace(self.roles(), shadow=""))

    def drop_all(self) -> None:
        """Delete every generation from the disk, the current one too."""
        with self._writing():
            self._point(Roles())

    def _promote(self, role: Role) -> Manifest:
        with self._writing():
            roles = self.roles()
            snapshot = self.open(role)
            self._point(_promoted(roles, snapshot.name))
            return snapshot.manifest

    def _repaired_roles(self) -> Roles:
        try:
            return self.roles()
        except SnapshotDamaged:
            return Roles()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (self.folder / "lock").open("a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise SnapshotBusy(
                        "Another process is writing a generation: wait for it, then try again."
                    ) from error
                self._clean()
                yield
                self._clean()
        except OSError as error:
            raise SearchIndexError(
                f"No generation can be written in {self.folder}: {error}. Free some space or "
                "correct the folder's permissions; the generations in use are as they were."
            ) from error

    def _point(self, roles: Roles) -> None:
        raw, _ = manifests.sealed(asdict(roles))
        beside = self.folder / f"{_ROLES}.{_UNFINISHED}"
        _write(beside, [raw])
        beside.replace(self.folder / _ROLES)
        _sync(self.folder)

    def _clean(self) -> None:
        """Remove what no role names: older generations, and what a killed writer left."""
        kept = set(asdict(self._repaired_roles()).values())
        for path in self.folder.iterdir():
            is_generation = _NAME.fullmatch(path.name) is not None
            if path.name in kept or not (is_generation or path.suffix == f".{_UNFINISHED}"):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                with suppress(FileNotFoundError):
                    path.unlink()


def _promoted(roles: Roles, name: str) -> Roles:
    return Roles(
        current=name,
        previous=roles.current if roles.current != name else roles.previous,
        shadow=roles.shadow if roles.shadow != name else "",
    )


def _written(folder: Path, state: State, facts: Facts) -> tuple[str, Manifest]:
    """Write a generation beside the others, then give it its name at once."""
    beside = folder / f"{os.getpid()}.{_UNFINISHED}"
    try:
        beside.mkdir(mode=0o700)
        (beside / "files").mkdir()
        files = [
            *(_array_written(beside, name, array) for name, array in state.arrays.items()),
            *(_table_written(beside, name, table) for name, table in state.tables.items()),
            *(_file_copied(beside, name, source) for name, source in state.files.items()),
        ]
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        manifest = Manifest(facts, now, tuple(sorted(files, key=lambda file: file.path)))
        raw, digest = manifests.encoded(manifest)
        _write(beside / _MANIFEST, [raw])
        _sync(beside / "files")
        _sync(beside)
        name = f"{facts.generation:020d}-{digest[:32]}"
        beside.rename(folder / name)
        _sync(folder)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return name, manifest


def _array_written(folder: Path, name: str, array: NDArray[Any]) -> File:
    if array.dtype.hasobject or array.dtype.names:
        raise ValueError(f"{name} has dtype {array.dtype}; only plain numbers are saved")
    rows = np.ascontiguousarray(array).reshape(array.shape)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(rows))
    raw = rows.reshape(-1).view(np.uint8)
    blocks = (raw[at : at + _BLOCK].data for at in range(0, len(raw), _BLOCK))
    path = f"{_named(name)}.npy"
    file = _write(folder / path, [header.getvalue(), *blocks])
    return replace(file, path=path, dtype=rows.dtype.str, shape=rows.shape)


def _table_written(folder: Path, name: str, table: Any) -> File:
    path = f"{_named(name)}.json"
    if path == _MANIFEST:
        raise ValueError("the manifest is no table")
    return replace(_write(folder / path, [json.dumps(table).encode()]), path=path)


def _file_copied(folder: Path, name: str, source: Path) -> File:
    path = f"files/{_named(name)}"
    with source.open("rb") as opened:
        file = _write(folder / path, iter(lambda: opened.read(_BLOCK), b""))
    return replace(file, path=path)


def _named(name: str) -> str:
    if not _PART.fullmatch(name) or name in {".", ".."}:
        raise ValueError(f"{name!r} can't be a file's name here")
    return name


def _write(path: Path, blocks: Iterable[bytes | memoryview]) -> File:
    digest, n_bytes = hashlib.sha256(), 0
    with path.open("wb") as file:
        for block in blocks:
            file.write(block)
            digest.update(block)
            n_bytes += len(block)
        file.flush()
        os.fsync(file.fileno())
    return File(path.name, n_bytes, digest.hexdigest())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _manifest(folder: Path, name: str) -> Manifest:
    if not _NAME.fullmatch(name):
        raise SnapshotDamaged(f"{name!r} is no generation: build the index again.")
    try:
        raw = (folder / name / _MANIFEST).read_bytes()
    except OSError as error:
        raise SnapshotDamaged(
            f"Generation {name} can't be read: {error}. Build the index again from the database."
        ) from error
    manifest, digest = manifests.decoded(raw)
    if name != f"{manifest.facts.generation:020d}-{digest[:32]}":
        raise SnapshotDamaged(
            f"Generation {name} holds the manifest of another: build the index again from the "
            "database."
        )
    return manifest


def _opened(folder: Path, name: str) -> Snapshot:
    return _mapped(folder, name, _verified)


def _opened_in_part(folder: Path, name: str) -> Snapshot:
    return _mapped(folder, name, _verified_or_none)


def _mapped(folder: Path, name: str, verified: Callable[[Path, File], _Map | None]) -> Snapshot:
    manifest = _manifest(folder, name)
    # The largest first, so that the threads end at about the same time.
    files = sorted(manifest.files, key=lambda file: -file.n_bytes)
    with ThreadPoolExecutor(_N_THREADS) as threads:
        mapped = dict(threads.map(lambda f: (f.path, verified(folder / name, f)), files))
    arrays, tables, paths = {}, {}, {}
    for file in manifest.files:
        own = mapped[file.path]
        if own is None:
            continue
        if file.path.startswith("files/"):
            paths[file.path.removeprefix("files/")] = folder / name / file.path
        elif file.dtype:
            arrays[file.path.removesuffix(".npy")] = _array(own, file)
        else:
            tables[file.path.removesuffix(".json")] = json.loads(own[:])
    return Snapshot(name, manifest, State(arrays, tables, paths))


def _verified_or_none(folder: Path, file: File) -> _Map | None:
    try:
        return _verified(folder, file)
    except SnapshotDamaged:
        return None


def _verified(folder: Path, file: File) -> _Map:
    """Map a file and hash the mapping itself, so that what was verified is what is used."""
    try:
        with (folder / file.path).open("rb") as opened:
            n_bytes = os.fstat(opened.fileno()).st_size
            mapped: _Map = b""
            if n_bytes == file.n_bytes > 0:
                mapped = mmap.mmap(opened.fileno(), n_bytes, access=mmap.ACCESS_READ)
    except OSError as error:
        raise SnapshotDamaged(
            f"{file.path} can't be read: {error}. Build the index again from the database."
        ) from error
    if n_bytes != file.n_bytes or hashlib.sha256(mapped).hexdigest() != file.sha256:
        raise SnapshotDamaged(
            f"{file.path} in generation {folder.name} isn't what was saved: build the index again "
            "from the database."
        )
    return mapped


def _array(mapped: _Map, file: File) -> NDArray[Any]:
    head = io.BytesIO(mapped[:4096])
    np.lib.format.read_magic(head)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(head)
    if (dtype.str, shape, is_fortran) != (file.dtype, file.shape, False):
        raise SnapshotDamaged(
            f"{file.path} isn't an array of {file.dtype} {file.shape}: build the index again from "
            "the database."
        )
    return np.frombuffer(mapped, dtype, int(np.prod(shape)), head.tell()).reshape(shape)
