"""How much of other projects' reference texts the readers find, by format."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from benchmarks.mails import reference
from benchmarks.parsing import CELLS, FORMATS, TEXT, Score, cells, means, measure, plain, words


@pytest.fixture(scope="module")
def scores(shared_data: Path) -> list[Score]:
    found = measure(shared_data / "parsing")
    assert len(found) > 40
    return found


@pytest.mark.parametrize("name", sorted({*FORMATS.values()} - {"DOC", "MSG", "PPT", "RTF"}))
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


def test_a_merged_cell_above_labels_counts_once() -> None:
    table = "|  | 2025 | 2025 |\n|-|-|-|\n| Sales | 5 | 5 |"
    assert cells(table) == {("2025",): 1, ("sales",): 1, ("5",): 2}


def test_the_reference_of_a_mail_has_the_plain_text_and_what_is_attached(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Prazo"
    message.set_content("Trinta dias.")
    message.add_alternative("<p>Trinta dias em HTML.</p>", subtype="html")
    message.add_attachment("sem juros", filename="nota.txt")
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    told = reference(tmp_path / "a.eml")
    assert told is not None
    assert words(told) == words("Prazo Trinta dias. nota.txt sem juros")
    (tmp_path / "b.eml").write_bytes(b"\n\n")
    assert reference(tmp_path / "b.eml") is None
