"""The inside of a backup: a tar of blocks, gzipped and sealed, that ends with a manifest.

`about.json` comes first, `files/NAME` and `tables/NAME/N` follow, `manifest.json` is the last.
It has the rows and the SHA-256 of every table, and the SHA-256 of every file.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from assistant.errors import BackupUnusable, DiskFull, InvalidRequest, is_disk_full
from assistant.lifecycle.sealed import SealedReader, SealingWriter
from assistant.store.dumping import Dumped


@dataclass(frozen=True, slots=True)
class About:
    """What a reader must know before the first row: `revision` names the tables' version."""

    kind: str
    revision: str
    created_at: str
    tables: tuple[Dumped, ...]
    counters: dict[str, int] = field(default_factory=dict)
    n_events: int = 0
    version: str = ""


class ArchiveWriter:
    """Adds files and tables to an archive; `written` makes one."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._manifest: dict[str, str] = {}

    def about(self, about: About) -> None:
        """Add what comes first."""
        self._add("about.json", json.dumps(asdict(about)).encode())

    def file(self, name: str, content: bytes) -> None:
        """Add a file."""
        self._add(f"files/{name}", content)
        self._manifest[f"files/{name}"] = hashlib.sha256(content).hexdigest()

    def table(self, name: str, blocks: Iterable[bytes]) -> None:
        """Add a table."""
        digest = hashlib.sha256()
        for number, block in enumerate(blocks):
            self._add(f"tables/{name}/{number}", block)
            digest.update(block)
        self._manifest[f"tables/{name}"] = digest.hexdigest()

    def manifest(self) -> None:
        """Add what comes last."""
        self._add("manifest.json", json.dumps(self._manifest, sort_keys=True).encode())

    def _add(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))
        # A stream can't be read again, but tarfile would keep every entry.
        self._tar.members = []  # type: ignore[attr-defined]


class ArchiveReader:
    """Yields what an archive holds, in order; `finish` compares it with the manifest."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._found: dict[str, Any] = {}
        self._next: tuple[str, bytes] | None = None
        self._advance()

    def about(self) -> About:
        """Return what comes first; raises `BackupUnusable` if it is something else."""
        name, content = self._taken()
        if name != "about.json":
            raise BackupUnusable("The backup does not begin as one.")
        read = json.loads(content)
        tables = tuple(Dumped(t["name"], tuple(t["columns"]), t["n_rows"]) for t in read["tables"])
        return About(**{**read, "tables": tables})

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the files, which come before the tables."""
        while self._next is not None and self._next[0].startswith("files/"):
            name, content = self._taken()
            self._found[name] = hashlib.sha256(content).hexdigest()
            yield name.removeprefix("files/"), content

    def table(self, name: str) -> Iterator[bytes]:
        """Yield the blocks of the next table, which must be this one."""
        digest = hashlib.sha256()
        while self._next is not None and self._next[0].startswith(f"tables/{name}/"):
            _, block = self._taken()
            digest.update(block)
            yield block
        self._found[f"tables/{name}"] = digest.hexdigest()

    def finish(self) -> None:
        """Raise `BackupUnusable` unless everything read is what the manifest names."""
        name, content = self._taken()
        if name != "manifest.json" or json.loads(content) != self._found:
            raise BackupUnusable("The backup holds something else than its manifest says.")

    def _taken(self) -> tuple[str, bytes]:
        taken = self._next
        if taken is None:
            raise BackupUnusable("The backup ends too early.")
        self._advance()
        return taken

    def _advance(self) -> None:
        try:
            entry = self._tar.next()
            self._tar.members = []  # type: ignore[attr-defined]
            file = self._tar.extractfile(entry) if entry is not None else None
            self._next = (entry.name, file.read()) if entry is not None and file else None
        except (tarfile.TarError, gzip.BadGzipFile, EOFError) as error:
            raise BackupUnusable(f"The backup can't be read ({error}).") from error


@contextmanager
def written(path: Path, to: X25519PublicKey, *, replace: bool = False) -> Iterator[ArchiveWriter]:
    """Write an archive beside its place and move it there once it is whole and on the disk.

    Raises `InvalidRequest` if the file is there (unless it is to be replaced) or can't be made.
    """
    if path.exists() and not replace:
        raise InvalidRequest(f"{path} is there already; name a new file.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "wb") as target:
            sealing = SealingWriter(target, to)
            with (
                gzip.GzipFile("", "wb", 1, cast("BinaryIO", sealing), 0) as zipped,
                tarfile.open(fileobj=zipped, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                archive = ArchiveWriter(tar)
                yield archive
                archive.manifest()
            sealing.finish()
            target.flush()
            os.fsync(target.fileno())
        draft.replace(path)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull() from error
        raise InvalidRequest(f"{path} can't be written ({error.strerror}).") from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def opened(path: Path, identity: X25519PrivateKey) -> Iterator[ArchiveReader]:
    """Open an archive; raises `BackupUnusable` at once or while it is read."""
    try:
        source = path.open("rb")
    except OSError as error:
        raise InvalidRequest(f"{path} can't be read ({error.strerror}).") from error
    with source:
        plain = io.BufferedReader(SealedReader(source, identity))
        try:
            with (
                gzip.GzipFile(fileobj=plain, mode="rb") as zipped,
                tarfile.open(fileobj=zipped, mode="r|") as tar,
            ):
                yield ArchiveReader(tar)
        except (tarfile.TarError, gzip.BadGzipFile, EOFError) as error:
            raise BackupUnusable(f"The backup can't be read ({error}).") from error
