"""Any series of changes, compactions, saves, crashes and restarts, against an oracle.

Short by default. All three hundred series of forty steps: `python -m pytest
--hypothesis-profile=thorough tests/unit/indexes/test_index_states.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from itertools import count, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.typing import NDArray

from indexes import saved
from indexes.hybrid import HybridIndex
from indexes.manifest import Facts
from indexes.milvus import MilvusIndex
from indexes.model import AccessFilter, Entry, Facets, Hit, MetadataFilter, Query
from indexes.snapshot import Snapshots
from tests.support import milvus
from tests.support.devices import on_cpu
from tests.support.naive_index import DIMENSION, NaiveIndex, ids, shared, unit

CODES = ("k10", "k20", "m30", "x77", "2023")
LANGS = ("en", "pt", "")
DOCUMENTS = "abcdef"
MANY = 1000

# Thousands of files are written durably: what a disk would add is only time.
MEMORY = Path("/dev/shm")
FOLDER = MEMORY if MEMORY.is_dir() else None

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
# Few filters, so that they come again: what is kept of them must have followed the changes.
ACCESS = [AccessFilter(frozenset(own)) for own in ((1, 2, 3), (1,), (2, 3), (4,), ())]
METADATA = [
    MetadataFilter(),
    MetadataFilter(collections=frozenset({"bank"})),
    MetadataFilter(langs=frozenset({"pt", ""}), until=date(2025, 1, 3)),
    MetadataFilter(collections=frozenset({"shop"}), since=date(2025, 1, 2)),
]
ks = st.integers(1, 30) | st.just(MANY)
vectors = st.integers(0, 10_000).map(unit)
queries = st.builds(
    Query,
    text=st.lists(st.sampled_from([*CODES, "the", "não"]), max_size=4).map(" ".join),
    vector=vectors,
    lang=st.sampled_from([*LANGS, "de"]),
    access=st.sampled_from(ACCESS),
    metadata=st.sampled_from(METADATA),
)


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


def alive(naive: NaiveIndex) -> dict[int, int]:
    """The chunks of the oracle, and who may read each."""
    return {i: entry.access_id for i, entry in naive.entries.items()}


def contents(index: HybridIndex) -> dict[int, int]:
    """The same of an index; no chunk may be there twice."""
    found, access = saved.contents(index)
    assert len(set(found.tolist())) == len(found)
    return dict(zip(found.tolist(), access.tolist(), strict=True))


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

    @initialize(seed=st.integers(0, 9))
    def start(self, seed: int) -> None:
        self.change("add", list(filled(range(26), seed)))

    @rule(batch=batches)
    def add(self, batch: list[Entry]) -> None:
        self.change("add", batch)

    @rule(names=st.lists(documents, max_size=2))
    def delete(self, names: list[str]) -> None:
        self.change("delete", names)

    @rule(document=documents, access_id=st.integers(0, 3))
    def set_access(self, document: str, access_id: int) -> None:
        self.change("set_access", document, access_id)

    @rule(query=queries, k=ks)
    def search(self, query: Query, k: int) -> None:
        self.asked(query, k)

    @rule(vector=vectors, lang=st.sampled_from(LANGS), k=ks)
    def search_for_everybody(self, vector: NDArray[np.float32], lang: str, k: int) -> None:
        for access, metadata in product(ACCESS, METADATA):
            self.asked(Query(" ".join(CODES), vector, lang, access, metadata), k)

    def asked(self, query: Query, k: int) -> None:
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
        self.published: dict[int, int] = {}
        self.index = HybridIndex(DIMENSION, self.new_folder())

    def new_folder(self) -> Path:
        folder = next(self.work)
        folder.mkdir()
        return folder

    @rule()
    def fold(self) -> None:
        self.index.fold()

    @rule(batch=batches, names=st.lists(documents, max_size=1), access_id=st.integers(0, 3))
    def publish(self, batch: list[Entry], names: list[str], access_id: int) -> None:
        """Save what there is; changes that come meanwhile are not part of it."""
        with saved.state_of(self.index, self.root) as state:
            self.n_published, self.published = len(self.log), alive(self.naive)
            self.change("delete", names)
            self.change("set_access", "a", access_id)
            self.change("add", batch)
            facts = Facts(self.n_published, "model@1", DIMENSION, len(self.published))
            self.snapshots.publish(state, facts)

    @rule()
    def crash(self) -> None:
        """Lose all that the last generation lacks: nothing is closed or committed."""
        del self.index
        if self.n_published is None:
            self.index = HybridIndex(DIMENSION, self.new_folder())
        else:
            state = self.snapshots.open().state
            self.index = saved.restored(state, self.new_folder())
            assert contents(self.index) == self.published
        for name, args in self.log[self.n_published or 0 :]:
            getattr(self.index, name)(*args)

    def asked(self, query: Query, k: int) -> None:
        super().asked(query, k)
        self.sound(query, k, self.index.search_dense(query, k))
        wanted = {i for i, e in self.naive.permitted(query).items() if shared(query, e)}
        assert ids(self.index.search_lexical(query, MANY)) == wanted

    @invariant()
    def the_same_chunks_are_alive(self) -> None:
        assert contents(self.index) == alive(self.naive)

    def teardown(self) -> None:
        self.index.close()
        self.folder.cleanup()


class Exact(OfHybrid):
    """Few chunks: the vectors that are found are the nearest."""

    def asked(self, query: Query, k: int) -> None:
        super().asked(query, k)
        question = self.centred(query.vector, query.lang)
        wanted = {
            i: float(self.centred(entry.vector, entry.facets.lang) @ question)
            for i, entry in self.naive.permitted(query).items()
        }
        self.best(k, self.index.search_dense(query, k), wanted)

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

    @initialize(n=st.integers(100, 300), seed=st.integers(0, 9))
    def start_with_lists(self, n: int, seed: int) -> None:
        self.change("add", list(filled(range(n), seed)))
        self.index.fold()

    @rule(first=st.integers(0, 300), n=st.integers(50, 200), seed=st.integers(0, 9))
    def fill(self, first: int, n: int, seed: int) -> None:
        self.change("add", list(filled(range(first, first + n), seed)))

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


class OnDevice(Exact, InLists):
    """A device searches the lists' rows: what is found are the nearest again."""

    def __init__(self) -> None:
        super().__init__()
        self.patch.setattr("indexes.dense._N_EXACT", (0, 0))
        self.mirrored: HybridIndex | None = None

    @rule()
    def mirror(self) -> None:
        if self.index is not self.mirrored:  # it died meanwhile
            self.index.use(on_cpu())
            self.mirrored = self.index
        self.index.mirror()

    def asked(self, query: Query, k: int) -> None:
        self.mirror()
        super().asked(query, k)


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

    def asked(self, query: Query, k: int) -> None:
        super().asked(query, k)
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


@pytest.fixture(scope="module")
def milvus_made_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The files of an empty collection, which takes more than a second to make."""
    with (
        milvus.served(tmp_path_factory.mktemp("milvus")) as uri,
        closing(MilvusIndex(uri, DIMENSION)),
    ):
        OnMilvus.empty = Path(uri)


pytestmark = [pytest.mark.timeout(3600), pytest.mark.usefixtures("milvus_made_once")]

Exact.TestCase.settings = effort(30)
InLists.TestCase.settings = effort(30)
OnDevice.TestCase.settings = effort(30)
OnMilvus.TestCase.settings = effort(20)
TestExact, TestInLists = Exact.TestCase, InLists.TestCase
TestOnDevice, TestOnMilvus = OnDevice.TestCase, OnMilvus.TestCase
