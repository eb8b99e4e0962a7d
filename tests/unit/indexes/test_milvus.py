"""What only the index on Milvus promises: a shared service, kinds, refusals, restarts."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pymilvus.exceptions import MilvusException  # type: ignore[import-untyped]

from indexes import milvus as subject
from indexes.milvus import MilvusIndex, expression
from indexes.model import AccessFilter, MetadataFilter, SearchIndexError
from tests.support.milvus import emptied, served, stop
from tests.support.naive_index import DIMENSION, ask, entry, ids, unit


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("milvus")) as address:
        yield address


@pytest.fixture(scope="module")
def kept(uri: str) -> Iterator[MilvusIndex]:
    with closing(MilvusIndex(uri, DIMENSION)) as index:
        yield index


@pytest.fixture
def index(kept: MilvusIndex) -> Iterator[MilvusIndex]:
    with emptied(kept) as made:
        yield made


def test_a_score_is_the_inner_product(index: MilvusIndex) -> None:
    index.add([entry(i) for i in range(30)])
    hits = index.search(ask(1), 30)
    wanted = {i: float(unit(i) @ unit(99)) for i in range(30)}
    assert {hit.chunk_id: hit.score for hit in hits} == pytest.approx(wanted, abs=1e-6)
    assert all(hit.dense == hit.score and hit.lexical is None for hit in hits)
    best = sorted(wanted, key=lambda i: -wanted[i])[:4]
    assert [hit.chunk_id for hit in index.search(ask(1), 4)] == best


def test_an_expression_names_both_filters() -> None:
    access = AccessFilter(frozenset({12, 3}))
    assert expression(access, MetadataFilter()) == "access_id in [3, 12]"
    metadata = MetadataFilter(
        collections=frozenset({'a"b', "c"}), until=date(2025, 1, 1), since=date(2024, 1, 1)
    )
    assert expression(access, metadata) == (
        'access_id in [3, 12] and collection in ["a\\"b", "c"] and day >= 738886 '
        "and day > 0 and day <= 739252"
    )


def test_all_clients_see_a_change_at_once(index: MilvusIndex, uri: str) -> None:
    with closing(MilvusIndex(uri, DIMENSION)) as other:
        index.add([entry(1, "a"), entry(2, "b")])
        assert ids(other.search(ask(1), 10)) == {1, 2}
        index.set_access("a", 2)
        assert ids(other.search(ask(1), 10)) == {2}
        index.delete(["b"])
        assert other.search(ask(1), 10) == []
        assert len(other) == 1


def test_what_was_added_is_there_after_a_restart(tmp_path: Path) -> None:
    with served(tmp_path) as address:
        with closing(MilvusIndex(address, DIMENSION)) as index:
            index.add([entry(i, f"d{i % 3}", 1 + i % 2, collection="bank") for i in range(30)])
            index.set_access("d0", 2)
            index.delete(["d1"])
            before = index.search(ask(1, 2), 30)
        stop(address)
        with closing(MilvusIndex(address, DIMENSION)) as index:
            assert index.search(ask(1, 2), 30) == before
            assert ids(before) == {i for i in range(30) if i % 3 != 1}
            assert len(index) == 20


def test_searching_while_others_change_never_leaks(index: MilvusIndex) -> None:
    index.add([entry(i, f"d{i % 4}") for i in range(40)])
    index.add([entry(100 + i, "secret", 2) for i in range(20)])

    def read() -> None:
        for _ in range(30):
            assert all(hit.chunk_id < 100 for hit in index.search(ask(1), 100))

    def revoke(n: int) -> None:
        own = set(range(n, 40, 4))
        for _ in range(8):
            index.set_access(f"d{n}", 2)
            assert not own & ids(index.search(ask(1), 100))
            index.set_access(f"d{n}", 1)
            assert own <= ids(index.search(ask(1), 100))

    with ThreadPoolExecutor(3) as pool:
        for task in [pool.submit(read), pool.submit(revoke, 0), pool.submit(revoke, 1)]:
            task.result()
    assert len(index) == 60


def test_graphs_give_as_many_as_there_are(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_effort", lambda kind, k: {"ef": 1})
    with closing(MilvusIndex(uri, DIMENSION, collection="graph", kind="HNSW")) as index:
        index.add([entry(i, access_id=1 + (i % 50 == 0)) for i in range(2000)])
        # Until a collection is loaded anew, its newest rows are scanned.
        index._client.flush("graph")
        index._client.release_collection("graph")
        _load(index, "graph")
        n_walked = len(index._nearest(ask(2), "access_id in [2]", 40))
        assert n_walked < 40, "this graph finds all: the test needs a sparser one"
        hits = index.search(ask(2), 40)
    assert ids(hits) == set(range(0, 2000, 50))
    assert [hit.score for hit in hits] == sorted((h.score for h in hits), reverse=True)
    wanted = {i: float(unit(i) @ unit(99)) for i in ids(hits)}
    assert {hit.chunk_id: hit.score for hit in hits} == pytest.approx(wanted, abs=1e-5)


def _load(index: MilvusIndex, collection: str) -> None:
    """Load a collection; the embedded server may still be writing the files of its graph."""
    deadline = time.monotonic() + 10
    while True:
        try:
            index._client.load_collection(collection)
        except MilvusException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def test_too_many_hits_are_refused(index: MilvusIndex) -> None:
    with pytest.raises(SearchIndexError, match="at most 16384 chunks by FLAT, not 16385"):
        index.search(ask(1), 16_385)


def test_a_service_that_does_not_filter_is_stopped(
    index: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add([entry(1), entry(2, access_id=2)])
    monkeypatch.setattr(subject, "expression", lambda access, metadata: "access_id > 0")
    with pytest.raises(SearchIndexError, match="found chunk 2, which the filter forbids"):
        index.search(ask(1), 10)


def test_a_change_without_effect_is_told(
    index: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add([entry(1)])
    monkeypatch.setattr(index, "_delete", lambda rows: None)
    with pytest.raises(SearchIndexError, match="still shows 1 chunks"):
        index.delete(["d"])


def test_a_collection_of_another_model_is_refused(index: MilvusIndex, uri: str) -> None:
    with pytest.raises(SearchIndexError, match="vectors of 8 numbers, not those"):
        MilvusIndex(uri, DIMENSION + 1)


def test_a_collection_of_another_kind_is_refused(index: MilvusIndex, uri: str) -> None:
    with pytest.raises(SearchIndexError, match="searched by FLAT, not by HNSW"):
        MilvusIndex(uri, DIMENSION, kind="HNSW")


def test_a_name_that_is_too_long_is_told(index: MilvusIndex) -> None:
    with pytest.raises(SearchIndexError, match=r"could not add chunks: .*max_length"):
        index.add([entry(1, collection="x" * 65_536)])
    assert len(index) == 0


def test_a_name_that_is_no_text_is_told(index: MilvusIndex) -> None:
    wanted = MetadataFilter(collections=frozenset({"\ud800"}))
    with pytest.raises(SearchIndexError, match="could not search"):
        index.search(ask(1, metadata=wanted), 3)


def test_a_service_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_TIMEOUT_SECONDS", 0.5)
    with pytest.raises(SearchIndexError, match=r"could not open the collection: .*127\.0\.0\.1:1"):
        MilvusIndex("http://127.0.0.1:1", DIMENSION)


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(SearchIndexError, match=r"pip install 'enterprise-assistant\[milvus\]'"):
        MilvusIndex(str(tmp_path / "x.db"), DIMENSION)


def test_walks_keep_enough_in_sight() -> None:
    assert subject._effort("FLAT", 9) == {}
    assert subject._effort("HNSW", 9) == {"ef": 128}
    assert subject._effort("HNSW", 300) == {"ef": 300}
    assert subject._effort("GPU_CAGRA", 300) == {"itopk_size": 512}
    assert subject._effort("GPU_CAGRA", 1024) == {"itopk_size": 1024}
    assert np.isfinite(list(subject._K_MAX.values())).all()
