"""Damaged files of clinics and factories: read or refused with a cause, never a crash."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.readers import ReadError, reading_json, reading_of, sniff
from connectors.readers.child import read
from connectors.readers.source import Source

ODD: list[Any] = [None, True, -1, 1e300, "", "x", [], {}, [{}], [[]], {"value": {}}, ["a", 1, None]]


def is_contained(path: Path) -> bool:
    """Whether a file is read, or refused; anything else that is raised fails the test."""
    try:
        reading = read(Source(path, sniff(path), path.name))
    except ReadError as error:
        return bool(error.cause and str(error))
    n_blocks = len(reading.blocks)
    assert all(r.block is None or r.block < n_blocks for r in reading.records)
    return reading_of(json.loads(json.dumps(reading_json(reading)))) == reading


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON value that can be replaced: its holder and its key."""
    found: list[tuple[Any, Any]] = []
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        found += [(value, key), *places(value[key])]
    return found


@pytest.mark.parametrize(
    "name",
    [
        "healthcare/hl7v2/VXU-V04-01.hl7",
        "healthcare/ccda/Patient-1.ccda",
        "manufacturing/aas/ExampleV3.aasx",
        "manufacturing/mtconnect/NoNamespace.xml",
        "manufacturing/work_orders/excavator_work_orders.csv",
    ],
)
def test_damaged_bytes(shared_data: Path, tmp_path: Path, name: str) -> None:
    whole = (shared_data / "raw" / name).read_bytes()
    chance = random.Random(name)
    path = tmp_path / Path(name).name
    for _ in range(12):
        data = bytearray(whole)
        start = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                del data[start:]
            case 1:
                del data[start : start + chance.randrange(1, 200)]
            case 2:
                data[start] = chance.randrange(256)
        path.write_bytes(bytes(data) or b"x")
        assert is_contained(path)


@pytest.mark.parametrize(
    "name",
    [
        "healthcare/fhir_r4_examples/Observation-example-genetics-1.json",
        "healthcare/fhir_r4_examples/Patient-example.json",
        "manufacturing/aas/IDTA_02006-3-0-1_Template_Digital_Nameplate.json",
    ],
)
def test_odd_values(shared_data: Path, tmp_path: Path, name: str) -> None:
    whole = json.loads((shared_data / "raw" / name).read_text("utf-8"))
    chance = random.Random(name)
    path = tmp_path / Path(name).name
    for _ in range(25):
        value = copy.deepcopy(whole)
        for _ in range(5):
            holder, key = chance.choice(places(value))
            holder[key] = copy.deepcopy(chance.choice(ODD))
        path.write_text(json.dumps(value))
        assert is_contained(path)


@pytest.mark.parametrize(
    "name",
    [
        "healthcare/ccda/Patient-1.ccda",
        "manufacturing/mtconnect/solid_model.xml",
        "manufacturing/mtconnect/NoNamespace.xml",
    ],
)
def test_odd_elements(shared_data: Path, tmp_path: Path, name: str) -> None:
    whole = etree.parse(str(shared_data / "raw" / name)).getroot()
    chance = random.Random(name)
    path = tmp_path / Path(name).name
    for _ in range(12):
        root = copy.deepcopy(whole)
        for _ in range(5):
            inner = [e for e in root.iter() if isinstance(e.tag, str) and e is not root]
            one = chance.choice(inner)
            match chance.randrange(4):
                case 0:
                    one.clear()
                case 1:
                    one.tag = chance.choice(inner).tag
                case 2:
                    one.append(copy.deepcopy(chance.choice(inner)))
                case 3:
                    one.text = chance.choice(["", "x", "9" * 40, "2024-13-45"])
        path.write_bytes(etree.tostring(root))
        assert is_contained(path)
