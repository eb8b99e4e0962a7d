"""Real files of hospitals: every record, counted by other means than the reader's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hl7  # type: ignore[import-untyped]
import pytest

from connectors.readers import Reading, read_file, sniff
from connectors.readers.child import read
from connectors.readers.source import Source


def readings(folder: Path) -> Iterator[tuple[Path, Reading]]:
    """Every file of a folder, read in this process; the first in a child as well."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    assert files
    for i, path in enumerate(files):
        reading = read(Source(path, sniff(path), path.name))
        if i == 0:
            assert read_file(path) == reading
        assert reading.blocks, path
        assert all(r.block is not None and r.block < len(reading.blocks) for r in reading.records)
        yield path, reading


def kinds(reading: Reading) -> Counter[str]:
    return Counter(record.kind for record in reading.records)


@pytest.fixture
def healthcare(shared_data: Path) -> Path:
    return shared_data / "raw" / "healthcare"


def test_every_segment_of_every_message_is_a_record(healthcare: Path) -> None:
    n_files = 0
    for path, reading in readings(healthcare / "hl7v2"):
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r")
        parsed = hl7.parse(text.strip())
        expected = Counter(str(segment[0]) for segment in parsed if str(segment).strip())
        found = kinds(reading)
        for segment, kind in [
            ("MSH", "message"),
            ("PID", "patient"),
            ("OBX", "observation"),
            ("NTE", "note"),
            ("ORC", "order"),
            ("OBR", "service_request"),
            ("PV1", "encounter"),
            ("RXA", "immunization"),
            ("PR1", "procedure"),
            ("SCH", "appointment"),
            ("TXA", "document"),
        ]:
            assert found[kind] == expected[segment], (path.name, segment)
        assert found["allergy_intolerance"] == expected["AL1"] + expected["IAM"], path.name
        assert found["condition"] == expected["DG1"] + expected["PRB"], path.name
        silent = sum(expected[name] for name in ("SFT", "RGS"))
        assert 0 <= sum(expected.values()) - silent - sum(found.values()) <= 1, path.name
        assert all(r.subject.startswith("patient:") for r in reading.records), path.name
        n_files += 1
    assert n_files == 50
