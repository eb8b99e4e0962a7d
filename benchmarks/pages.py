"""How many pages of PDF files the reader reads in a second of CPU time, with boxes and tables.

    python -m benchmarks.pages [FOLDER] [--rounds 2]

FOLDER (`../shared/data/finance_sec10q/docs`) holds PDF files; each is read in this process by the
reader alone, and its best round counts. Exit code 1 if the whole, or any file of at least
`LEAST_PAGES` pages, is slower than `PAGES_A_SECOND`.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]

from connectors.readers import sniff
from connectors.readers.child import read
from connectors.readers.source import Source

PAGES_A_SECOND = 50
LEAST_PAGES = 20


@dataclass(frozen=True)
class Pace:
    """The CPU seconds that a file took."""

    name: str
    n_pages: int
    seconds: float

    @property
    def pages_a_second(self) -> float:
        """How fast it was read."""
        return self.n_pages / self.seconds


def pace(path: Path, n_rounds: int) -> Pace:
    """Read a file so many times."""
    with pypdfium2.PdfDocument(path) as document:
        n_pages = len(document)
    seconds = []
    for _ in range(n_rounds):
        start = time.process_time()
        read(Source(path, sniff(path), path.name))
        seconds.append(time.process_time() - start)
    return Pace(path.name, n_pages, min(seconds))


def main() -> int:
    """Print the table, slowest file first; 1 if it is too slow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    folder = Path("../shared/data/finance_sec10q/docs")
    parser.add_argument("folder", nargs="?", type=Path, default=folder)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    paces = [pace(path, args.rounds) for path in sorted(args.folder.glob("*.pdf"))]
    if not paces:
        parser.error(f"There is no PDF file in {args.folder}.")
    paces.sort(key=lambda one: one.pages_a_second)
    whole = Pace("all", sum(p.n_pages for p in paces), sum(p.seconds for p in paces))
    print(f"{'pages':>6} {'CPU s':>7} {'pages/s':>8}  file")
    for one in [*paces, whole]:
        print(f"{one.n_pages:6} {one.seconds:7.2f} {one.pages_a_second:8.1f}  {one.name}")
    large = [one for one in paces if one.n_pages >= LEAST_PAGES]
    return int(any(one.pages_a_second < PAGES_A_SECOND for one in [*large, whole]))


if __name__ == "__main__":
    sys.exit(main())
