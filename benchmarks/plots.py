"""Pictures of what benchmarks measured, from the JSON they print.

    python -m benchmarks.filtered_search --rivals ... --json > found.json
    python -m benchmarks.plots found.json found.png

A report of `benchmarks.filtered_search` becomes two panels, recall and milliseconds for callers who
may read ever less; one of `benchmarks.growth` becomes time and memory against the number of chunks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plans import PLAN
from benchmarks.rounds import Plain

OWN, OTHERS = "#0b6e4f", ("#c1666b", "#4f6d9a", "#d4a017", "#8a5a83", "#7f7f7f", "#2a9d8f")
GROWING = ("vectors, 100 %, p50 ms", "words, 100 %, p50 ms", "both, 100 %, p50 ms")
MEMORY = "memory, bytes a chunk"


def main() -> int:
    """Draw one picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Plain)
    parser.add_argument("report", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--engines", nargs="+", help="only these, by the names in the report")
    chosen = parser.parse_args()
    report = json.loads(chosen.report.read_text(encoding="utf-8"))
    drawn(report, chosen.engines).savefig(chosen.picture, dpi=130)
    return 0


def drawn(report: dict[str, Any], engines: Iterable[str] | None = None) -> Figure:
    """Return the picture of a report."""
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    if "load_seconds" in report:
        return _filtered(report, engines)
    return _growth(report["rows"])


def _filtered(report: dict[str, Any], engines: Iterable[str] | None) -> Figure:
    rows = report["rows"]
    names = list(engines or dict.fromkeys(row["engine"] for row in rows))
    callers = list(dict.fromkeys(row["may read"] for row in rows))
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    recall, time = figure.subplots(2, 1, sharex=True)
    others = ((color, dashes) for dashes in ("-", "--", ":") for color in OTHERS)
    for name in names:
        own = {row["may read"]: row for row in rows if row["engine"] == name}
        color, dashes = (OWN, "-") if name == PLAN else next(others)
        style = {"label": name, "color": color, "linestyle": dashes, "marker": "o"}
        style |= {"markersize": 4, "linewidth": 2.4 if name == PLAN else 1.2}
        for panel, figure_name in ((recall, "recall"), (time, "p50 ms")):
            panel.plot(callers, [own[caller][figure_name] for caller in callers], **style)
    recall.set_ylim(-0.03, 1.03)
    recall.set_ylabel("recall@10")
    size = f"{report['n']:,}"
    recall.set_title(f"{report['corpus'].removesuffix(size).strip()}, {size} vectors")
    time.set_yscale("log")
    time.tick_params(axis="x", rotation=30)
    time.set_ylabel("p50, ms")
    time.set_xlabel("share of the documents that the caller may read (t: whole topics)")
    figure.legend(
        *recall.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def _growth(rows: list[dict[str, Any]]) -> Figure:
    sizes = [row["chunks"] for row in rows]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    time, memory = figure.subplots(1, 2)
    for name, color in zip(GROWING, (OWN, *OTHERS), strict=False):
        time.plot(sizes, [row[name] for row in rows], "o-", color=color, label=name.split(",")[0])
    time.set_ylabel("a search, p50 ms")
    time.legend(frameon=False)
    memory.plot(sizes, [row[MEMORY] for row in rows], "o-", color=OWN)
    memory.set_ylabel("memory, bytes a chunk")
    for panel in (time, memory):
        _scaled(panel)
    return figure


def _scaled(panel: Axes) -> None:
    panel.set_xscale("log")
    panel.set_xlabel("chunks")
    panel.set_ylim(bottom=0)


if __name__ == "__main__":
    sys.exit(main())
