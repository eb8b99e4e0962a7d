"""What a saved generation of an index consists of, in JSON that notices every changed byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from indexes.model import SearchIndexError

FORMAT = 3


class SnapshotDamaged(SearchIndexError):
    """A saved generation isn't what was saved; the message says where."""


@dataclass(frozen=True, slots=True)
class File:
    """One file: `path` relative to the folder; `dtype` and `shape` only of arrays."""

    path: str
    n_bytes: int
    sha256: str
    dtype: str = ""
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a generation is: the number of the newest change it knows, and what it holds.

    `embedder` names the model and its revision; `n` counts rows, `n_dead` those among them that
    nobody can find any more.
    """

    generation: int
    embedder: str
    dimension: int
    n: int
    n_dead: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """A generation and its files; `created_at` is ISO 8601 in UTC."""

    facts: Facts
    created_at: str
    files: tuple[File, ...]

    @property
    def n_bytes(self) -> int:
        """How much its files take on disk."""
        return sum(file.n_bytes for file in self.files)


def encoded(manifest: Manifest) -> tuple[bytes, str]:
    """Return a manifest as sealed JSON, and the digest in it."""
    return sealed({"format": FORMAT, **asdict(manifest)})


def decoded(raw: bytes) -> tuple[Manifest, str]:
    """Read what `encoded` wrote, and the digest in it.

    Raises `SnapshotDamaged` if a byte was changed, `SearchIndexError` for another format.
    """
    value, digest = unsealed(raw, "The manifest")
    if value.get("format") != FORMAT:
        raise SearchIndexError(
            f"The snapshot has format {value.get('format')}, this version reads {FORMAT}: build "
            "the index again from the database."
        )
    try:
        files = tuple(File(**{**f, "shape": tuple(f["shape"])}) for f in value["files"])
        return Manifest(Facts(**value["facts"]), value["created_at"], files), digest
    except (KeyError, TypeError) as error:
        raise SnapshotDamaged(
            f"The manifest lacks or has too much of something: {error}. Build the index again "
            "from the database."
        ) from error


def sealed(value: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return JSON that ends with the SHA-256 of the rest, and that digest."""
    digest = hashlib.sha256(_canonical(value)).hexdigest()
    return _canonical({**value, "sha256": digest}), digest


def unsealed(raw: bytes, what: str) -> tuple[dict[str, Any], str]:
    """Read what `sealed` wrote; raises `SnapshotDamaged` if any byte of it was changed."""
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    if isinstance(value, dict):
        digest = value.pop("sha256", None)
        if sealed(value) == (raw, digest):
            return value, str(digest)
    raise SnapshotDamaged(f"{what} was changed or cut: build the index again from the database.")


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
