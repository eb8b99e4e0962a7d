"""Callers who may read given shares of a corpus, and the access lists of its chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.model import AccessFilter

Readable = Callable[[float, str], NDArray[np.bool_]]

SHARES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.001, 0.0001)
KINDS = ("random", "topics")


@dataclass(frozen=True, slots=True)
class Case:
    """A caller: the share of the documents, and which documents those are."""

    share: float
    kind: str

    @property
    def key(self) -> str | None:
        """The caller's name in access lists; None if all documents may be read."""
        return f"{self.kind}{self.share:g}".replace(".", "_") if self.share < 1 else None

    def __str__(self) -> str:
        """Show the share in per cent, and `t` for whole topics."""
        return f"{100 * self.share:g} %" + (" t" if self.kind == "topics" else "")


CASES = (Case(1.0, "all"), *(Case(share, kind) for share in SHARES[1:] for kind in KINDS))


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read which chunk: a mask for each case, and the number of each chunk's list.

    `lists[i]` names the cases that may read the chunks with `access_ids` i + 1.
    """

    masks: dict[Case, NDArray[np.bool_]]
    access_ids: NDArray[np.int64]
    lists: tuple[tuple[Case, ...], ...]

    def filter(self, case: Case) -> AccessFilter:
        """Return what this caller may read."""
        return AccessFilter(
            frozenset(i for i, cases in enumerate(self.lists, 1) if case in cases),
        )

    def keys(self) -> list[list[str]]:
        """Return the names in each chunk's access list."""
        named = [[case.key for case in cases if case.key] for cases in self.lists]
        return [named[i - 1] for i in self.access_ids.tolist()]


def granted(readable: Readable, cases: tuple[Case, ...] = CASES) -> Access:
    """Return who may read what, given the mask of each share and kind."""
    masks = {case: readable(case.share, case.kind) for case in cases}
    found, numbers = np.unique(np.stack(list(masks.values()), axis=1), axis=0, return_inverse=True)
    lists = tuple(tuple(c for c, may in zip(cases, row, strict=True) if may) for row in found)
    return Access(masks, numbers.reshape(-1).astype(np.int64) + 1, lists)
