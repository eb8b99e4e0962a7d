"""How much of a reference's text the readers find, by format.

    python -m benchmarks.parsing [FOLDER] [--json]

FOLDER (`../shared/data/parsing`) is searched for folders named `groundtruth`: a reference
`NAME.EXT.md` (or `NAME.md`) there belongs to `NAME.EXT` in the folder above. The reference of a
mail (`*.eml`) is a plain walk of Python's `email` package: subject, people, text and the names of
attachments.

Text recall is the share of the reference's words that the reading has, each word counted as often
as it occurs in both (multisets). Words are runs of letters and digits of the text in NFKC and
lower case. Of the reference, HTML comments, images, link targets, the lines of code fences, the
marks of task lists, escapes and HTML entities are removed or resolved first, then everything that
is no letter or digit separates words. Of the reading count the texts of all blocks, for tables
their cells instead, and the title only if it is a heading. Numbers of lists count on both sides.

Cell recall is the share of the non-empty cells of the reference's tables, as sequences of words,
that are cells of the reading's tables, again as multisets; where a reading joins several header
rows into one, a cell of these that is part of a column's name counts. A reference repeats a merged
cell because Markdown can't merge: in rows above a column of labels (they leave the first cell
empty) a cell repeated beside itself counts once. Each file counts the same in the mean of its
format. Exit code 1 if a format is below `TEXT` or `CELLS`.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import mails
from connectors.readers import ReadError, Sandbox
from connectors.readers.model import Block

TEXT = 0.95
CELLS = 0.9
FORMATS = {
    "asciidoc": "AsciiDoc",
    "csv": "CSV",
    "doc": "DOC",
    "docx": "DOCX",
    "eml": "EML",
    "epub": "EPUB",
    "html": "HTML",
    "htm": "HTML",
    "md": "Markdown",
    "msg": "MSG",
    "odp": "ODF",
    "ods": "ODF",
    "odt": "ODF",
    "pdf": "PDF",
    "ppt": "PPT",
    "pptx": "PPTX",
    "rtf": "RTF",
    "tsv": "CSV",
    "xls": "XLS",
    "xlsx": "XLSX",
    "xml": "XML",
}
_DROPPED = re.compile(r"<!--.*?-->|!\[[^\]]*\]\([^)]*\)", re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)")
_TASK = re.compile(r"(?:^|(?<=[-*|\s]))\[[ xX]\](?=\s)", re.MULTILINE)
_FENCE = re.compile(r"^\s*(```|~~~).*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~$&])")
_TAG = re.compile(r"</?(?:br|b|i|u|s|sub|sup|em|strong|table|tr|td|th|p|div|span)\b[^>]*>", re.I)
_WORD = re.compile(r"[^\W_]+")
_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")


@dataclass(frozen=True)
class Score:
    """One file's recall of text, and of cells where its reference has tables."""

    file: str
    format: str
    text: float
    cells: float | None
    seconds: float
    missing: list[str]
    error: str = ""


