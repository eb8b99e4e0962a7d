"""Masks as bits."""

from __future__ import annotations

import numpy as np
import pytest

from indexes.model import AccessFilter, MetadataFilter
from indexes.selection import Selection


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 1_000])
def test_the_bits_of_a_mask_fill_whole_words(n: int) -> None:
    mask = np.random.default_rng(n).random(n) < 0.3
    selection = Selection(AccessFilter(frozenset()), MetadataFilter(), mask, int(mask.sum()))
    words = selection.words()
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    assert len(words) == -(-n // 64)
    assert bits[:n].tolist() == mask.tolist()
    assert not bits[n:].any()
    few = np.unpackbits(selection.bits(n // 2), bitorder="little")
    assert few[: n // 2].tolist() == mask[: n // 2].tolist()
    assert not few[n // 2 :].any()
