from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventID": "E1",
    "eventTime": "2024-03-02T10:00:00Z",
    "eventTimeZoneOffset": "-03:00",
    "action": "OBSERVE",
    "bizStep": "shipping",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2018"],
    "quantityList": [
        {"epcClass": "urn:epc:class:lgtin:4012345.012345.9", "quantity": 2.5, "uom": "KGM"}
    ],
    "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}]}],
    "readPoint": {"id": "urn:x:dock"},
}
XML = """<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1"><EPCISHeader><extension>
<EPCISMasterData><VocabularyList><Vocabulary type="urn:epcglobal:epcis:vtype:Location">
<VocabularyElementList><VocabularyElement id="urn:x:dock"><attribute id="urn:x:mda#name">Dock 1
</attribute></VocabularyElement></VocabularyElementList></Vocabulary></VocabularyList>
</EPCISMasterData></extension></EPCISHeader><EPCISBody><EventList>
<AggregationEvent><eventTime>2024-03-02T10:00:00Z</eventTime><parentID>P</parentID>
<childEPCs><epc>urn:epc:id:sgtin:0614141.107346.1</epc></childEPCs><action>ADD</action>
<extension><childQuantityList><quantityElement><epcClass>c</epcClass><quantity>3</quantity>
</quantityElement></childQuantityList></extension></AggregationEvent>
<extension><TransformationEvent><eventTime>2024-03-02T11:00:00Z</eventTime>
</TransformationEvent></extension></EventList></EPCISBody></epcis:EPCISDocument>"""


def document(*events: object) -> str:
    return json.dumps({"type": "EPCISDocument", "epcisBody": {"eventList": list(events)}})


def test_an_event_says_what_when_where_and_why(read_bytes: Read) -> None:
    reading = read_bytes(document(EVENT), "a.jsonld")
    event, quantity, sensor = reading.records
    assert (event.kind, event.id) == ("event", "E1")
    assert event.values["products"] == ("10614141073464", "04012345123456")
    assert quantity.values["quantity"] == Quantity(Decimal("2.5"), "KGM")
    assert quantity.subject == "product:04012345123456"
    assert quantity.block == event.block
    assert sensor.values["value"] == Quantity(Decimal("4.5"), "CEL")
    assert reading.blocks[1].text == (
        "2024-03-02 10:00:00 -03:00 object event (observe): shipping; "
        "objects: urn:epc:id:sgtin:0614141.107346.2018; products: 10614141073464, 04012345123456; "
        "read point: urn:x:dock; quantities: 2.5 KGM of urn:epc:class:lgtin:4012345.012345.9 "
        "(object)"
    )


def test_a_lone_event_and_query_results(read_bytes: Read) -> None:
    assert len(read_bytes(json.dumps([EVENT, EVENT]), "a.json").records) == 6
    body = {"queryResults": {"resultsBody": {"eventList": [EVENT]}}}
    query = json.dumps({"type": "EPCISQueryDocument", "epcisBody": body})
    assert len(read_bytes(query, "a.json").records) == 3


def test_version_1_in_xml_with_master_data(read_bytes: Read) -> None:
    reading = read_bytes(XML, "a.xml")
    kinds = [record.kind for record in reading.records]
    assert kinds == ["master_data", "event", "event_quantity", "event"]
    assert reading.records[0].values["name"] == "Dock 1"
    assert reading.records[1].values["parent"] == "P"
    assert reading.records[1].subject == "product:10614141073464"


def test_a_document_without_events_says_so(read_bytes: Read) -> None:
    assert read_bytes(document(), "a.json").blocks[-1].text == "The document holds no events."


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"eventTime": "yesterday"}, "epcisBody.eventList[1] has eventTime 'yesterday'"),
        ({"action": "MOVE"}, "epcisBody.eventList[1] has action 'MOVE'"),
        ({"type": "PartyEvent"}, "epcisBody.eventList[1] has type 'PartyEvent'"),
    ],
)
def test_broken_events_are_refused(read_bytes: Read, change: dict[str, str], problem: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_bytes(document(EVENT, {**EVENT, **change}), "a.json")
    assert problem in str(refused.value)


def test_broken_documents_are_refused(read_bytes: Read) -> None:
    with pytest.raises(ReadError, match="epcisBody has no eventList"):
        read_bytes('{"type": "EPCISDocument", "epcisBody": {}}', "a.json")
    with pytest.raises(ReadError, match="the document has no epcisBody"):
        read_bytes('{"type": "EPCISDocument"}', "a.json")
    with pytest.raises(ReadError, match="line 6, element AggregationEvent has eventTime"):
        read_bytes(XML.replace("2024-03-02T10", "March"), "a.xml")
    with pytest.raises(ReadError, match="element EPCISDocument has no EPCISBody"):
        read_bytes(XML.replace("EPCISBody", "Other"), "a.xml")