def pairs(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files below a folder that have a reference, each with its Markdown."""
    for reference in sorted(folder.rglob("groundtruth/*.md")):
        beside = reference.parent.parent
        named = beside / reference.name.removesuffix(".md")
        found = [named] if named.is_file() else sorted(beside.glob(f"{reference.stem}.*"))
        if found:
            yield found[0], reference.read_text("utf-8", errors="replace")
    for mail in sorted(folder.rglob("*.eml")):
        if (told := mails.reference(mail)) is not None:
            yield mail, told.replace("<", " ").replace("*", " ")


def words(text: str) -> list[str]:
    """The normalised words of a text, in order."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def plain(markdown: str) -> str:
    """Markdown without what only its syntax says."""
    text = _TASK.sub(" ", _FENCE.sub("", _DROPPED.sub(" ", markdown)))
    text = _LINK.sub(r"\1", _LINK.sub(r"\1", text))
    return _TAG.sub(" ", html.unescape(_ESCAPE.sub(r"\1", text)))


def cells(markdown: str) -> Counter[tuple[str, ...]]:
    """The cells of all tables that have words."""
    lines = _DROPPED.sub(" ", markdown).splitlines()
    ruled = [bool(_RULE.match(line)) and "-" in line and "|" in line for line in lines]
    found: Counter[tuple[str, ...]] = Counter()
    for i in (i for i, is_rule in enumerate(ruled) if is_rule and i):
        rows = [lines[i - 1]]
        for line in lines[i + 1 :]:
            if "|" not in line:
                break
            rows.append(line)
        for row in rows:
            parts = re.split(r"(?<!\\)\|", row.strip().removeprefix("|").removesuffix("|"))
            keys = [tuple(words(plain(part))) for part in parts]
            if not keys[0]:
                keys = [key for key, _ in groupby(keys)]
            found.update(key for key in keys if key)
    return found


def named(
    lost: Counter[tuple[str, ...]], names: Sequence[Sequence[str]]
) -> Counter[tuple[str, ...]]:
    """The cells that are part of a column's name, which joins the cells of several header rows."""
    joined = [f" {' '.join(name)} " for name in names]
    return Counter(
        {key: min(n, sum(f" {' '.join(key)} " in j for j in joined)) for key, n in lost.items()}
    )


def recall(wanted: Counter[Any], had: Counter[Any]) -> float:
    """The share of one multiset that another one holds; 1 if it is empty."""
    total = sum(wanted.values())
    return sum(min(n, had[key]) for key, n in wanted.items()) / total if total else 1.0


def score(path: Path, markdown: str, blocks: Sequence[Block], root: Path) -> Score:
    """Compare what a reader found in a file with its reference."""
    texts = [
        " ".join(cell for row in block.cells for cell in row) if block.cells else block.text
        for block in blocks
    ]
    had: Counter[Any] = Counter(words(" ".join(texts)))
    wanted = Counter(words(plain(markdown)))
    tables = [block.cells for block in blocks if block.cells]
    shown: Counter[Any] = Counter(tuple(words(c)) for t in tables for row in t for c in row)
    table = cells(markdown)
    shown.update(named(table - shown, [words(cell) for t in tables for cell in t[0]]))
    lost = [word for word, n in wanted.items() for _ in range(n - min(n, had[word]))]
    return Score(
        file=str(path.relative_to(root)),
        format=format_of(path),
        text=recall(wanted, had),
        cells=recall(table, shown) if table else None,
        seconds=0.0,
        missing=lost[:40],
    )


def format_of(path: Path) -> str:
    """The name of a file's format; its suffix where the table has none."""
    suffix = path.suffix.lstrip(".").lower()
    return FORMATS.get(suffix, suffix)


def measure(folder: Path) -> list[Score]:
    """Read every file that has a reference; one that can't be read has recall 0."""
    found = []
    with Sandbox() as sandbox:
        for path, reference in pairs(folder):
            start = time.perf_counter()
            try:
                blocks, error = sandbox.read(path).blocks, ""
            except ReadError as refused:
                blocks, error = (), str(refused)
            got = score(path, reference, blocks, folder)
            took = round(time.perf_counter() - start, 3)
            found.append(Score(**{**asdict(got), "seconds": took, "error": error}))
    return found


def means(scores: Sequence[Score]) -> dict[str, dict[str, float | int | None]]:
    """By format: files, mean text recall, and mean cell recall of the files with tables."""
    groups: dict[str, list[Score]] = defaultdict(list)
    for one in scores:
        groups[one.format].append(one)
    return {
        name: {
            "files": len(group),
            "text": sum(one.text for one in group) / len(group),
            "cells": _mean([one.cells for one in group if one.cells is not None]),
        }
        for name, group in sorted(groups.items())
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def main() -> int:
    """Print the table; 1 if a format is below its threshold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared/data/parsing"))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    scores = measure(args.folder)
    table = means(scores)
    if args.json:
        print(json.dumps({"formats": table, "files": [asdict(one) for one in scores]}, indent=1))
    else:
        _print(table, scores)
    return int(any((m["text"] or 0) < TEXT or (m["cells"] or 1) < CELLS for m in table.values()))


def _print(table: dict[str, dict[str, float | int | None]], scores: Sequence[Score]) -> None:
    print(f"{'format':10} {'files':>5} {'text':>6} {'cells':>6}")
    for name, m in table.items():
        shown = f"{m['cells']:.3f}" if m["cells"] is not None else "–"
        print(f"{name:10} {m['files']:5} {m['text']:6.3f} {shown:>6}")
    for one in scores:
        if one.text < TEXT or (one.cells or 1) < CELLS:
            shown = f"{one.cells:.3f}" if one.cells is not None else "–"
            said = one.error or " ".join(one.missing[:15])
            print(f"  {one.file}: text {one.text:.3f}, cells {shown}: {said}")


if __name__ == "__main__":
    sys.exit(main())
