"""A second look at a source fetches, reads and embeds nothing, whoever may read it now."""

from __future__ import annotations

from pathlib import Path

from benchmarks import resync
from benchmarks.resync import Work


def test_an_unchanged_source_and_other_readers_cost_no_reading(tmp_path: Path) -> None:
    unchanged, revoked = resync.measured(tmp_path, 2_500)
    assert unchanged.counts == {**dict.fromkeys(unchanged.counts, 0), **of(2_500, 0)}
    assert revoked.counts == {**dict.fromkeys(revoked.counts, 0), **of(2_500, 1_000)}
    assert unchanged.work == revoked.work == Work(fetched=0, read=0, embedded=0)


def of(n: int, n_revoked: int) -> dict[str, int]:
    return {"listed": n, "unchanged": n - n_revoked, "access_changed": n_revoked}
