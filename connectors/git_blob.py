"""The size of a Git object without inflating it, and what only points to a file kept elsewhere.

A pack's entry begins with the type and size of what follows; that of a delta is the size of the
delta, whose own first bytes give the size of the result (`gitformat-pack(5)`). So a listing reads
a few bytes a file, however large the files are.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dulwich.object_store import BaseObjectStore
    from dulwich.objects import ObjectID
    from dulwich.repo import Repo

LFS_POINTER_BYTES = 1024
"""No pointer is longer (Git LFS specification)."""

_LFS = b"version https://git-lfs.github.com/spec/"
_OFS_DELTA, _REF_DELTA = 6, 7
_HEAD_BYTES = 256


def size(repo: Repo, blob: ObjectID) -> int:
    """Return the size of a blob in bytes; raises KeyError if the repository doesn't have it."""
    for store in _stores(repo.object_store):
        folder = Path(getattr(store, "path", ""))
        for pack in getattr(store, "packs", ()):
            with suppress(KeyError):
                offset = pack.index.object_offset(blob)
                with Path(pack.data.path).open("rb") as file:
                    file.seek(offset)
                    return _packed_size(file.read(_HEAD_BYTES), repo.object_format.oid_length)
        with suppress(FileNotFoundError):
            name = blob.decode()
            with (folder / name[:2] / name[2:]).open("rb") as file:
                head = zlib.decompressobj().decompress(file.read(_HEAD_BYTES), 64)
            return int(head.partition(b"\0")[0].split(b" ")[1])
    raise KeyError(blob)


def is_lfs_pointer(content: bytes) -> bool:
    """Say whether a file only names a large file that Git LFS keeps elsewhere."""
    return len(content) <= LFS_POINTER_BYTES and content.startswith(_LFS)


def _stores(store: BaseObjectStore) -> Iterator[BaseObjectStore]:
    yield store
    for alternate in getattr(store, "alternates", ()):
        yield from _stores(alternate)


def _packed_size(head: bytes, id_bytes: int) -> int:
    kind, at = head[0] >> 4 & 7, 1
    length, shift = head[0] & 15, 4
    while head[at - 1] & 0x80:
        length |= (head[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    if kind not in (_OFS_DELTA, _REF_DELTA):
        return length
    if kind == _REF_DELTA:
        at += id_bytes
    else:
        while head[at] & 0x80:
            at += 1
        at += 1
    delta = zlib.decompressobj().decompress(head[at:], 32)
    _, at = _varint(delta, 0)
    return _varint(delta, at)[0]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = data[at] & 0x7F, 7
    while data[at] & 0x80:
        at += 1
        value |= (data[at] & 0x7F) << shift
        shift += 7
    return value, at + 1
