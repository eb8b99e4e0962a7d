from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]


def told(reading: Reading) -> list[str]:
    return [block.text for block in reading.blocks if block.kind == "record"]


def document(kind: str, body: str) -> str:
    return (
        f'<MTConnect{kind} xmlns="urn:mtconnect.org:MTConnect{kind}:2.0" '
        f'xmlns:x="urn:example">{body}</MTConnect{kind}>'
    )


def test_devices(read_bytes: Read) -> None:
    reading = read_bytes(
        document(
            "Devices",
            """<Devices><Device name="Mill" uuid="M-7" id="d"><Description manufacturer="Acme"
            serialNumber="9">Five axes</Description><Components><Axes id="a"><Components>
            <x:Turn id="t" name="C"><DataItems><DataItem id="s" name="speed" category="SAMPLE"
            type="ROTARY_VELOCITY" subType="ACTUAL" units="REVOLUTION/MINUTE"><Constraints>
            <Maximum>9000</Maximum></Constraints></DataItem></DataItems></x:Turn></Components>
            </Axes></Components></Device></Devices>""",
        ),
        "a.xml",
    )
    assert told(reading) == [
        "Device: Mill; uuid: M-7; manufacturer: Acme; serial number: 9; description: Five axes",
        "Component: Mill › a; type: Axes",
        "Component: Mill › a › C; type: Turn",
        "Data item: Mill › a › C › speed — actual rotary velocity; category: sample; "
        "unit: REVOLUTION/MINUTE; constraints: maximum 9000",
    ]
    assert {record.subject for record in reading.records} == {"asset:M-7"}


def test_streams(read_bytes: Read) -> None:
    reading = read_bytes(
        document(
            "Streams",
            """<Streams><DeviceStream name="Mill" uuid="M-7"><ComponentStream component="Path"
            name="path"><Samples><PathFeedrate dataItemId="f" timestamp="2024-03-02T10:00:00Z"
            sequence="5">12.5</PathFeedrate><Load dataItemId="l" sequence="6">UNAVAILABLE</Load>
            </Samples><Events><Variables dataItemId="v"><Entry key="a">1</Entry></Variables>
            </Events><Condition><Fault dataItemId="c" type="TEMPERATURE" nativeCode="E1">
            Too hot</Fault></Condition></ComponentStream></DeviceStream></Streams>""",
        ),
        "a.xml",
    )
    assert told(reading) == [
        "Sample: Mill › path › f — path feedrate: 12.5; date: 2024-03-02 10:00",
        "Sample: Mill › path › l — load: UNAVAILABLE",
        "Event: Mill › path › v — variables: a=1",
        "Condition: Mill › path › c — temperature fault: Too hot; code: E1",
    ]
    feed = reading.records[0]
    assert feed.values["value"] == Decimal("12.5")
    assert feed.values["date"] == datetime(2024, 3, 2, 10, tzinfo=UTC)
    assert (feed.id, feed.subject) == ("5", "asset:M-7")


def test_assets_and_errors(read_bytes: Read) -> None:
    reading = read_bytes(
        document(
            "Assets",
            """<Assets><CuttingTool assetId="T1" toolId="B732A" serialNumber="1"><Description>Mill
            </Description><CuttingToolLifeCycle><ToolLife type="MINUTES" initial="0">110</ToolLife>
            <Measurements><FunctionalLength code="LF" nominal="100">99.5</FunctionalLength>
            </Measurements></CuttingToolLifeCycle></CuttingTool></Assets>""",
        ),
        "a.xml",
    )
    assert told(reading) == [
        "Asset: cutting tool T1; tool: B732A; serial number: 1; description: Mill; "
        "life minutes: 110 minutes",
        "Property: CuttingToolLifeCycle › Measurements › FunctionalLength: 99.5; code: LF; "
        "nominal: 100",
    ]
    assert reading.records[0].values["life_minutes"] == Quantity(Decimal(110), "minutes")
    error = document("Error", '<Errors><Error errorCode="OUT_OF_RANGE">Too old</Error></Errors>')
    assert told(read_bytes(error, "a.xml")) == ["Error: out of range: Too old"]


def test_empty_documents_are_refused(read_bytes: Read) -> None:
    with pytest.raises(ReadError, match="holds nothing below its header"):
        read_bytes(document("Devices", "<Header/>"), "a.xml")
