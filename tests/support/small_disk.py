"""A small file system of its own (tmpfs), which a test fills up to its last blocks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system; what fills it up is the file `ballast`."""

    folder: Path

    def leave(self, n_blocks: int) -> None:
        """Leave room for so many blocks, whatever else was written or deleted since."""
        ballast = os.open(self.folder / "ballast", os.O_RDWR | os.O_CREAT)
        try:
            free = os.statvfs(self.folder).f_bavail
            size = os.fstat(ballast).st_size + (free - n_blocks) * BLOCK_BYTES
            os.ftruncate(ballast, min(size, os.fstat(ballast).st_size))
            if size:
                os.posix_fallocate(ballast, 0, size)
        finally:
            os.close(ballast)
        assert os.statvfs(self.folder).f_bavail == n_blocks

    def clear(self) -> None:
        """Make room."""
        (self.folder / "ballast").unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount a file system of this size in a new folder, until the block ends."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"not run: no small disk can be mounted here ({done.stderr.strip()})")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
