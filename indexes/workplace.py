"""Folders that one process each works in, cleared up after processes that were killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import weakref
from pathlib import Path
from tempfile import mkdtemp

from indexes.model import SearchIndexError

_PREFIX = "work-"


class Workplace:
    """A new, empty folder of this process beside those of others, removed at `close` or exit.

    A locked file tells the others that it is in use: the lock ends with the process, however
    that ends, and the next workplace removes what was left.
    """

    def __init__(self, parent: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (parent / "work.lock").open("a") as entrance:
            # Between making a folder and locking it nobody else may look.
            fcntl.flock(entrance, fcntl.LOCK_EX)
            for folder in parent.glob(f"{_PREFIX}*"):
                _remove_if_left(folder)
            self.folder = Path(mkdtemp(prefix=_PREFIX, dir=parent))
            lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._end = weakref.finalize(self, _end, self.folder, lock)

    def subfolder(self, name: str) -> Path:
        """Return a new, empty folder within; raises `SearchIndexError` if it can't be made."""
        try:
            return Path(mkdtemp(prefix=f"{name}-", dir=self.folder))
        except OSError as error:
            raise SearchIndexError(
                f"There is no room to work in {self.folder}: {error}. Free some space."
            ) from error

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        self._end()


def _end(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def _remove_if_left(folder: Path) -> None:
    try:
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except (BlockingIOError, FileNotFoundError):
        # In use, or removed by its owner just now.
        return
