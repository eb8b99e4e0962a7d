from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]

TYPES = 'xmlns:t="http://opcfoundation.org/UA/2008/02/Types.xsd"'


def nodeset(*nodes: str) -> str:
    return f"""<?xml version="1.0"?><UANodeSet {TYPES}
    xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">
    <NamespaceUris><Uri>http://maker.example/pumps</Uri></NamespaceUris>
    <Models><Model ModelUri="http://maker.example/pumps" Version="1.2"/></Models>
    <Aliases><Alias Alias="Double">i=11</Alias><Alias Alias="HasComponent">i=47</Alias></Aliases>
    {"".join(nodes)}</UANodeSet>"""


PUMP = """<UAObject NodeId="ns=1;i=1" BrowseName="1:Pump"><DisplayName>Pump 7</DisplayName>
  <Description>Feeds the boiler.</Description><References>
  <Reference ReferenceType="HasTypeDefinition">i=58</Reference>
  <Reference ReferenceType="Organizes" IsForward="false">i=85</Reference></References></UAObject>"""
PRESSURE = """<UAVariable NodeId="ns=1;i=2" BrowseName="1:Pressure" DataType="Double">
  <DisplayName>Pressure</DisplayName><References>
  <Reference ReferenceType="HasComponent" IsForward="false">ns=1;i=1</Reference>
  <Reference ReferenceType="HasTypeDefinition">i=2368</Reference>
  <Reference ReferenceType="HasModellingRule">i=78</Reference></References>
  <Value><t:Double>4.5</t:Double></Value></UAVariable>"""
UNIT = """<UAVariable NodeId="ns=1;i=3" BrowseName="EngineeringUnits" ParentNodeId="ns=1;i=2"
  DataType="i=887"><DisplayName>EngineeringUnits</DisplayName><Value><t:ExtensionObject><t:Body>
  <t:EUInformation><t:UnitId>4342098</t:UnitId><t:DisplayName><t:Text>bar</t:Text></t:DisplayName>
  </t:EUInformation></t:Body></t:ExtensionObject></Value></UAVariable>"""
RANGE = """<UAVariable NodeId="ns=1;i=4" BrowseName="EURange" ParentNodeId="ns=1;i=2"><Value>
  <t:ExtensionObject><t:Body><t:Range><t:Low>0</t:Low><t:High>16</t:High></t:Range></t:Body>
  </t:ExtensionObject></Value></UAVariable>"""
STATE = """<UADataType NodeId="ns=1;i=5" BrowseName="1:State"><DisplayName>State</DisplayName>
  <Definition Name="State"><Field Name="Off" Value="0"/><Field Name="On" Value="1"/></Definition>
  </UADataType>"""


def test_nodes_have_path_type_unit_and_range(read_bytes: Read) -> None:
    reading = read_bytes(nodeset(PUMP, PRESSURE, UNIT, RANGE, STATE), "a.xml")
    assert reading.title == "OPC UA model http://maker.example/pumps"
    told = [b.text for b in reading.blocks if b.kind == "record"]
    assert told[:3] == [
        "Model: http://maker.example/pumps; version: 1.2",
        "Object: Pump 7; type: BaseObjectType; description: Feeds the boiler.",
        "Variable: Pump 7 › Pressure; type: AnalogItemType; data type: Double; unit: bar; "
        "range: 0 to 16; value: 4.5; rule: Mandatory",
    ]
    assert told[-1] == "Data type: State; fields: Off = 0, On = 1"
    assert reading.records[2].id == "nsu=http://maker.example/pumps;i=2"
    assert reading.records[2].values["path"] == "Pump 7 › Pressure"


def test_circles_and_odd_nodes(read_bytes: Read) -> None:
    circle = (
        '<UAObject NodeId="ns=1;i=8" BrowseName="a" ParentNodeId="ns=1;i=9"/>'
        '<UAObject NodeId="ns=1;i=9" BrowseName="b" ParentNodeId="ns=1;i=8"/>'
    )
    reading = read_bytes(nodeset(PUMP, circle), "a.xml")
    assert reading.warnings == ("2 nodes that are their own parents were left out.",)
    with pytest.raises(ReadError, match="Line 6: the node has no NodeId"):
        read_bytes(nodeset('<UAObject BrowseName="x"/>'), "a.xml")
    with pytest.raises(ReadError, match="defines no nodes"):
        read_bytes(nodeset(), "a.xml")
