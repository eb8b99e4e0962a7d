"""What an engine under comparison is: loaded once, searched in one or more ways."""

from __future__ import annotations

import importlib.util
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

Search = Callable[[_Floats, str | None, int], Sequence[int]]
"""Takes a unit vector, the caller's name in access lists (None for everything) and `k`."""


class Wanted(Protocol):
    """What one caller should see, question by question."""

    @property
    def questions(self) -> _Floats:
        """The caller's questions, unit vectors."""

    def depth(self) -> int:
        """Return how many of all vectors must be fetched to find enough."""

    def is_enough(self, found: Sequence[Sequence[int]]) -> bool:
        """Return whether these results hold enough of the best."""


@runtime_checkable
class Tunable(Protocol):
    """A search that is set up anew for each caller."""

    def tune(self, key: str | None, wanted: Wanted, k: int) -> None:
        """Choose the cheapest setting that finds enough."""


class Rival(ABC):
    """An engine with a folder of its own; `package` must be installed, which has `module`."""

    package: str
    module: str

    def __init__(self) -> None:
        """Make the folder."""
        self.folder = Path(mkdtemp(prefix="rival-"))

    @classmethod
    def is_installed(cls) -> bool:
        """Return whether its packages are there."""
        return importlib.util.find_spec(cls.module) is not None

    @abstractmethod
    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        """Index unit vectors; their ids are their positions."""

    @abstractmethod
    def ways(self) -> dict[str, Search]:
        """Return the searches to measure, by name."""

    def close(self) -> None:
        """Stop it and remove its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
