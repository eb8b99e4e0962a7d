from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connectors.readers import Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]


def told(reading: Reading) -> list[str]:
    return [block.text for block in reading.blocks]


def test_orders_of_maximo(read_bytes: Read) -> None:
    reading = read_bytes(
        "WONUM,ASSETNUM,LOCATION,DESCRIPTION,ACTSTART,ACTFINISH,ACTLABHRS,CAUSE,REMEDY,STATUS\n"
        "4711,P-101,B2,bearing noise,2024-03-01 08:00,2024-03-02,3.5,wear,bearing replaced,CLOSE\n"
        "4712,P-102,B2,leak,,,,,,WAPPR\n",
        "a.csv",
    )
    assert told(reading) == [
        "Work order 4711 · P-101 · B2 · 2024-03-02 · bearing noise → bearing replaced, 3.5 h; "
        "cause: wear; status: CLOSE",
        "Work order 4712 · P-102 · B2 · leak; status: WAPPR",
    ]
    order = reading.records[0]
    assert (order.kind, order.id, order.subject) == ("work_order", "4711", "asset:P-101")
    assert order.values["hours"] == Quantity(Decimal("3.5"), "h")
    assert order.values["finished"] == date(2024, 3, 2)
    assert order.values["action"] == "bearing replaced"
    assert order.block == 0


def test_orders_of_sap_in_portuguese(read_bytes: Read) -> None:
    reading = read_bytes(
        "Ordem;Equipamento;Local de instalação;Descrição;Data início;Causa;Ação;Horas\n"
        "900;BOMBA-7;LINHA-1;ruído;02/03/2024;desgaste;rolamento trocado;3,5\n",
        "a.csv",
    )
    assert reading.lang == "pt"
    assert told(reading) == [
        "Ordem de serviço 900 · BOMBA-7 · LINHA-1 · 2024-03-02 · ruído → rolamento trocado, 3.5 h;"
        " causa: desgaste"
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["13/09/2001", "01/02/2001"], [date(2001, 9, 13), date(2001, 2, 1)]),
        (["09/13/2001", "01/02/2001"], [date(2001, 9, 13), date(2001, 1, 2)]),
        (["01.02.2001", "0/1/00"], [date(2001, 2, 1), None]),
    ],
)
def test_days_by_one_that_leaves_no_doubt(
    read_bytes: Read, days: list[str], expected: list[date | None]
) -> None:
    rows = "".join(f"{n},P,x,{day},y\n" for n, day in enumerate(days))
    reading = read_bytes("AUFNR,EQUNR,KTEXT,GSTRI,CAUSE\n" + rows, "a.csv")
    assert [record.values.get("started") for record in reading.records] == expected


def test_orders_in_xml_and_json(read_bytes: Read) -> None:
    xml = """<?xml version="1.0"?><PublishMXWO xmlns="http://www.ibm.com/maximo"><MXWOSet>
      <WORKORDER><WONUM>1</WONUM><ASSETNUM>P-1</ASSETNUM><LOCATION>L</LOCATION><STATUS>COMP</STATUS>
      <DESCRIPTION>noise</DESCRIPTION><FAILUREREPORT><TYPE>CAUSE</TYPE><FAILURECODE>WEAR
      </FAILURECODE></FAILUREREPORT><FAILUREREPORT><TYPE>REMEDY</TYPE><FAILURECODE>REPLACED
      </FAILURECODE></FAILUREREPORT></WORKORDER></MXWOSet></PublishMXWO>"""
    reading = read_bytes(xml, "a.xml")
    assert reading.media_type == "application/work-orders+xml"
    expected = ["Work order 1 · P-1 · L · noise → REPLACED; cause: WEAR; status: COMP"]
    assert told(reading) == expected
    row = {"spi:wonum": "1", "spi:assetnum": "P-1", "spi:location": "L", "spi:status": "COMP",
           "spi:description": "noise", "spi:cause": "WEAR", "spi:remedy": "REPLACED"}  # fmt: skip
    assert told(read_bytes(json.dumps({"member": [row]}), "a.json")) == expected
    assert read_bytes('<?xml version="1.0"?><workorders><a>b</a></workorders>', "a.xml").blocks


def test_annotated_orders(read_bytes: Read) -> None:
    one = {
        "text": "replace <id> pump seal leaking",
        "tokens": ["replace", "<id>", "pump", "seal", "leaking"],
        "entities": [
            {"start": 0, "end": 1, "type": "Activity/MaintenanceActivity/Replace"},
            {"start": 2, "end": 4, "type": "PhysicalObject/HoldingObject"},
            {"start": 4, "end": 5, "type": "State/UndesirableState/FailedState"},
        ],
        "relations": [],
    }
    reading = read_bytes(json.dumps([one]), "a.json")
    assert told(reading) == [
        "Work order: replace <id> pump seal leaking; action: replace; objects: pump seal; "
        "problem: leaking"
    ]


@pytest.mark.parametrize(
    "header",
    ["order,description,status,priority", "id,location,description,type", "date,asset,price,cost"],
)
def test_other_tables_stay_tables(read_bytes: Read, header: str) -> None:
    reading = read_bytes(f"{header}\n1,a,b,c\n2,d,e,f\n", "a.csv")
    assert [block.kind for block in reading.blocks] == ["table"]
