"""What one process commits, the next search of another process knows."""

from __future__ import annotations

from pathlib import Path

from benchmarks.revocation import run


def test_no_search_is_behind_a_commit(tmp_path: Path) -> None:
    found = run(tmp_path, n_operations=150, n_documents=60)
    assert found["operations"] == 150
    assert found["differences"] == 0
    assert all(found["ms"][kind]["p50"] > 0 for kind in ("allow", "delete", "write"))
