"""Engines that are asked in turn, question by question, so that noise hits all alike."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

import numpy as np
import psutil

from benchmarks.access import Case


class Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of a command's description."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A search under test: `ask` takes the number of a question and returns ids, best first."""

    name: str
    ask: Callable[[int, Case], Sequence[int]]


@dataclass(slots=True)
class Run:
    """What an engine returned in one case, with the question's number, and how long that took.

    `first` are the seconds of questions asked after other engines have had the caches, `next` those
    of questions asked right afterwards. Every question is in each.
    """

    found: list[tuple[int, list[int]]] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    next: list[float] = field(default_factory=list)

    @property
    def spent(self) -> float:
        """All seconds together."""
        return sum(self.first) + sum(self.next)

    def ask(self, engine: Engine, i: int, case: Case, seconds: list[float]) -> None:
        """Ask a question and note how long it took."""
        start = perf_counter()
        found = engine.ask(i, case)
        seconds.append(perf_counter() - start)
        self.found.append((i, [int(row) for row in found]))


def asked(engines: Sequence[Engine], case: Case, n: int, budget: float) -> dict[str, Run]:
    """Ask `n` questions in rounds: each engine two of them, the engines in changing order.

    An engine that has used up `budget` seconds is asked no more.
    """
    for engine in engines:
        engine.ask(n - 1, case)
    runs = {engine.name: Run() for engine in engines}
    rng = np.random.default_rng(n)
    for i in range(n):
        for at in rng.permutation(len(engines)):
            run = runs[engines[at].name]
            if run.spent <= budget:
                run.ask(engines[at], i, case, run.first)
                run.ask(engines[at], (i + n // 2) % n, case, run.next)
    return runs


def milliseconds(seconds: Sequence[float], percentile: float = 50) -> float:
    """Return a percentile of some times."""
    return round(1000 * float(np.percentile(seconds, percentile)), 3)


def machine(*packages: str) -> dict[str, object]:
    """Return the machine's facts and the versions of these packages, those that are there."""
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "cpu": _cpu(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": versions,
    }


def printed(rows: Sequence[dict[str, object]]) -> None:
    """Print rows as a table in Markdown, numbers to the right."""
    names = list(rows[0])
    is_number = [isinstance(rows[0][name], int | float) for name in names]
    cells = [[_shown(row[name]) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    rule = ["-" * (w - 1) + (":" if n else "-") for w, n in zip(widths, is_number, strict=True)]
    for line in (names, rule, *cells):
        padded = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, is_number, strict=True)
        ]
        print("| " + " | ".join(padded) + " |")


def _shown(value: object) -> str:
    if isinstance(value, float):
        n_decimals = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1
        return f"{value:,.{n_decimals}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor()
    fields = [line.partition(":") for line in info.read_text().splitlines()]
    names = [value.strip() for name, _, value in fields if name.strip() == "model name"]
    flags = [value for name, _, value in fields if name.strip() == "flags"]
    extra = " with AVX-512" if flags and "avx512f" in flags[0] else ""
    return (names[0] if names else platform.machine()) + extra
