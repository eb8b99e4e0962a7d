"""The map from chunk ids to serial numbers behaves like a dict, in less memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import serials
from indexes.serials import Serials

_CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sets(st.integers(0, 60), max_size=8)),
        st.tuples(st.just("drop"), st.sets(st.integers(0, 60), max_size=8)),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(start=st.sets(st.integers(0, 60)), changes=_CHANGES, n_new=st.sampled_from([0, 3, 4096]))
def test_it_holds_what_a_dict_would(
    start: set[int], changes: list[tuple[str, set[int]]], n_new: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serials, "_N_NEW", n_new)
        expected = {chunk_id: i for i, chunk_id in enumerate(sorted(start, key=hash), 1)}
        found = Serials(
            np.array(list(expected), np.int64), np.array(list(expected.values()), np.int64)
        )
        serial = 100
        for kind, ids in changes:
            if kind == "put":
                numbers = range(serial, serial + len(ids))
                found.put(ids, numbers)
                expected.update(zip(ids, numbers, strict=True))
                serial += len(ids)
            else:
                found.drop(ids)
                for chunk_id in ids:
                    expected.pop(chunk_id, None)
            assert {i: found.get(i) for i in range(61)} == {i: expected.get(i) for i in range(61)}
