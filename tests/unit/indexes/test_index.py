"""The contract of `indexes.model.Index`, asked of every index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes import gpu, lists
from indexes.hybrid import HybridIndex
from indexes.milvus import MilvusIndex
from indexes.model import Facets, Index, MetadataFilter, SearchIndexError
from tests.support.devices import Mirrored, on_cpu
from tests.support.naive_index import DIMENSION, NaiveIndex, ask, entry, ids, unit

Make = Callable[[pytest.FixtureRequest], AbstractContextManager[Index]]


def on_milvus(request: pytest.FixtureRequest) -> AbstractContextManager[Index]:
    from tests.support import milvus  # its packages are not in the environment of `make test-gpu`

    return milvus.emptied(request.getfixturevalue("kept"))


def on_gpu(request: pytest.FixtureRequest) -> AbstractContextManager[Index]:
    device = gpu.opened("cuda")
    assert device is not None
    return on_device(request, Mirrored(device))


def on_device(request: pytest.FixtureRequest, made: Mirrored) -> AbstractContextManager[Index]:
    request.getfixturevalue("monkeypatch").setattr(lists, "N_WITHOUT", 0)
    return closing(made)


MAKERS: dict[str, Make] = {
    "naive": lambda request: nullcontext(NaiveIndex()),
    "hybrid in memory": lambda request: closing(HybridIndex(DIMENSION)),
    "hybrid in a folder": lambda request: closing(
        HybridIndex(DIMENSION, request.getfixturevalue("tmp_path"))
    ),
    "hybrid on a device": lambda request: on_device(request, Mirrored(on_cpu())),
    "hybrid on a GPU": on_gpu,
    "milvus": on_milvus,
}
ALL = [
    pytest.param(name, marks=pytest.mark.gpu) if "GPU" in name else pytest.param(name)
    for name in MAKERS
]
OURS = ALL[1:]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusIndex]:
    from tests.support import milvus

    with (
        milvus.served(tmp_path_factory.mktemp("milvus")) as uri,
        closing(MilvusIndex(uri, DIMENSION)) as index,
    ):
        yield index


@pytest.fixture(params=ALL)
def index(request: pytest.FixtureRequest) -> Iterator[Index]:
    with MAKERS[request.param](request) as made:
        yield made


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert index.search(ask(1), 10) == []
    assert len(index) == 0


def test_only_permitted_chunks_are_found(index: Index) -> None:
    index.add([entry(1, access_id=1), entry(2, access_id=2), entry(3, access_id=0)])
    assert ids(index.search(ask(1), 10)) == {1}
    assert ids(index.search(ask(1, 2), 10)) == {1, 2}
    assert index.search(ask(), 10) == []
    assert len(index) == 3


def test_results_are_never_too_few(index: Index) -> None:
    index.add([entry(i, access_id=1 + i % 7, text="m30") for i in range(300)])
    permitted = {i for i in range(300) if i % 7 == 3}
    assert ids(index.search(ask(4, text="nothing of it"), 300)) == permitted
    assert len(index.search(ask(4), 5)) == 5


def test_an_entry_replaces_the_one_with_its_chunk_id(index: Index) -> None:
    index.add([entry(1, "old", access_id=1)])
    index.add([entry(1, "new", access_id=2)])
    assert index.search(ask(1), 10) == []
    assert ids(index.search(ask(2), 10)) == {1}
    index.delete(["old"])
    assert ids(index.search(ask(2), 10)) == {1}


def test_the_last_of_two_entries_with_one_chunk_id_counts(index: Index) -> None:
    index.add([entry(1, access_id=1), entry(1, access_id=2)])
    assert index.search(ask(1), 10) == []
    assert ids(index.search(ask(2), 10)) == {1}
    assert len(index) == 1


def test_a_deleted_document_is_gone_and_may_come_back(index: Index) -> None:
    index.add([entry(1, "a"), entry(2, "b")])
    assert ids(index.search(ask(1), 10)) == {1, 2}
    index.delete(["a", "never seen"])
    assert ids(index.search(ask(1), 10)) == {2}
    index.add([entry(3, "a")])
    assert ids(index.search(ask(1), 10)) == {2, 3}
    index.delete(["a", "b"])
    assert index.search(ask(1), 10) == []


def test_access_changes_both_ways_and_keeps_facets(index: Index) -> None:
    index.add([entry(1, "a", collection="bank"), entry(2, "b", collection="bank")])
    bank = MetadataFilter(collections=frozenset({"bank"}))
    index.set_access("a", 2)
    assert ids(index.search(ask(1, metadata=bank), 10)) == {2}
    index.set_access("a", 0)
    assert index.search(ask(2, metadata=bank), 10) == []
    index.set_access("a", 1)
    assert ids(index.search(ask(1, metadata=bank), 10)) == {1, 2}
    index.set_access("never seen", 1)


def test_facets_restrict(index: Index) -> None:
    index.add(
        [
            entry(1, collection="bank", industry="finance", lang="en", media_type="text/html"),
            entry(2, collection="shop", industry="retail", lang="pt", media_type="text/csv"),
        ]
    )
    for wanted in (
        MetadataFilter(collections=frozenset({"shop", "other"})),
        MetadataFilter(industries=frozenset({"retail"})),
        MetadataFilter(langs=frozenset({"pt"})),
        MetadataFilter(media_types=frozenset({"text/csv"})),
    ):
        assert ids(index.search(ask(1, metadata=wanted), 10)) == {2}
    both = MetadataFilter(collections=frozenset({"shop"}), industries=frozenset({"finance"}))
    assert index.search(ask(1, metadata=both), 10) == []


def test_dates_are_inclusive_and_unknown_dates_never_fit(index: Index) -> None:
    first, last = date(2025, 1, 1), date(2025, 12, 31)
    index.add(
        [
            replace(entry(1), facets=Facets(dated=first)),
            replace(entry(2), facets=Facets(dated=last)),
            entry(3),
        ]
    )
    assert ids(index.search(ask(1, metadata=MetadataFilter(since=last)), 10)) == {2}
    assert ids(index.search(ask(1, metadata=MetadataFilter(until=first)), 10)) == {1}
    assert ids(index.search(ask(1, metadata=MetadataFilter(since=first, until=last)), 10)) == {1, 2}
    assert ids(index.search(ask(1), 10)) == {1, 2, 3}


def test_hits_come_best_first_and_once(index: Index) -> None:
    index.add([entry(i, text="k10 m30") for i in range(20)])
    hits = index.search(ask(1), 20)
    assert len(ids(hits)) == 20
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


def test_fewer_than_one_hit_is_none(index: Index) -> None:
    index.add([entry(1)])
    assert index.search(ask(1), 0) == []
    assert index.search(ask(1), -1) == []


def test_nothing_to_add_or_delete_changes_nothing(index: Index) -> None:
    index.add([entry(1)])
    index.add([])
    index.delete([])
    assert ids(index.search(ask(1), 10)) == {1}


HOSTILE = [
    "it's",
    'say "x"',
    "\\",
    'ends with \\"',
    "a\nb\tc\rd",
    '"] or access_id > 0 or collection in ["',
    "' or 1 == 1",
    "{ids} %s ${x} $meta",
    "ação — 数据 🛢",
    "\x01\x7f",
    "",
    "and",
]


def test_names_are_only_names(index: Index) -> None:
    index.add([entry(i, name, collection=name) for i, name in enumerate(HOSTILE)])
    index.add([entry(100, "secret", 2)])
    for i, name in enumerate(HOSTILE):
        wanted = MetadataFilter(collections=frozenset({name}))
        assert ids(index.search(ask(1, metadata=wanted), 50)) == {i}, name
    for i, name in enumerate(HOSTILE):
        index.set_access(name, 3)
        assert ids(index.search(ask(3), 50)) == {i}, name
        index.delete([name])
        assert ids(index.search(ask(1), 50)) == set(range(i + 1, len(HOSTILE))), name
    assert ids(index.search(ask(2), 50)) == {100}


def test_many_chunks_of_one_document_change_together(index: Index) -> None:
    index.add([entry(i, "long") for i in range(2500)] + [entry(9000, "other")])
    index.set_access("long", 2)
    assert ids(index.search(ask(1), 5000)) == {9000}
    assert len(index.search(ask(2), 5000)) == 2500
    index.delete(["long"])
    assert index.search(ask(2), 5000) == []
    assert len(index) == 1


@pytest.mark.parametrize("index", OURS, indirect=True)
@pytest.mark.parametrize(
    "vector",
    [unit(1)[:3], unit(1) * 3, unit(1) * 0, np.full(DIMENSION, np.nan, np.float32)],
    ids=["short", "long", "zero", "nan"],
)
def test_a_vector_of_another_model_is_refused(index: Index, vector: NDArray[np.float32]) -> None:
    with pytest.raises(SearchIndexError, match="Chunk 2 has a vector of"):
        index.add([entry(1), replace(entry(2), vector=vector)])
    assert len(index) == 0


@pytest.mark.parametrize("index", OURS, indirect=True)
@pytest.mark.parametrize("vector", [unit(1)[:3], np.full(DIMENSION, np.inf, np.float32)])
def test_a_question_of_another_model_is_refused(index: Index, vector: NDArray[np.float32]) -> None:
    with pytest.raises(SearchIndexError, match="embed it with the model"):
        index.search(replace(ask(1), vector=vector), 3)
