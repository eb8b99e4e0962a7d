"""Real files of factories: every record, counted by other means than the reader's."""

from __future__ import annotations

import csv
import json
import re
import statistics
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from basyx.aas.adapter.json import read_aas_json_file
from lxml import etree

from connectors.readers import Reading, read_file, sniff
from connectors.readers.child import read
from connectors.readers.record import Quantity
from connectors.readers.source import Source


@pytest.fixture
def manufacturing(shared_data: Path) -> Path:
    return shared_data / "raw" / "manufacturing"


def readings(folder: Path, pattern: str = "*") -> Iterator[tuple[Path, Reading]]:
    """Every file of a folder, read in this process; the first in a child as well."""
    files = sorted(folder.glob(pattern))
    assert files
    for i, path in enumerate(files):
        reading = read(Source(path, sniff(path), path.name))
        if i == 0:
            assert read_file(path) == reading
        assert all(r.block is not None and r.block < len(reading.blocks) for r in reading.records)
        yield path, reading


def kinds(reading: Reading) -> Counter[str]:
    return Counter(record.kind for record in reading.records)


ELEMENTS = (
    "property|multiLanguageProperty|submodelElementCollection|submodelElementList|file|range|blob"
    "|referenceElement|relationshipElement|annotatedRelationshipElement|entity|operation|capability"
)


