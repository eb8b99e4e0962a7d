"""A picture shows every engine of a report, and every size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import growth, plots
from benchmarks.access import CASES
from benchmarks.plans import PLAN


def test_each_engine_is_a_line_in_both_panels(tmp_path: Path) -> None:
    engines = (PLAN, "another")
    rows = [
        {"engine": name, "may read": str(case), "recall": 0.5, "p50 ms": 1.0 + i}
        for i, name in enumerate(engines)
        for case in CASES
    ]
    report = {"corpus": "made up", "n": 1000, "load_seconds": {}, "rows": rows}
    figure = plots.drawn(report)
    for panel in figure.axes:
        assert [line.get_label() for line in panel.lines] == list(engines)
        assert all(np.size(line.get_xdata()) == len(CASES) for line in panel.lines)
    figure.savefig(tmp_path / "it.png")
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG")
    assert len(plots.drawn(report, [PLAN]).axes[0].lines) == 1


def test_growth_is_drawn_from_its_own_figures() -> None:
    rows = [growth.measured(n, 2) for n in (500, 1000)]
    time, memory = plots.drawn({"rows": rows}).axes
    assert [line.get_label() for line in time.lines] == ["vectors", "words", "both"]
    assert np.asarray(memory.lines[0].get_xdata()).tolist() == [500, 1000]
