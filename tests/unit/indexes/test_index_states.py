"""Any series of changes, compactions, saves, crashes and restarts, against an oracle.

Short by default. All three hundred series of forty steps: `python -m pytest
--hypothesis-profile=thorough tests/unit/indexes/test_index_states.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from indexes import saved
from indexes.hybrid import HybridIndex
from indexes.manifest import Facts
from indexes.milvus import MilvusIndex
from indexes.model import AccessFilter, Entry, Facets, Hit, MetadataFilter, Query
from indexes.snapshot import Snapshots
from tests.support import milvus
from tests.support.naive_index import DIMENSION, NaiveIndex, ids, shared, unit

CODES = ("k10", "k20", "m30", "x77", "2023")
LANGS = ("en", "pt", "")
DOCUMENTS = "abcdef"
MANY = 1000

# Thousands of files are written durably: what a disk would add is only time.
MEMORY = Path("/dev/shm")
FOLDER = MEMORY if MEMORY.is_dir() else None

subsets = st.frozensets
documents = st.sampled_from(DOCUMENTS + "g")
entries = st.builds(
    Entry,
    chunk_id=st.integers(0, 25),
    document_id=st.sampled_from(DOCUMENTS),
    access_id=st.integers(0, 3),
    text=st.lists(st.sampled_from(CODES), min_size=1, max_size=6).map(" ".join),
    vector=st.integers(0, 10_000).map(unit),
    facets=st.builds(
        Facets,
        collection=st.sampled_from(["bank", "shop", ""]),
        lang=st.sampled_from(LANGS),
        dated=st.none() | st.dates(date(2025, 1, 1), date(2025, 1, 4)),
    ),
)
batches = st.lists(entries, min_size=1, max_size=12)
queries = st.builds(
    Query,
    text=st.lists(st.sampled_from([*CODES, "the", "não"]), max_size=4).map(" ".join),
    vector=st.integers(0, 10_000).map(unit),
    lang=st.sampled_from([*LANGS, "de"]),
    access=st.builds(AccessFilter, subsets(st.integers(1, 4))),
    metadata=st.builds(
        MetadataFilter,
        collections=subsets(st.sampled_from(["bank", "shop"]), max_size=1),
        langs=subsets(st.sampled_from(LANGS), max_size=2),
        since=st.none() | st.just(date(2025, 1, 2)),
        until=st.none() | st.just(date(2025, 1, 3)),
    ),
)


class Changes(RuleBasedStateMachine):
    """Whatever happened before: no hit is forbidden, lost or there twice."""

    index: HybridIndex | MilvusIndex

    def __init__(self) -> None:
        super().__init__()
        self.naive = NaiveIndex()
        self.log: list[tuple[str, tuple[Any, ...]]] = []

    def change(self, name: str, *args: Any) -> None:
        self.log.append((name, args))
        for index in (self.naive, self.index):
            getattr(index, name)(*args)

    @rule(batch=batches)
    def add(self, batch: list[Entry]) -> None:
        self.change("add", batch)

    @rule(names=st.lists(documents, max_size=2))
    def delete(self, names: list[str]) -> None:
        self.change("delete", names)

    @rule(document=documents, access_id=st.integers(0, 3))
    def set_access(self, document: str, access_id: int) -> None:
        self.change("set_access", document, access_id)

    @rule(query=queries, k=st.integers(1, 30))
    def search(self, query: Query, k: int) -> None:
        self.sound(query, k, self.index.search(query, k))

    @invariant()
    def both_have_the_same_size(self) -> None:
        assert len(self.index) == len(self.naive)

    def sound(self, query: Query, k: int, hits: list[Hit]) -> None:
        permitted = self.naive.permitted(query)
        assert len(hits) == len(ids(hits)) == min(k, len(permitted))
        assert ids(hits) <= permitted.keys()
        assert [hit.score for hit in hits] == sorted((h.score for h in hits), reverse=True)

    def best(self, k: int, hits: list[Hit], wanted: dict[int, float]) -> None:
        best = sorted(wanted.values(), reverse=True)[:k]
        assert [hit.score for hit in hits] == pytest.approx(best, abs=1e-5)
        own = [wanted[hit.chunk_id] for hit in hits]
        assert [hit.score for hit in hits] == pytest.approx(own, abs=1e-5)


class OfHybrid(Changes):
    """A hybrid index in a folder, whose process may die at any moment.

    It comes back from the last published generation and the changes since.
    """

    index: HybridIndex

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="states-", dir=FOLDER)
        self.root = Path(self.folder.name)
        self.work = (self.root / f"words-{n}" for n in count())
        self.snapshots = Snapshots(self.root / "index")
        self.n_published: int | None = None
        self.index = HybridIndex(DIMENSION, self.new_folder())

    def new_folder(self) -> Path:
        folder = next(self.work)
        folder.mkdir()
        return folder

    @rule()
    def fold(self) -> None:
        self.index.fold()

    @rule(batch=st.none() | batches)
    def publish(self, batch: list[Entry] | None) -> None:
        with saved.state_of(self.index, self.root) as state:
            n_known = len(self.log)
            if batch:
                self.change("add", batch)
            facts = Facts(n_known, "model@1", DIMENSION, len(self.index))
            self.snapshots.publish(state, facts)
        self.n_published = n_known

    @rule()
    def crash(self) -> None:
        # Nothing is closed or committed: what the generation lacks is lost.
        del self.index
        if self.n_published is None:
            self.index = HybridIndex(DIMENSION, self.new_folder())
        else:
            state = self.snapshots.open().state
            self.index = saved.restored(state, self.new_folder())
        for name, args in self.log[self.n_published or 0 :]:
            getattr(self.index, name)(*args)

    @rule(query=queries)
    def search_lexical(self, query: Query) -> None:
        wanted = {i for i, e in self.naive.permitted(query).items() if shared(query, e)}
        assert ids(self.index.search_lexical(query, MANY)) == wanted

    @invariant()
    def the_same_chunks_are_alive(self) -> None:
        found, access = saved.contents(self.index)
        kept = {i: entry.access_id for i, entry in self.naive.entries.items()}
        assert dict(zip(found.tolist(), access.tolist(), strict=True)) == kept
        assert len(found) == len(kept)

    def teardown(self) -> None:
        self.index.close()
        self.folder.cleanup()


class Exact(OfHybrid):
    """Few chunks: the vectors that are found are the nearest."""

    @precondition(lambda self: len(self.naive) > 0)
    @rule(query=queries, k=st.integers(1, 30))
    def search_dense(self, query: Query, k: int) -> None:
        hits = self.index.search_dense(query, k)
        question = self.centred(query.vector, query.lang)
        wanted = {
            i: float(self.centred(entry.vector, entry.facets.lang) @ question)
            for i, entry in self.naive.permitted(query).items()
        }
        self.best(k, hits, wanted)

    def centred(self, vector: NDArray[np.float32], lang: str) -> NDArray[np.float32]:
        rest = vector - self.index.taken_out(lang)
        return np.asarray(rest / np.linalg.norm(rest), np.float32)


class InLists(OfHybrid):
    """So many chunks that lists are made and probed; what they overlook is another matter."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        for name in ("indexes.dense.grouping.N_WITHOUT", "indexes.hybrid.N_WITHOUT"):
            self.patch.setattr(name, 60)
        self.patch.setattr("indexes.dense._N_EXACT", (10, 20))
        super().__init__()

    @rule(first=st.integers(0, 300), n=st.integers(50, 200), seed=st.integers(0, 9))
    def fill(self, first: int, n: int, seed: int) -> None:
        self.change("add", list(filled(range(first, first + n), seed)))

    @rule(query=queries, k=st.integers(1, 30))
    def search_dense(self, query: Query, k: int) -> None:
        self.sound(query, k, self.index.search_dense(query, k))

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