def written_models(value: Any) -> Iterator[str]:
    """The model types anywhere in a JSON value."""
    if isinstance(value, dict):
        if "idShort" in value or "id" in value or "semanticId" in value:
            yield from [value["modelType"]] if "modelType" in value else []
        for inner in value.values():
            yield from written_models(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from written_models(inner)


def test_every_element_of_every_shell_is_a_record(manufacturing: Path) -> None:
    n_files = n_units = 0
    for path, reading in readings(manufacturing / "aas"):
        if path.suffix == ".json":
            expected = Counter(written_models(json.loads(path.read_text("utf-8"))))
        else:
            with zipfile.ZipFile(path) as archive:
                part = next(n for n in archive.namelist() if re.search(r"(aas|data)\.xml$", n))
                text = archive.read(part).decode("utf-8-sig")
            names = f"{ELEMENTS}|submodel|assetAdministrationShell|conceptDescription"
            found = re.findall(rf"<({names})>", text)
            expected = Counter(name[0].upper() + name[1:] for name in found)
        told = kinds(reading)
        for model, kind in [
            ("AssetAdministrationShell", "asset"),
            ("Submodel", "submodel"),
            ("ConceptDescription", "concept"),
            *(
                (m[0].upper() + m[1:], re.sub(r"([A-Z])", r"_\1", m).lower())
                for m in ELEMENTS.split("|")
            ),
        ]:
            assert told[kind] == expected[model], (path.name, model)
        semantic = [r for r in reading.records if r.values.get("semantic_id")]
        assert semantic, path.name
        n_units += sum("unit" in record.values for record in reading.records)
        assert all(r.subject.startswith("asset:") for r in reading.records if r.kind == "property")
        n_files += 1
    assert n_files == 17
    assert n_units > 10


def test_shells_agree_with_the_basyx_library(manufacturing: Path) -> None:
    path = manufacturing / "aas" / "IDTA_02006-3-0-1_Template_Digital_Nameplate.json"
    store = read_aas_json_file(str(path), failsafe=True)
    (submodel,) = (one for one in store if type(one).__name__ == "Submodel")

    def walk(elements: Any, above: str = "") -> Iterator[tuple[str, Any]]:
        for n, one in enumerate(elements):
            short = one.id_short or ""
            is_generated = not short or short.startswith("generated_submodel_list_hack_")
            key = f"{above}[{n}]" if is_generated else f"{above}.{short}".strip(".")
            if type(one).__name__ == "Property":
                yield key, one
            if type(one).__name__ in ("SubmodelElementCollection", "SubmodelElementList"):
                yield from walk(one.value, key)

    theirs = {key: str(one.value or "") for key, one in walk(submodel.submodel_element)}
    reading = read(Source(path, sniff(path), path.name))
    ours = {
        str(r.values["path"]): str(r.values.get("value", ""))
        for r in reading.records
        if r.kind == "property"
    }
    assert ours == theirs


def test_every_node_of_an_information_model_is_a_record(manufacturing: Path) -> None:
    ((path, reading),) = readings(manufacturing / "opcua")
    text = path.read_text("utf-8")
    told = kinds(reading)
    for name, kind in [
        ("Object", "object"),
        ("Variable", "variable"),
        ("Method", "method"),
        ("ObjectType", "object_type"),
        ("VariableType", "variable_type"),
        ("DataType", "data_type"),
        ("ReferenceType", "reference_type"),
    ]:
        assert told[kind] == len(re.findall(rf"<UA{name} ", text)) > 0, name
    assert not reading.warnings
    ids = {record.id for record in reading.records if record.kind != "model"}
    written = re.findall(r'<UA\w+ NodeId="ns=1;([^"]+)"', text)
    assert ids == {f"nsu=http://opcfoundation.org/UA/Scales;{number}" for number in written}
    described = re.findall(r"<Description[^>]*>([^<]+)</Description>", text)
    whole = "\n".join(block.text for block in reading.blocks)
    missing = [d for d in described if " ".join(d.split())[:40] not in whole]
    assert len(missing) < len(described) // 50


def test_every_data_item_of_every_device_is_a_record(manufacturing: Path) -> None:
    n_devices = 0
    for path, reading in readings(manufacturing / "mtconnect"):
        root = etree.parse(str(path)).getroot()
        if etree.QName(root).localname == "Part":
            assert reading.media_type == "application/xml"  # an inspection report, not MTConnect
            continue
        told = kinds(reading)
        assert told["data_item"] == sum(1 for _ in root.iter("{*}DataItem")), path.name
        assert told["device"] == sum(1 for _ in root.iter("{*}Device")), path.name
        inner = [e for c in root.iter("{*}Components") for e in c if isinstance(e.tag, str)]
        assert told["component"] == len(inner), path.name
        units = {str(e.get("units")) for e in root.iter("{*}DataItem") if e.get("units")}
        assert units == {r.values["unit"] for r in reading.records if "unit" in r.values}
        n_devices += told["device"]
    assert n_devices > 10


def test_every_row_of_work_orders_is_a_record(manufacturing: Path) -> None:
    found = {path.name: reading for path, reading in readings(manufacturing / "work_orders")}
    with (manufacturing / "work_orders" / "excavator_work_orders.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    excavators = found["excavator_work_orders.csv"].records
    assert [r.id for r in excavators] == [row["PONumber"] for row in rows]
    assert [r.subject for r in excavators] == [f"asset:{row['AssetID']}" for row in rows]
    assert [str(r.values["cost"]) for r in excavators] == [
        row["Work_Order_Total_Actual_Cost"] for row in rows
    ]
    for record, row in zip(excavators, rows, strict=True):
        day, month, year = row["Work_Order_Basic_Start_Date"].split("/")
        assert record.values["planned"] == date(int(year), int(month), int(day))
        assert " ".join(row["ShortText"].split()) in str(record.values["summary"])
    gold = json.loads(
        (manufacturing / "work_orders" / "maintie_gold_annotated_work_orders.json").read_text()
    )
    annotated = found["maintie_gold_annotated_work_orders.json"].records
    assert len(annotated) == len(gold) == 1076
    n_objects = sum(
        any(e["type"].startswith("PhysicalObject") for e in o["entities"]) for o in gold
    )
    assert sum("objects" in record.values for record in annotated) == n_objects


def test_a_sensor_is_summed_up(manufacturing: Path) -> None:
    ((path, reading),) = readings(manufacturing / "sensor")
    columns: dict[str, list[float]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, cell in row.items():
                columns.setdefault(name, []).extend([float(cell)] if cell else [])
    torque = next(r for r in reading.records if r.id == "Torque").values
    numbers = columns["Torque [Nm]"]
    assert torque["mean"] == Quantity(Decimal(f"{statistics.fmean(numbers):.6g}"), "Nm")
    assert torque["standard_deviation"] == Quantity(
        Decimal(f"{statistics.stdev(numbers):.6g}"), "Nm"
    )
    assert (torque["count"], torque["maximum"]) == (10000, Quantity(Decimal("76.6"), "Nm"))
    failures = next(r for r in reading.records if r.id == "Machine failure").values
    assert failures["n_set"] == sum(columns["Machine failure"])
    filled = sum(bool(numbers) for numbers in columns.values())
    assert len(reading.records) == filled + 1
