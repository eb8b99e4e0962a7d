"""How much of other projects' reference texts the readers find, by format."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.parsing import CELLS, TEXT, Score, cells, means, measure, plain, words


@pytest.fixture(scope="module")
def scores(shared_data: Path) -> list[Score]:
    found = measure(shared_data / "parsing")
    assert len(found) > 40
    return found


@pytest.mark.parametrize(
    "name", ["AsciiDoc", "CSV", "DOCX", "EPUB", "HTML", "Markdown", "ODF", "PDF", "PPTX", "XLSX"]
)
def test_recall_by_format(scores: list[Score], name: str) -> None:
    mean = means(scores)[name]
    assert mean["text"] is not None
    assert mean["text"] >= TEXT - 0.05 * (name == "AsciiDoc")  # its reference lists attributes
    assert mean["cells"] is None or mean["cells"] >= CELLS


def test_what_counts_as_a_word() -> None:
    marked = "# A *b* `c_d` [link](http://x.y/z) ![pic](a.png) <!-- no --> &amp; 1,5"
    assert words(plain(marked)) == ["a", "b", "c", "d", "link", "1", "5"]
    assert words(plain("- [x] Done\n```python\nx = 1\n```")) == ["done", "x", "1"]


def test_what_counts_as_a_cell() -> None:
    table = "text | no table\n\n| A | B \\| C |\n|---|:-:|\n| 1 |  |\n| **x y** | 2 |\n\nafter | it"
    assert sorted(cells(table)) == [("1",), ("2",), ("a",), ("b", "c"), ("x", "y")]
