"""The figures in which pumps P-101 and P-102 differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pump:
    """What differs between the pumps: tightening torques in N·m, lengths in mm, grease in g."""

    tag: str
    sibling: str
    serial: str
    year: str
    flow: str
    head: str
    power: str
    voltage: str
    current: str
    speed: str
    shaft: str
    impeller: str
    seal: str
    bearings: tuple[str, str]
    casing_torque: str
    foundation_torque: str
    gland_torque: str
    impeller_torque: str
    coupling_torque: str
    grease: tuple[str, str]
    grease_hours: str
    oil: str
    gasket: str
    insert: str
    clearance: str
    temperature: tuple[str, str]
    mass: str


P_101 = Pump(
    tag="P-101",
    sibling="P-102",
    serial="KX80-200-4471",
    year="2018",
    flow="120 m³/h",
    head="48 m",
    power="30 kW",
    voltage="440 V",
    current="48 A",
    speed="3,550 rpm",
    shaft="45 mm",
    impeller="219 mm",
    seal="ST-45-SC",
    bearings=("6309-2Z", "6308-2Z"),
    casing_torque="120 N·m",
    foundation_torque="190 N·m",
    gland_torque="18 N·m",
    impeller_torque="95 N·m",
    coupling_torque="35 N·m",
    grease=("15 g", "12 g"),
    grease_hours="2,000 hours",
    oil="0.8 litres of ISO VG 68",
    gasket="GX-320",
    insert="CPL-95",
    clearance="0.35 mm",
    temperature=("75 °C", "80 °C"),
    mass="346 kg",
)
P_102 = Pump(
    tag="P-102",
    sibling="P-101",
    serial="KX80-250-5120",
    year="2021",
    flow="135 m³/h",
    head="55 m",
    power="37 kW",
    voltage="380 V",
    current="68 A",
    speed="3,560 rpm",
    shaft="50 mm",
    impeller="234 mm",
    seal="ST-50-TC",
    bearings=("7311-B", "6310-2Z"),
    casing_torque="140 N·m",
    foundation_torque="210 N·m",
    gland_torque="22 N·m",
    impeller_torque="110 N·m",
    coupling_torque="45 N·m",
    grease=("20 g", "14 g"),
    grease_hours="1,500 hours",
    oil="1.1 litres of ISO VG 68",
    gasket="GX-350",
    insert="CPL-110",
    clearance="0.40 mm",
    temperature=("80 °C", "85 °C"),
    mass="412 kg",
)
