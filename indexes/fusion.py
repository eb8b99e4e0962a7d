"""One score from vectors and words, with words trusted as far as this question deserves.

`score = cosine + ENTITY × named + kinship × (own × bm25 + COVERAGE × coverage)`, and for a passage
in another language than the question's, where only names and numbers can match,
`+ (1 - kinship) × (STRANGERS × bm25 / best bm25 of those + COVERAGE / 2 × coverage)`.

- `own = WORDS × 2^agreement × terse`;
- `kinship` is the share of the question's language among the passages nearest to its vector: it
  tells whether the answer is to be looked for in that language;
- `agreement` is the BM25 score of the vectors' first choice as a share of the best;
- `terse` is above 1 for a question of a few words: it means each of them;
- `coverage` is the share of the question's words that a passage holds, rare ones counting most:
  BM25 would give more for one word twice than for two words;
- `named` is the share of the question's names and periods that a passage's title holds
  (`indexes.words`): the product, company, device or quarter that it is about.

Every score keeps its own scale. BM25 is a sum over words, so it counts most for a pasted text, of
which a vector keeps only the gist. Stretching the cosines of each question to [0, 1] made noise
of near-duplicates as loud as real differences; so cosines count in steps of `step`, and equals
keep their order in the corpus.

The constants belong to the bundled embedder's cosines; `benchmarks/fusion.py` fits them to
evaluation sets and shows what each set would lose if it were left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

_N_NEAREST = 10


@dataclass(frozen=True, slots=True)
class Weights:
    """The constants; `words` is worth a point of BM25, and questions of fewer words than `n_terse`
    are terse, stop words not counted."""

    words: float = 0.002
    strangers: float = 0.05
    n_terse: float = 6.0
    terse: float = 1.5
    coverage: float = 0.2
    entity: float = 0.2
    step: float = 0.0025


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What vectors and words found for one question: aligned columns, in the corpus's order.

    `dense` are cosines, `lexical` BM25 scores (0: no word matched), `coverage` and `named` shares
    from 0 to 1, `is_kin` says which are in the question's language, and `n_words` counts the
    question's words without stop words.
    """

    chunk_ids: NDArray[np.int64]
    dense: _Floats
    lexical: _Floats
    coverage: _Floats
    named: _Floats
    is_kin: NDArray[np.bool_]
    n_words: int


def fused(found: Candidates, weights: Weights = WEIGHTS) -> _Floats:
    """Return the candidates' scores, higher is better."""
    dense, lexical = found.dense, found.lexical
    scores = np.round(dense / weights.step) * weights.step + weights.entity * found.named
    best = float(lexical.max(initial=0.0))
    if best <= 0:
        return np.asarray(scores, np.float32)
    nearest = np.argsort(-dense, kind="stable")[:_N_NEAREST]
    kinship = float(found.is_kin[nearest].mean())
    trust = weights.words * 2 ** (float(lexical[nearest[0]]) / best)
    trust *= max(1.0, weights.n_terse / (1 + found.n_words)) ** weights.terse
    scores += kinship * (trust * lexical + weights.coverage * found.coverage)
    strange = ~found.is_kin
    best_strange = float(lexical[strange].max(initial=0.0))
    if best_strange > 0:
        gains = weights.strangers * lexical / best_strange + weights.coverage / 2 * found.coverage
        scores[strange] += (1 - kinship) * gains[strange]
    return np.asarray(scores, np.float32)
