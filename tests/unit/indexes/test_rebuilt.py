"""An index filled at once finds what one does that was told chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexes import rebuilt
from indexes import saved as parts
from indexes.columns import Columns, Grouping, Origin
from indexes.hybrid import HybridIndex
from indexes.manifest import Facts, SnapshotDamaged
from indexes.model import AccessFilter, Entry, Facets, MetadataFilter, Query, SearchIndexError
from indexes.snapshot import Snapshots

DIMENSION = 8
WORDS = ["ship", "pump", "valve", "report", "income", "navio", "lucro"]
LANGS = ["en", "pt-BR", "pt", ""]
Halves = NDArray[np.uint16]


def entries(n: int, seed: int = 0, first: int = 0) -> list[Entry]:
    """Chunks, three a document; access and facets but the language are the document's."""
    rng = np.random.default_rng(seed)
    made = []
    for i, chunk_id in enumerate((first + rng.permutation(10 * n)[:n]).tolist()):
        document = first + i // 3
        vector = rng.standard_normal(DIMENSION)
        halves = (vector / np.linalg.norm(vector)).astype(np.float16)
        made.append(
            Entry(
                chunk_id,
                f"document-{document}",
                document % 4 + 1,
                " ".join(rng.choice(WORDS, 4)),
                halves.astype(np.float32),
                Facets(
                    collection=f"c{document % 3}",
                    industry="bank" if document % 2 else "",
                    lang=LANGS[int(rng.integers(len(LANGS)))],
                    media_type="text/plain",
                    dated=date(2020 + document % 5, 1, 1) if document % 5 else None,
                ),
            )
        )
    return made


def columns_of(made: Sequence[Entry]) -> Columns:
    names = {entry.document_id: entry for entry in made}
    places = {name: place for place, name in enumerate(names)}
    tags = list(dict.fromkeys(entry.facets.lang for entry in made))
    return Columns(
        np.array([entry.chunk_id for entry in made], np.int64),
        np.array([places[entry.document_id] for entry in made], np.int32),
        np.array([tags.index(entry.facets.lang) for entry in made], np.int32),
        [Origin(name, entry.access_id, entry.facets) for name, entry in names.items()],
        tags,
    )


def halves_of(made: Sequence[Entry], seed: int = 1) -> Iterator[tuple[NDArray[np.int64], Halves]]:
    """The vectors in another order, some at a time."""
    order = np.random.default_rng(seed).permutation(len(made))
    for start in range(0, len(made), 7):
        some = [made[i] for i in order[start : start + 7]]
        halves = np.array([entry.vector for entry in some], np.float32).astype(np.float16)
        yield np.array([entry.chunk_id for entry in some], np.int64), halves.view(np.uint16)


def texts_of(made: Sequence[Entry]) -> Iterator[tuple[int, str, str]]:
    return ((entry.chunk_id, entry.title, entry.text) for entry in made)


def filled(
    made: Sequence[Entry], grouping: Grouping | None = None, folder: Path | None = None
) -> HybridIndex:
    index = HybridIndex(DIMENSION, folder)
    rebuilt.fill(index, columns_of(made), halves_of(made), texts_of(made), grouping)
    return index


def added(made: Sequence[Entry], folder: Path | None = None) -> HybridIndex:
    index = HybridIndex(DIMENSION, folder)
    index.add(list(made))
    return index


def queries() -> Iterator[Query]:
    rng = np.random.default_rng(3)
    for access in ({1}, {2, 3}, {1, 2, 3, 4}, {9}):
        for metadata in (
            MetadataFilter(),
            MetadataFilter(collections=frozenset({"c1"}), langs=frozenset({"en", "pt-BR"})),
            MetadataFilter(industries=frozenset({"bank"}), since=date(2022, 1, 1)),
        ):
            for text, lang in (("pump report", "en"), ("lucro", "pt"), ("ship", "")):
                vector = rng.standard_normal(DIMENSION).astype(np.float32)
                unit = vector / np.linalg.norm(vector)
                yield Query(text, unit, lang, AccessFilter(frozenset(access)), metadata)


def found(index: HybridIndex, k: int = 1000) -> list[dict[int, float]]:
    searches = (index.search, index.search_dense, index.search_lexical)
    return [
        {hit.chunk_id: round(hit.score, 4) for hit in search(query, k)}
        for query in queries()
        for search in searches
    ]


@settings(max_examples=15)
@given(n=st.integers(1, 80), seed=st.integers(0, 99))
def test_a_filled_index_finds_what_an_added_one_does(n: int, seed: int) -> None:
    made = entries(n, seed)
    one, other = filled(made), added(made)
    assert found(one) == found(other)
    assert parts.documents(one) == parts.documents(other)
    for mine, theirs in zip(parts.contents(one), parts.contents(other), strict=True):
        assert np.array_equal(mine, theirs)


def test_changes_go_on_from_a_filled_index() -> None:
    made = entries(60)
    one, other = filled(made), added(made)
    for index in (one, other):
        index.delete(["document-3"])
        index.set_access("document-4", 9)
        index.add(entries(20, first=9000))
    assert found(one) == found(other)


def grouped(
    monkeypatch: pytest.MonkeyPatch, made: Sequence[Entry], folder: Path | None = None
) -> HybridIndex:
    for module in ("indexes.lists", "indexes.hybrid", "indexes.rebuilt"):
        monkeypatch.setattr(f"{module}.N_WITHOUT", 50)
    index = added(made, folder)
    index.fold()
    return index