def filled(chunk_ids: Iterable[int], seed: int) -> Iterable[Entry]:
    rng = np.random.default_rng(seed)
    for chunk_id in chunk_ids:
        yield Entry(
            chunk_id,
            str(rng.choice(list(DOCUMENTS))),
            int(rng.integers(0, 4)),
            " ".join(rng.choice(CODES, 3)),
            unit(int(rng.integers(10_000))),
            Facets(collection=str(rng.choice(["bank", "shop"])), lang=str(rng.choice(LANGS))),
        )


class OnMilvus(Changes):
    """Milvus Lite, which may be stopped and started again on its files."""

    index: MilvusIndex
    empty: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="states-", dir=FOLDER)
        self.uri = str(Path(self.folder.name) / "milvus.db")
        shutil.copytree(self.empty, self.uri)
        self.index = MilvusIndex(self.uri, DIMENSION)

    @rule()
    def restart(self) -> None:
        self.index.close()
        milvus.stop(self.uri)
        self.index = MilvusIndex(self.uri, DIMENSION)

    @rule(query=queries, k=st.integers(1, 30))
    def search_dense(self, query: Query, k: int) -> None:
        permitted = self.naive.permitted(query)
        wanted = {i: float(entry.vector @ query.vector) for i, entry in permitted.items()}
        self.best(k, self.index.search(query, k), wanted)

    def teardown(self) -> None:
        self.index.close()
        milvus.stop(self.uri)
        self.folder.cleanup()


def effort(n_examples: int) -> settings:
    """How often a machine runs: as named, or in full where the profile asks for it."""
    is_thorough = settings.get_current_profile_name() == "thorough"
    return settings(
        max_examples=300 if is_thorough else n_examples,
        stateful_step_count=40 if is_thorough else 25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@pytest.mark.timeout(3600)
class TestExact(Exact.TestCase):
    settings = effort(40)


@pytest.mark.timeout(3600)
class TestInLists(InLists.TestCase):
    settings = effort(40)


@pytest.fixture(scope="module")
def milvus_made_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The files of an empty collection, which takes more than a second to make."""
    with (
        milvus.served(tmp_path_factory.mktemp("milvus")) as uri,
        closing(MilvusIndex(uri, DIMENSION)),
    ):
        OnMilvus.empty = Path(uri)


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("milvus_made_once")
class TestOnMilvus(OnMilvus.TestCase):
    settings = effort(30)
