"""The saved generations of the index on this machine, and what joins them to the catalog."""

from __future__ import annotations

import shutil
import threading
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from assistant import telemetry
from assistant.errors import DependencyError
from assistant.retrieval.follower import Follower
from assistant.store import columns, feed, heads, lists
from assistant.store.database import Database
from assistant.store.feed import History
from indexes import rebuilt, saved
from indexes.device import Device
from indexes.hybrid import HybridIndex
from indexes.manifest import Facts, Manifest
from indexes.model import SearchIndexError
from indexes.snapshot import Role, Snapshot, SnapshotBusy, SnapshotMissing, Snapshots, State
from indexes.workplace import Workplace

_log = telemetry.logger(__name__)
_CLOSE_SHARE = 10
_KNOWN_SHARE = 0.95


class Outlived(SearchIndexError):
    """The index may hold words that were erased since."""


class Generations:
    """Starts an index from a saved generation where one can be trusted, and saves new ones.

    `save_every` is the number of changes after which a running process saves one in the
    background; 0 never does. A `device` searches a copy of the vectors. Close it at the end: the
    folder it works in goes with it.
    """

    def __init__(
        self, database: Database, folder: Path, save_every: int = 0, device: Device | None = None
    ) -> None:
        self.snapshots = Snapshots(folder)
        self._device = device
        self._database = database
        self._save_every = save_every
        self._workplace = Workplace(folder)
        self._saving = threading.Lock()
        self._thread: threading.Thread | None = None
        self._saved_at = 0
        self._refused = ""

    def start(self, embedder: str, dimension: int) -> Follower:
        """Return the index of a model's vectors, as of now.

        It comes from the current generation if that verifies and belongs to this database. If
        only its vectors or only its words are damaged, these come from the database, otherwise
        all does. Raises `StaleEmbeddings` as `Follower.refresh` does.
        """
        try:
            follower = self.opened("current", embedder)
            self._saved_at = follower.generation
        except SnapshotMissing:
            follower = self.empty(embedder, dimension)
        except Outlived as error:
            _log.info("index.snapshot_dropped", reason=str(error))
            self.snapshots.drop_all()
            follower = self.empty(embedder, dimension)
        except SearchIndexError as error:
            _log.warning("index.snapshot_refused", reason=str(error))
            self._refused = self._created_at()
            follower = self._repaired(embedder) or self.empty(embedder, dimension)
        with self._database.snapshot() as conn:
            follower.refresh(conn)
        follower.index.use(self._device)
        follower.index.mirror()
        return follower

    def empty(self, embedder: str, dimension: int) -> Follower:
        """Return an index that knows nothing yet."""
        index = HybridIndex(dimension, self._workplace.subfolder("words"))
        return Follower(index, embedder)

    def opened(self, role: Role, embedder: str | None = None) -> Follower:
        """Verify a generation and return the index in it, not yet refreshed.

        Raises `SearchIndexError` unless it is what was saved, of this model (of any, without a
        name) and from this database.
        """
        snapshot = self.snapshots.open(role)
        self._check(snapshot, embedder)
        index = saved.restored(snapshot.state, self._workplace.subfolder("words"))
        return _follower(snapshot, index)

    def save(self, follower: Follower, *, shadow: bool = False) -> Manifest:
        """Save what an index holds as a generation; searches wait only while it is copied.

        Raises `SnapshotBusy` while another process saves, `Outlived` if something was erased
        since the index was made, `SearchIndexError` if it can't be written.
        """
        with ExitStack() as stack:
            with follower.lock:
                generation, sources = follower.generation, sorted(follower.source_ids)
                n_erasures = follower.n_erasures
                state = stack.enter_context(saved.state_of(follower.index, self._workplace.folder))
                n, n_dead = saved.n_rows(follower.index)
            with self._database.snapshot() as conn:
                history = feed.history(conn)
                _check_erasures(conn, n_erasures)
            facts = Facts(generation, follower.embedder, follower.index.dimension, n, n_dead)
            joined = _with_history(state, history, sources, n_erasures)
            manifest = self.snapshots.publish(joined, facts, shadow=shadow)
        # An erasure that began after the first look has deleted what was there before.
        with self._database.snapshot() as conn:
            if heads.n_erasures(conn) > n_erasures:
                self.snapshots.drop_all()
            _check_erasures(conn, n_erasures)
        return manifest

    def keep(self, follower: Follower) -> None:
        """Fold, copy and save the index, in the background, if enough has changed."""
        n_changes = follower.generation - self._saved_at
        is_behind = 0 < self._save_every <= n_changes
        is_due = is_behind or follower.index.is_fold_due or follower.index.is_mirror_due
        is_due |= follower.must_forget
        if is_due and self._saving.acquire(blocking=False):
            self._thread = threading.Thread(target=self._tend, args=(follower,))
            self._thread.start()

    def forget(self, follower: Follower) -> None:
        """Make the index anew from the catalog, and delete the files that held erased words.

        Searches go on meanwhile; those under way end on the old index, which goes after the last.
        """
        fresh = self.empty(follower.embedder, follower.index.dimension)
        with self._database.snapshot() as conn:
            fresh.refresh(conn)
        fresh.index.use(self._device)
        old = follower.adopt(fresh)
        weakref.finalize(old, shutil.rmtree, saved.folder(old), ignore_errors=True)
        del old
        self.snapshots.drop_all()
        _log.info("index.forgotten", n_erasures=follower.n_erasures)

    def keep_lists(self, follower: Follower) -> None:
        """Store how the index groups its vectors, unless what is stored knows nearly as many."""
        found = rebuilt.grouping_of(follower.index)
        if found is None:
            return
        with self._database.begin() as conn:
            if lists.n_grouped(conn, follower.embedder) < _KNOWN_SHARE * len(found.chunk_ids):
                lists.put_grouping(conn, follower.embedder, found)

    def close(self, follower: Follower | None = None) -> None:
        """Save a last generation if that spares the next start some work, and let go of all."""
        if self._thread is not None:
            self._thread.join()
        if follower is not None:
            if self._save_every:
                self._save_if_behind(follower, self._save_every // _CLOSE_SHARE)
            follower.index.close()
        self._workplace.close()

    def _repaired(self, embedder: str) -> Follower | None:
        """Return the index of the current generation with its damaged part made anew, if one is."""
        try:
            snapshot = self.snapshots.intact()
            part = rebuilt.lost_part(snapshot)
            self._check(snapshot, embedder)
            dimension = snapshot.manifest.facts.dimension
            with self._database.snapshot() as conn:
                index = rebuilt.repaired(
                    snapshot.state,
                    part,
                    self._workplace.subfolder("words"),
                    (columns.vectors(conn, embedder, dimension), columns.texts(conn)),
                    lists.grouping(conn, embedder, dimension),
                )
        except SearchIndexError:
            return None
        _log.info("index.repaired", part=part)
        return _follower(snapshot, index)

    def _check(self, snapshot: Snapshot, embedder: str | None) -> None:
        """Refuse a generation of another model than this one, or of another database."""
        facts = snapshot.manifest.facts
        with self._database.snapshot() as conn:
            _check_erasures(conn, int(snapshot.state.tables.get("n_erasures", 0)))
        if embedder is not None and facts.embedder != embedder:
            raise SearchIndexError(
                f"The saved generation holds vectors of {facts.embedder}, the settings name "
                f"{embedder}: change `models.embedder` back, or run `assistant index build`."
            )
        with self._database.snapshot() as conn:
            _check_history(snapshot, heads.feed_head(conn), feed.history(conn))

    def _tend(self, follower: Follower) -> None:
        n_changes = self._save_every - 1
        try:
            if follower.must_forget:
                self._forget_or_retry(follower)
            if follower.index.is_fold_due:
                follower.index.fold()
                self._share_lists(follower)
                n_changes = 0
            follower.index.mirror()
            if self._save_every:
                self._save_if_behind(follower, n_changes)
        finally:
            self._saving.release()

    def _forget_or_retry(self, follower: Follower) -> None:
        """Forget now, or at the next change or look: what must be forgotten stays noted."""
        try:
            self.forget(follower)
        except (DependencyError, SearchIndexError) as error:
            _log.warning("index.not_forgotten", reason=str(error))

    def _share_lists(self, follower: Follower) -> None:
        try:
            self.keep_lists(follower)
        except DependencyError as error:
            _log.warning("index.lists_not_kept", reason=str(error))

    def _save_if_behind(self, follower: Follower, n_changes: int) -> None:
        generation = follower.generation
        try:
            if self._is_behind(follower, n_changes):
                self.save(follower)
        except SnapshotBusy:
            _log.info("index.snapshot_busy")
        except SearchIndexError as error:
            _log.warning("index.snapshot_failed", reason=str(error))
        self._saved_at = generation

    def _created_at(self) -> str:
        try:
            manifest = self.snapshots.manifest()
        except SearchIndexError:
            return ""
        return manifest.created_at if manifest is not None else ""

    def _is_behind(self, follower: Follower, n_changes: int) -> bool:
        """Tell whether the current generation, perhaps another process's, is far behind.

        One of another model was made current on purpose: only a swap or a rollback ends that.
        """
        try:
            newest = self.snapshots.manifest()
        except SearchIndexError:
            return True
        if newest is None:
            return follower.generation > 0
        if newest.facts.embedder != follower.embedder:
            return False
        if newest.created_at == self._refused:
            return True
        return follower.generation - newest.facts.generation > n_changes


def _follower(snapshot: Snapshot, index: HybridIndex) -> Follower:
    facts = snapshot.manifest.facts
    tables = snapshot.state.tables
    sources, n_erasures = frozenset(tables["source_ids"]), int(tables.get("n_erasures", 0))
    return Follower(index, facts.embedder, facts.generation, sources, n_erasures)


def _check_erasures(conn: Connection, n_known: int) -> None:
    if heads.n_erasures(conn) > n_known:
        raise Outlived("Something was erased since this index was made; it is made anew.")


def _with_history(state: State, history: History, sources: list[int], n_erasures: int) -> State:
    arrays: dict[str, NDArray[Any]] = {
        **state.arrays,
        "history_seqs": history.seqs,
        "history_times": history.times,
    }
    tables = {**state.tables, "source_ids": sources, "n_erasures": n_erasures}
    return State(arrays, tables, state.files)


def _check_history(snapshot: Snapshot, head: int, now: History) -> None:
    """Refuse a generation that another history of the database has left.

    What has not changed since the generation must have been just so when it was saved; all else
    the feed will bring.
    """
    generation, arrays = snapshot.manifest.facts.generation, snapshot.state.arrays
    seqs, times = arrays["history_seqs"], arrays["history_times"]
    n_old = int(np.searchsorted(now.seqs, generation, "right"))
    at = np.searchsorted(seqs, now.seqs[:n_old])
    is_known = at < len(seqs)
    at = at[is_known]
    if (
        generation > head
        or not is_known.all()
        or not np.array_equal(seqs[at], now.seqs[:n_old])
        or not np.array_equal(times[at], now.times[:n_old])
    ):
        raise SearchIndexError(
            "The generation was saved from another database, or from this one before a backup "
            "was restored: build the index again with `assistant index build`."
        )
