from __future__ import annotations

from pathlib import Path

from benchmarks.lexical import CASES, OURS, measured


def test_no_engine_shows_what_may_not_be_read(tmp_path: Path) -> None:
    report = measured(2000, 4, 60, tmp_path)
    assert len({row["engine"] for row in report["rows"]}) >= 3
    assert {row["may read"] for row in report["rows"]} == {str(case) for case in CASES}
    assert [row["forbidden"] for row in report["rows"]] == [0] * len(report["rows"])
    assert all(row["short"] == 0 for row in report["rows"] if row["engine"] == OURS)
