"""Real files of other projects and real filings: read or refused with a cause, nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.readers import ReadError, Reading, read_file, reading_json, reading_of, sniff
from connectors.readers.child import read
from connectors.readers.source import Source

REFUSED = {
    "empty.eml": "empty",
    "empty.txt": "empty",
    "fake-encrypted.eml": "encrypted",
    "fake-encrypted.msg": "encrypted",
    "password.pdf": "encrypted",
    "picture.pptx": "empty",
}
UNSUPPORTED = {".doc", ".ppt"}


def outcome(path: Path, *, in_child: bool) -> Reading | str:
    try:
        return read_file(path) if in_child else read(Source(path, sniff(path), path.name))
    except ReadError as error:
        return error.cause


@pytest.mark.parametrize("origin", ["docling", "unstructured", "markitdown", "py-pdf"])
def test_files_of_other_projects(shared_data: Path, origin: str) -> None:
    files = [
        path
        for path in sorted((shared_data / "parsing" / origin).rglob("*"))
        if path.is_file() and "groundtruth" not in path.parts
    ]
    assert files
    for i, path in enumerate(files):
        # Starting a child costs more than most files do: every twelfth goes through one, and
        # empty files, which the parent refuses.
        result = outcome(path, in_child=i % 12 == 0 or not path.stat().st_size)
        if isinstance(result, Reading):
            assert path.name not in REFUSED, path
            assert result.blocks or result.warnings, path
            assert reading_of(json.loads(json.dumps(reading_json(result)))) == result
        else:
            is_known = path.suffix in UNSUPPORTED and result == "unsupported"
            assert is_known or REFUSED.get(path.name) == result, (path, result)


@pytest.mark.parametrize(
    ("name", "page", "row"),
    [
        (
            "2022 Q3 AAPL.pdf",
            4,
            "Net sales: Total net sales — Three Months Ended June 25, 2022: 82,959; "
            "Three Months Ended June 26, 2021: 81,434; Nine Months Ended June 25, 2022: 304,182; "
            "Nine Months Ended June 26, 2021: 282,457",
        ),
        (
            "2023 Q1 INTC.pdf",
            6,
            "Net revenue — Three Months Ended Apr 1, 2023: $11,715; "
            "Three Months Ended Apr 2, 2022: $18,353",
        ),
        (
            "2023 Q1 MSFT.pdf",
            3,
            "Revenue: Total revenue — Three Months Ended December 31, 2022: 52,747; "
            "Three Months Ended December 31, 2021: 51,728; "
            "Six Months Ended December 31, 2022: 102,869; "
            "Six Months Ended December 31, 2021: 97,045",
        ),
    ],
)
def test_rows_of_income_statements(shared_data: Path, name: str, page: int, row: str) -> None:
    path = shared_data / "finance_sec10q/docs" / name
    reading = read(Source(path, sniff(path), path.name))
    tables = [b for b in reading.blocks if b.kind == "table" and b.page == page]
    assert row in [line for table in tables for line in table.text.splitlines()]


def test_health_records(shared_data: Path) -> None:
    folder = shared_data / "raw/healthcare"
    for path in sorted([*folder.glob("fhir_bundles/*.json"), *folder.glob("fhir_r4*/*.json")]):
        reading = read(Source(path, sniff(path), path.name))
        assert reading.media_type == "application/fhir+json", path
        assert any(block.kind == "record" for block in reading.blocks), path
        assert reading.records, path
