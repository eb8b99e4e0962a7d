"""A reranker's opinion blended with the search's, for the best passages that it can read.

The two orders are fused by reciprocal rank: a reranker alone made some sets worse by .07.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.errors import ModelUnavailable
from assistant.ports import Reranker
from assistant.telemetry import logger
from indexes.model import primary_lang

_log = logger(__name__)

RANK_OFFSET = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)."""

PAUSE_S = 30.0
"""A reranker that failed is not asked for so long: its timeout would delay every answer."""


@dataclass(frozen=True, slots=True)
class Text:
    """A passage as the reranker reads it."""

    text: str
    lang: str


class Reranking:
    """Blends one reranker's order into the search's; thread-safe.

    Where the reranker fails, passages stay in the order of the search, with a warning in the
    log: `n_failures` counts those questions, `n_skipped` the ones in the pause after.
    """

    def __init__(
        self,
        reranker: Reranker,
        n_reranked: int = 20,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reranker = reranker
        self._n_reranked = n_reranked
        self._clock = clock
        self._lock = threading.Lock()
        self._asleep_until = -float("inf")
        self.n_failures = 0
        self.n_skipped = 0

    def order(self, question: str, lang: str, found: Sequence[Text]) -> list[int]:
        """Return every position in the new order, given best first.

        Only passages among the first `n_reranked` change places, and only with each other;
        those in a language that the model can't read keep theirs.
        """
        order = list(range(len(found)))
        if not self._reranker.reads(primary_lang(lang)):
            return order
        places = [
            i
            for i in order[: self._n_reranked]
            if self._reranker.reads(primary_lang(found[i].lang))
        ]
        if len(places) < 2 or self._is_asleep():
            return order
        try:
            scores = self._reranker.scores(question, [found[i].text for i in places])
        except ModelUnavailable as error:
            self._failed(error)
            return order
        for place, n in zip(places, blended(scores.tolist()), strict=True):
            order[place] = places[n]
        return order

    def _is_asleep(self) -> bool:
        with self._lock:
            asleep = self._clock() < self._asleep_until
            self.n_skipped += asleep
        return asleep

    def _failed(self, error: ModelUnavailable) -> None:
        with self._lock:
            self.n_failures += 1
            self._asleep_until = self._clock() + PAUSE_S
        _log.warning("not_reranked", reason=str(error), n_failures=self.n_failures)


def blended(scores: Sequence[float]) -> list[int]:
    """Return positions by the fused ranks of the order given and of the scores.

    Equals keep the order given.
    """
    by_score = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    fused = 1 / (RANK_OFFSET + 1 + np.arange(len(scores)))
    fused[by_score] += 1 / (RANK_OFFSET + 1 + np.arange(len(scores)))
    return [int(i) for i in np.argsort(-fused, kind="stable")]
