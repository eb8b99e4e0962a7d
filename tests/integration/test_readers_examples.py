"""The documents of the sample companies: nothing lost, every golden passage in one block."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest

from connectors.readers import Reading, read_file, sniff
from connectors.readers.child import read
from connectors.readers.model import Block
from connectors.readers.source import Source
from examples.generate import HERE, build


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sample companies' folders."""
    folder = tmp_path_factory.mktemp("companies")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def readings(companies: Path) -> dict[Path, Reading]:
    """Every document by its path, read in this process."""
    files = [p for p in sorted(companies.rglob("*")) if p.is_file() and p.suffix != ".toml"]
    return {p: read(Source(p, sniff(p), p.name)) for p in files}


def units(reading: Reading) -> Iterator[str]:
    """What a citation shows: a row of a table, a line of a record, else a whole block."""
    for block in reading.blocks:
        if block.kind != "table":
            yield block.text
        yield from block.text.splitlines() if block.kind in ("table", "record") else ()


def golden_passages() -> list[tuple[str, str, list[str]]]:
    questions: list[dict[str, Any]] = [
        json.loads(line)
        for path in sorted((HERE / "golden").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    return [
        (question["company"], passage["document"], passage["contains"])
        for question in questions
        for passage in question.get("gold", [])
    ]


def test_every_golden_passage_is_in_one_block(
    companies: Path, readings: dict[Path, Reading]
) -> None:
    passages = golden_passages()
    assert len(passages) > 50
    missing = [
        (company, document, parts)
        for company, document, parts in passages
        if not any(
            all(part in unit for part in parts)
            for unit in units(readings[companies / company / document])
        )
    ]
    assert missing == []


def words_of(blocks: list[Block]) -> Counter[str]:
    texts = [block.text for block in blocks]
    texts += [cell for block in blocks for row in block.cells or () for cell in row]
    return Counter(word.strip(";:") for text in texts for word in text.split())


def furniture(path: Path, page: int) -> Counter[str]:
    """The words that the generator prints around the text of each page."""
    document = pypdfium2.PdfDocument(path)
    about = f"{document.get_metadata_value('Author')} {document.get_metadata_value('Title')}"
    document.close()
    return Counter(f"{about} Page Página {page}".split())


def test_no_word_of_a_page_is_lost(readings: dict[Path, Reading]) -> None:
    files = [path for path in readings if path.suffix == ".pdf"]
    assert len(files) > 10
    for path in files:
        document = pypdfium2.PdfDocument(path)
        for number, page in enumerate(document, 1):
            raw = Counter(w.strip(";:") for w in page.get_textpage().get_text_range().split())
            shown = words_of([b for b in readings[path].blocks if b.page == number])
            assert not raw - shown - furniture(path, number), (path.name, number)
        document.close()


def test_running_headers_and_page_numbers_are_no_text(readings: dict[Path, Reading]) -> None:
    for path, reading in readings.items():
        if path.suffix == ".pdf":
            assert not [b for b in reading.blocks if b.text.startswith(("Page ", "Página "))], path


def test_each_row_of_a_table_has_its_box(readings: dict[Path, Reading]) -> None:
    tables = [
        block
        for path, reading in readings.items()
        for block in reading.blocks
        if block.cells is not None and path.suffix == ".pdf"
    ]
    assert len(tables) > 40
    for table in tables:
        assert len(table.boxes) == len(table.text.splitlines()), table.text
        tops = [y0 for _, y0, _, _ in table.boxes]
        assert tops == sorted(tops), table.text


@pytest.mark.parametrize(
    ("document", "row"),
    [
        (
            "annual-report-2025.pdf",
            "Net income — 1Q25: 296; 2Q25: 315; 3Q25: 327; 4Q25: 346",
        ),
        (
            "sepsis-protocol-2025.pdf",
            "Skin — First choice: Oxacillin + clindamycin; "
            "Dose: 2 g every 4 h + 600 mg every 6 h; Penicillin allergy: Vancomycin",
        ),
        (
            "protocolo-transfusao-2025.pdf",
            "Urticária isolada — Suspeita: Reação alérgica leve; "
            "Conduta imediata: Pausar, anti-histamínico",
        ),
        ("manual-prensa-pr-07.pdf", "Força nominal — Valor: 400 t; Observação: com 240 bar"),
        (
            "manual-fm-500.pdf",
            "Red light stays on — Meaning: overload; Remedy: release",
        ),
        ("manual-p-101.pdf", "Check coupling insert — Interval: every 3 months; Trade: mechanic"),
    ],
)
def test_rows_that_were_once_misread(
    readings: dict[Path, Reading], document: str, row: str
) -> None:
    (reading,) = (r for path, r in readings.items() if path.name == document)
    rows = [line for b in reading.blocks if b.kind == "table" for line in b.text.splitlines()]
    assert any(line.startswith(row) for line in rows)


def test_bullets_are_no_table(readings: dict[Path, Reading]) -> None:
    (report,) = (r for path, r in readings.items() if path.name == "annual-report-2025.pdf")
    (calendar,) = (b for b in report.blocks if b.heading[-1:] == ("6.3 Calendar",))
    assert calendar.kind == "list"
    assert calendar.text.splitlines()[1] == "• First quarter results: 7 May 2026"


def test_the_child_reads_the_same(readings: dict[Path, Reading]) -> None:
    by_suffix = {path.suffix: path for path in readings}
    assert len(by_suffix) >= 6
    for path in by_suffix.values():
        assert read_file(path) == readings[path]
