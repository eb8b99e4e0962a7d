from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.readers import ReadError, Reading, sniff
from connectors.readers.child import read
from connectors.readers.record import Quantity
from connectors.readers.source import Source

Read = Callable[..., Reading]


def reference(*values: str) -> dict[str, Any]:
    return {"type": "ExternalReference", "keys": [{"type": "x", "value": v} for v in values]}


ENVIRONMENT = {
    "assetAdministrationShells": [
        {
            "modelType": "AssetAdministrationShell",
            "idShort": "Pump",
            "id": "urn:aas:1",
            "assetInformation": {
                "assetKind": "Instance",
                "globalAssetId": "urn:asset:P-101",
                "specificAssetIds": [{"name": "serial", "value": "77"}],
            },
            "submodels": [reference("urn:sm:1")],
        }
    ],
    "submodels": [
        {
            "modelType": "Submodel",
            "idShort": "TechnicalData",
            "id": "urn:sm:1",
            "semanticId": reference("urn:semantic:technical"),
            "submodelElements": [
                {
                    "modelType": "SubmodelElementCollection",
                    "idShort": "Hydraulics",
                    "value": [
                        {
                            "modelType": "Property",
                            "idShort": "MaxPressure",
                            "valueType": "xs:double",
                            "value": "16.0",
                            "semanticId": reference("0173-1#02-AAA#1"),
                        },
                        {
                            "modelType": "Range",
                            "idShort": "Flow",
                            "valueType": "xs:int",
                            "min": "1",
                            "max": "9",
                        },
                    ],
                },
                {
                    "modelType": "MultiLanguageProperty",
                    "idShort": "Maker",
                    "value": [
                        {"language": "de", "text": "Muster"},
                        {"language": "en", "text": "Sample"},
                    ],
                },
                {
                    "modelType": "SubmodelElementList",
                    "idShort": "Marks",
                    "value": [
                        {"modelType": "Property", "valueType": "xs:boolean", "value": "true"}
                    ],
                },
                {"modelType": "File", "idShort": "Manual", "value": "/m.pdf", "contentType": "a/b"},
                {
                    "modelType": "ReferenceElement",
                    "idShort": "Next",
                    "value": reference("urn:sm:1", "Marks"),
                },
                {
                    "modelType": "Entity",
                    "idShort": "Seal",
                    "entityType": "SelfManagedEntity",
                    "globalAssetId": "urn:asset:S-1",
                    "statements": [],
                },
            ],
        }
    ],
    "conceptDescriptions": [
        {
            "modelType": "ConceptDescription",
            "id": "0173-1#02-AAA#1",
            "idShort": "p",
            "embeddedDataSpecifications": [
                {
                    "dataSpecificationContent": {
                        "preferredName": [{"language": "en", "text": "max pressure"}],
                        "definition": [{"language": "en", "text": "highest pressure"}],
                        "unit": "bar",
                    }
                }
            ],
        }
    ],
}


def test_elements_keep_path_unit_and_semantic_id(read_bytes: Read) -> None:
    reading = read_bytes(json.dumps(ENVIRONMENT), "a.json")
    assert reading.media_type == "application/asset-administration-shell+json"
    assert reading.title == "Pump"
    assert [b.text for b in reading.blocks if b.kind == "record"] == [
        "Asset: Pump; asset: urn:asset:P-101; kind: Instance; specific ids: serial 77; "
        "shell: urn:aas:1; submodels: urn:sm:1",
        "Submodel: TechnicalData; semantic id: urn:semantic:technical",
        "MaxPressure: 16.0 bar — highest pressure",
        "Flow: 1 to 9",
        "Maker: Muster (de); Sample (en)",
        "Marks[0]: yes",
        "Manual: /m.pdf",
        "Next: urn:sm:1 › Marks",
        "Seal: urn:asset:S-1",
        "Concept: max pressure; definition: highest pressure; unit: bar; "
        "semantic id: 0173-1#02-AAA#1",
    ]
    by_path = {r.values.get("path"): r for r in reading.records}
    pressure = by_path["Hydraulics.MaxPressure"]
    assert pressure.values["value"] == Quantity(Decimal("16.0"), "bar")
    assert pressure.values["semantic_id"] == "0173-1#02-AAA#1"
    assert (pressure.id, pressure.subject) == (
        "urn:sm:1#Hydraulics.MaxPressure",
        "asset:urn:asset:P-101",
    )
    assert reading.blocks[pressure.block or 0].heading == ("Pump", "TechnicalData", "Hydraulics")
    assert by_path["Marks[0]"].values["value"] is True
    assert by_path["Maker"].values["value_de"] == "Muster"
    assert by_path["Hydraulics"].kind == "submodel_element_collection"


V3 = """<?xml version="1.0"?><environment xmlns="https://admin-shell.io/aas/3/0">
<submodels><submodel><idShort>Data</idShort><id>urn:sm:1</id><submodelElements>
<submodelElementCollection><idShort>C</idShort><value><property><idShort>Speed</idShort>
<description><langStringTextType><language>en</language><text>turns</text></langStringTextType>
</description><semanticId><type>x</type><keys><key><type>x</type><value>urn:s</value></key></keys>
</semanticId><valueType>xs:int</valueType><value>1500</value></property></value>
</submodelElementCollection></submodelElements></submodel></submodels></environment>"""

