"""A folder out of which no path can lead: neither `..` nor a link swapped in at the last moment.

Every open walks down from the root, one part at a time, relative to the folder opened before and
without following links (`openat` with `O_NOFOLLOW`), so there is no moment between a check and
its use. Paths are tuples of parts from the root.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Parts = tuple[str, ...]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Entry:
    """What lies in a folder; an undecodable name is shown with backslash escapes."""

    name: str
    kind: Literal["file", "folder", "link", "undecodable", "other"]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A root folder; `follow_symlinks` follows links that end inside it.

    Every method raises `OSError` if the place can't be reached.
    """

    root: Path
    follow_symlinks: bool = False

    def real(self, parts: Parts) -> Parts:
        """Return where a path really leads, still from the root."""
        if not self.follow_symlinks:
            return parts
        place = Path(os.path.realpath(self.root.joinpath(*parts), strict=True))
        if not place.is_relative_to(self.root):
            raise OSError(errno.ELOOP, "it is a link that leads out of the folder")
        return place.relative_to(self.root).parts

    def kind(self, real: Parts) -> Literal["file", "folder", "other"]:
        """Say what a place without links is."""
        mode = self.status(real).st_mode
        return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"

    def status(self, real: Parts) -> os.stat_result:
        """Return size and times of a place, without following a link."""
        return self.root.joinpath(*real).lstat()

    def open_file(self, real: Parts) -> int:
        """Open a regular file for reading and return its descriptor."""
        folder = self._open_folder(real[:-1])
        try:
            fd = os.open(real[-1], _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file")

    def read(self, real: Parts, max_bytes: int) -> bytes:
        """Read the beginning of a file."""
        with os.fdopen(self.open_file(real), "rb") as file:
            return file.read(max_bytes)

    def entries(self, real: Parts) -> dict[str, Entry]:
        """List a folder by name, in the order of names."""
        fd = self._open_folder(real)
        try:
            with os.scandir(fd) as found:
                entries = [_entry(one) for one in found]
        finally:
            os.close(fd)
        return {one.name: one for one in sorted(entries, key=lambda one: one.name)}

    def _open_folder(self, real: Parts) -> int:
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in real:
            try:
                below = os.open(part, _FOLDER, dir_fd=fd)
            finally:
                os.close(fd)
            fd = below
        return fd


def _entry(found: os.DirEntry[str]) -> Entry:
    try:
        found.name.encode()
    except UnicodeEncodeError:
        raw = found.name.encode("utf-8", "surrogateescape")
        return Entry(raw.decode("utf-8", "backslashreplace"), "undecodable")
    if found.is_symlink():
        return Entry(found.name, "link")
    if found.is_dir(follow_symlinks=False):
        return Entry(found.name, "folder")
    return Entry(found.name, "file" if found.is_file(follow_symlinks=False) else "other")
