"""Devices: the test that each must pass, what becomes of those that break their word."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes import lists
from indexes.dense import Dense
from indexes.device import MAX_K, Device, DeviceFull, DeviceUnavailable, check
from indexes.gpu import compressed_bytes, flat_bytes
from indexes.model import AccessFilter, MetadataFilter
from indexes.selection import Selection
from tests.support.devices import Broken, Careless, Deaf, Failing, Stingy, Stray, on_cpu

DIMENSION = 32
N = 3_000
RNG = np.random.default_rng(5)
CENTRES = RNG.normal(size=(40, DIMENSION))
NEAR = CENTRES[RNG.integers(0, 40, N)] + 0.4 * RNG.normal(size=(N, DIMENSION))
VECTORS = (NEAR / np.linalg.norm(NEAR, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "N_WITHOUT", 100)
    monkeypatch.setattr("indexes.dense._N_EXACT", (0, 0))


def dense(device: Device | None) -> Dense:
    """All vectors, in two languages, copied to a device."""
    made = Dense(DIMENSION)
    made.use(device)
    langs = (np.arange(N) % 2).astype(np.int32)
    live = np.ones(N, np.bool_)
    made.append(VECTORS, langs)
    made.recentre(langs, live, 2)
    made.adopt(made.folded(live))
    copied(made)
    return made


def copied(made: Dense) -> None:
    if copy := made.mirroring():
        copy()
    assert made.mirroring() is None


def selected(mask: NDArray[np.bool_]) -> Selection:
    return Selection(AccessFilter(frozenset()), MetadataFilter(), mask, int(mask.sum()))


def share(of: float, n: int = N) -> Selection:
    return selected(np.random.default_rng(3).random(n) < of)


def best(made: Dense, selection: Selection, k: int, row: int = 7) -> list[int]:
    """The rows that are nearest by the scores of the CPU."""
    rows = np.flatnonzero(selection.mask)
    scores = made.scores(VECTORS[row], 0, rows)
    return sorted(rows[np.argsort(-scores, kind="stable")[:k]].tolist())


@pytest.mark.parametrize("n_a_sheet", [64, 1024, 4096])
def test_what_honours_filters_passes(n_a_sheet: int) -> None:
    check(on_cpu(n_a_sheet=n_a_sheet))
    check(Broken())


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        (Deaf(), "all but the best hundred, it returned 10 forbidden rows"),
        (Stingy(), "all but the best hundred, it returned 0 rows instead of 10"),
        (Careless(), "all rows, it returned others than the best"),
        (Stray(), "rows that don't exist"),
        (Failing(RuntimeError("cudaMalloc failed: out of memory")), "out of memory. Search on"),
        (Failing(MemoryError("std::bad_alloc")), "bad_alloc. Search on"),
        (on_cpu(room=1), "0.0 GB may be used"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_breaks_its_word_is_refused(device: Device, reason: str) -> None:
    with pytest.raises(DeviceUnavailable, match=reason):
        check(device)


@pytest.mark.parametrize("admitted", [1.0, 0.5, 0.1, 0.01])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_the_device_finds_what_the_cpu_scores_best(admitted: float, k: int) -> None:
    made, selection = dense(on_cpu(n_a_sheet=512)), share(admitted)
    rows, scores = made.search(VECTORS[7], 0, selection, k)
    assert sorted(rows.tolist()) == best(made, selection, k)
    assert (np.diff(scores) <= 0).all()
    assert scores.tolist() == made.scores(VECTORS[7], 0, rows).tolist()


def test_the_device_is_asked_only_for_many_rows_and_few_results() -> None:
    device = Broken()
    made = dense(device)
    made.n_exact = 100
    made.search(VECTORS[7], 0, selected(np.arange(N) < 100), 10)
    made.search(VECTORS[7], 0, share(1), MAX_K + 1)
    assert device.n_asked == 0
    made.search(VECTORS[7], 0, share(1), MAX_K)
    assert device.n_asked == 1


def test_rows_that_came_later_are_searched_on_the_cpu() -> None:
    device = Broken()
    made = dense(device)
    made.append(VECTORS[7:8], np.zeros(1, np.int32))
    rows, _ = made.search(VECTORS[7], 0, share(1, N + 1), 2)
    assert N in rows
    assert device.n_asked == 1
    later = np.arange(N + 1) == N
    assert made.search(VECTORS[7], 0, selected(later), 2)[0].tolist() == [N]


def test_a_copy_of_another_base_or_of_other_means_is_not_searched() -> None:
    device = Broken()
    made = dense(device)
    live = np.arange(N) % 3 > 0
    made.adopt(made.folded(live))
    made.search(VECTORS[7], 0, share(1, len(made)), 10)
    assert (device.n_asked, device.n_copies) == (0, 1)
    copied(made)
    made.search(VECTORS[7], 0, share(1, len(made)), 10)
    assert (device.n_asked, device.n_copies) == (1, 2)
    made.recentre(np.zeros(len(made), np.int32), np.ones(len(made), np.bool_), 1)
    assert made.mirroring()
    made.search(VECTORS[7], 0, share(1, len(made)), 10)
    assert device.n_asked == 1


@pytest.mark.parametrize("device", [Deaf(), Stray()], ids=["deaf", "stray"])
def test_a_forbidden_row_ends_the_use_of_a_device(
    device: Broken, caplog: pytest.LogCaptureFixture
) -> None:
    made, selection = dense(device), share(0.1)
    for _ in range(2):
        rows, _ = made.search(VECTORS[7], 0, selection, 10)
        assert len(rows) == 10
        assert selection.mask[rows].all()
    assert device.n_asked == 1
    assert (
        "A broken device: The filter forbids a row of it: the CPU searches from now on"
        in caplog.text
    )
    made.adopt(made.folded(np.ones(N, np.bool_)))
    assert made.mirroring() is None


def test_too_few_rows_send_one_question_to_the_cpu() -> None:
    device = Stingy()
    made, selection = dense(device), share(0.1)
    for n_asked in (1, 2):
        rows, _ = made.search(VECTORS[7], 0, selection, 10)
        assert len(rows) == 10
        assert selection.mask[rows].all()
        assert device.n_asked == n_asked


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), MemoryError("std::bad_alloc")])
def test_a_failing_device_is_tried_again_with_the_next_copy(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    device = Failing(error)
    made = dense(device)
    for _ in range(2):
        assert len(made.search(VECTORS[7], 0, share(0.5), 10)[0]) == 10
    assert device.n_asked == 1
    assert f"{error}. The CPU searches until the next copy." in caplog.text
    device.error = None
    made.adopt(made.folded(np.ones(N, np.bool_)))
    copied(made)
    made.search(VECTORS[7], 0, share(0.5), 10)
    assert device.n_asked == 2


def test_what_does_not_fit_is_searched_on_the_cpu(caplog: pytest.LogCaptureFixture) -> None:
    made = dense(on_cpu(room=N * compressed_bytes(DIMENSION) - 1))
    assert len(made.search(VECTORS[7], 0, share(0.5), 10)[0]) == 10
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "may be used: raise `index.device_memory_mb` or use a larger device. The CPU" in (
        caplog.text
    )


def test_codes_are_searched_where_only_they_fit() -> None:
    device = on_cpu(room=N * flat_bytes(DIMENSION) - 1)
    made = dense(device)
    n_right = 0
    for row in range(0, N, 100):
        for admitted in (1.0, 0.1):
            selection = share(admitted)
            rows, _ = made.search(VECTORS[row], int(row % 2), selection, 10)
            assert len(rows) == 10
            assert selection.mask[rows].all()
            scores = made.scores(VECTORS[row], int(row % 2), np.flatnonzero(selection.mask))
            bar = np.sort(scores)[-10]
            n_right += int((made.scores(VECTORS[row], int(row % 2), rows) >= bar).sum())
    assert n_right / 600 > 0.95


def test_codes_find_few_admitted_rows_too() -> None:
    copy = on_cpu(room=N * flat_bytes(DIMENSION) - 1).copied(
        lambda rows: VECTORS[rows], N, DIMENSION
    )
    mask = np.arange(N) % 500 == 0
    assert (
        sorted(copy.nearest(VECTORS[7], np.packbits(mask, bitorder="little"), 10).tolist())
        == np.flatnonzero(mask).tolist()
    )


def test_a_dimension_that_codes_can_not_take_is_refused() -> None:
    with pytest.raises(DeviceFull):
        on_cpu(room=90_000).copied(lambda rows: VECTORS[rows, :30], N, 30)


def test_several_threads_may_ask() -> None:
    made, selection = dense(on_cpu()), share(0.5)
    wanted = made.search(VECTORS[7], 0, selection, 10)[0].tolist()
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(made.search, VECTORS[7], 0, selection, 10) for _ in range(40)]
        assert all(task.result()[0].tolist() == wanted for task in tasks)