V2 = """<?xml version="1.0"?><aas:aasenv xmlns:aas="http://www.admin-shell.io/aas/2/0">
<aas:assetAdministrationShells><aas:assetAdministrationShell><aas:idShort>S</aas:idShort>
<aas:identification idType="IRI">urn:aas</aas:identification><aas:assetRef><aas:keys>
<aas:key type="Asset" idType="IRI">urn:asset</aas:key></aas:keys></aas:assetRef>
<aas:submodelRefs><aas:submodelRef><aas:keys><aas:key>urn:sm:1</aas:key></aas:keys>
</aas:submodelRef></aas:submodelRefs></aas:assetAdministrationShell>
</aas:assetAdministrationShells><aas:submodels><aas:submodel><aas:idShort>Data</aas:idShort>
<aas:identification idType="IRI">urn:sm:1</aas:identification><aas:submodelElements>
<aas:submodelElement><aas:submodelElementCollection><aas:idShort>C</aas:idShort><aas:value>
<aas:submodelElement><aas:property><aas:idShort>Speed</aas:idShort><aas:description>
<aas:langString lang="en">turns</aas:langString></aas:description><aas:semanticId><aas:keys>
<aas:key type="GlobalReference">urn:s</aas:key></aas:keys></aas:semanticId>
<aas:valueType>int</aas:valueType><aas:value>1500</aas:value></aas:property></aas:submodelElement>
</aas:value></aas:submodelElementCollection></aas:submodelElement></aas:submodelElements>
</aas:submodel></aas:submodels></aas:aasenv>"""


@pytest.mark.parametrize(("xml", "subject"), [(V3, ""), (V2, "asset:urn:asset")])
def test_xml_of_every_version_reads_as_json_does(read_bytes: Read, xml: str, subject: str) -> None:
    reading = read_bytes(xml, "a.xml")
    speed = reading.records[-1]
    assert reading.blocks[-1].text == "Speed: 1500 — turns"
    assert speed.values["value"] == Decimal(1500)
    assert speed.values["path"] == "C.Speed"
    assert (speed.values["semantic_id"], speed.id) == ("urn:s", "urn:sm:1#C.Speed")
    assert speed.subject == subject


def test_version_2_in_json(read_bytes: Read) -> None:
    old = {
        "assetAdministrationShells": [],
        "submodels": [
            {
                "modelType": {"name": "Submodel"},
                "idShort": "Data",
                "identification": {"id": "urn:sm", "idType": "IRI"},
                "submodelElements": [
                    {
                        "modelType": {"name": "Property"},
                        "idShort": "P",
                        "value": "2024-03-02",
                        "valueType": {"dataObjectType": {"name": "date"}},
                    }
                ],
            }
        ],
    }
    record = read_bytes(json.dumps(old), "a.json").records[-1]
    assert (record.id, str(record.values["value"])) == ("urn:sm#P", "2024-03-02")


def package(path: Path, *, xml: str = V3, relation: str = "aas-spec") -> Path:
    def relations(kind: str, target: str) -> str:
        return (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Type="http://admin-shell.io/aasx/relationships/{kind}" Id="r"'
            f' Target="{target}"/></Relationships>'
        )

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", relations("aasx-origin", "/aasx/aasx-origin"))
        archive.writestr("aasx/aasx-origin", "")
        archive.writestr("aasx/_rels/aasx-origin.rels", relations(relation, "/aasx/shell.xml"))
        archive.writestr("aasx/shell.xml", xml)
        archive.writestr("aasx/files/manual.txt", "Grease the bearing every 500 hours.")
        archive.writestr("aasx/files/logo.png", b"\x89PNG\r\n\x1a\n")
    return path


def test_packages_bring_their_documents(tmp_path: Path) -> None:
    path = package(tmp_path / "a.aasx")
    reading = read(Source(path, sniff(path), path.name))
    assert reading.media_type == "application/asset-administration-shell-package"
    assert [b.text for b in reading.blocks][-1] == "Grease the bearing every 500 hours."
    assert reading.warnings == ("Pictures in the package were left out: logo.png.",)


@pytest.mark.parametrize(
    ("xml", "relation", "cause", "place"),
    [
        ("<environment>", "aas-spec", "corrupt", r"In aasx/shell\.xml: .* line 1"),
        (V3, "other", "empty", "names no shell"),
        ('<environment xmlns="https://admin-shell.io/aas/3/0"/>', "aas-spec", "empty", "no shell"),
        ("<!DOCTYPE x><environment/>", "aas-spec", "unsafe_xml", "DTD"),
    ],
)
def test_refused_packages(tmp_path: Path, xml: str, relation: str, cause: str, place: str) -> None:
    path = package(tmp_path / "a.aasx", xml=xml, relation=relation)
    with pytest.raises(ReadError, match=place) as caught:
        read(Source(path, sniff(path), path.name))
    assert caught.value.cause == cause


def test_a_package_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    path = package(tmp_path / "a.aasx")
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ReadError, match="damaged") as caught:
        read(Source(path, sniff(path), path.name))
    assert caught.value.cause == "corrupt"