def test_stored_lists_are_those_that_were_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    made = entries(300)
    index = grouped(monkeypatch, made)
    index.delete(["document-7"])
    grouping = rebuilt.grouping_of(index)
    assert grouping is not None
    assert len(grouping.chunk_ids) == 297
    left = [entry for entry in made if entry.document_id != "document-7"]
    now = [*left, *entries(9, first=9000)]
    again = filled(now, grouping)
    assert found(again) == found(filled(now))
    after = rebuilt.grouping_of(again)
    assert after is not None
    assert np.array_equal(after.chunk_ids, grouping.chunk_ids)
    assert np.array_equal(after.numbers, grouping.numbers)


def test_few_chunks_need_no_lists() -> None:
    made = entries(30)
    grouping = Grouping(
        np.eye(2, DIMENSION, dtype=np.float32), 2, np.array([1, 2]), np.array([0, 1], np.int32)
    )
    index = filled(made, grouping)
    assert rebuilt.grouping_of(index) is None
    assert found(index) == found(added(made))


def test_a_chunk_without_a_vector_is_left_out() -> None:
    made = entries(12)
    index = HybridIndex(DIMENSION)
    rebuilt.fill(index, columns_of(made), halves_of(made[1:]), texts_of(made), None)
    assert len(index) == 11
    assert all(made[0].chunk_id not in hits for hits in found(index))


@pytest.mark.parametrize("wrong", ["length", "shape"])
def test_a_wrong_vector_leaves_the_index_empty(wrong: str) -> None:
    made = entries(9)
    index = HybridIndex(DIMENSION)
    halves = np.zeros((1, DIMENSION if wrong == "length" else 3), np.uint16)
    vectors = [*halves_of(made), (np.array([made[0].chunk_id]), halves)]
    with pytest.raises(SearchIndexError, match="again"):
        rebuilt.fill(index, columns_of(made), vectors, texts_of(made), None)
    assert len(index) == 0
    rebuilt.fill(index, columns_of(made), halves_of(made), texts_of(made), None)
    assert found(index) == found(added(made))


def test_only_an_empty_index_is_filled() -> None:
    made = entries(9)
    with pytest.raises(SearchIndexError, match="empty"):
        rebuilt.fill(added(made), columns_of(made), halves_of(made), texts_of(made), None)


def test_nothing_to_fill_with() -> None:
    index = filled([])
    assert len(index) == 0
    index.add(entries(3))
    assert len(index) == 3


def published(index: HybridIndex, folder: Path) -> Snapshots:
    snapshots = Snapshots(folder / "index")
    with parts.state_of(index, folder) as state:
        snapshots.publish(state, Facts(1, "model@1", DIMENSION, len(index)))
    return snapshots


def damage(snapshots: Snapshots, *names: str) -> None:
    folder = snapshots.folder / snapshots.roles().current
    for name in names:
        path = next(folder.glob(name))
        path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (["tail_halves.npy"], "vectors"),
        (["base_codes.npy", "terms.npy", "lists_*.npy"], "vectors"),
        (["files/*.term"], "words"),
        (["files/*.store", "files/meta.json"], "words"),
    ],
)
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_damaged_part_is_made_anew(
    names: list[str], part: str, is_kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = entries(120)
    index = grouped(monkeypatch, made, tmp_path / "own")
    index.add(entries(9, first=9000))
    index.delete(["document-3"])
    index.set_access("document-4", 9)
    snapshots = published(index, tmp_path)
    damage(snapshots, *names)
    snapshot = snapshots.intact()
    assert rebuilt.lost_part(snapshot) == part
    live = set(parts.contents(index)[0].tolist())
    now = [entry for entry in [*made, *entries(9, first=9000)] if entry.chunk_id in live]
    (tmp_path / "words").mkdir()
    again = rebuilt.repaired(
        snapshot.state,
        rebuilt.lost_part(snapshot),
        tmp_path / "words",
        (halves_of(now), texts_of(now)),
        rebuilt.grouping_of(index) if is_kept else None,
    )
    assert [set(hits) for hits in found(again)] == [set(hits) for hits in found(index)]
    for changing in (again, index):
        changing.delete(["document-9"])
        changing.add(entries(9, first=99_000))
    assert [set(hits) for hits in found(again)] == [set(hits) for hits in found(index)]


def test_what_is_gone_meanwhile_is_left_out_of_a_repaired_part(tmp_path: Path) -> None:
    made = entries(30)
    index = added(made, tmp_path / "own")
    snapshots = published(index, tmp_path)
    damage(snapshots, "tail_halves.npy")
    (tmp_path / "words").mkdir()
    left = [entry for entry in made if entry.document_id != "document-2"]
    again = rebuilt.repaired(
        snapshots.intact().state,
        "vectors",
        tmp_path / "words",
        (halves_of(left), texts_of(left)),
        None,
    )
    index.delete(["document-2"])
    assert [set(hits) for hits in found(again)] == [set(hits) for hits in found(index)]
    assert [len(hits) for hits in found(again, 3)] == [len(hits) for hits in found(index, 3)]


@pytest.mark.parametrize(
    "names", [["chunk_ids.npy"], ["keys.json"], ["tail_halves.npy", "files/*.term"]]
)
def test_more_than_one_damaged_part_is_not_repaired(names: list[str], tmp_path: Path) -> None:
    snapshots = published(added(entries(30), tmp_path / "own"), tmp_path)
    damage(snapshots, *names)
    with pytest.raises(SnapshotDamaged, match="build the index again"):
        rebuilt.lost_part(snapshots.intact())
