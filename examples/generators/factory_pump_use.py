"""The first half of a pump's manual: what it is, how it is installed and run."""

from __future__ import annotations

from examples.generators.factory_pump_model import Pump
from examples.generators.paper import (
    Block,
    Bullets,
    Circle,
    Drawing,
    Heading,
    Label,
    Line,
    Paragraph,
    Rect,
    Table,
)


def introduction(pump: Pump) -> tuple[Block, ...]:
    """Purpose, safety and a sketch of the pump."""
    return (
        Heading("1 About this manual"),
        Paragraph(
            f"This manual covers the cooling water pump {pump.tag}, serial number {pump.serial}, "
            f"built in {pump.year}. Pump {pump.sibling} stands beside it and looks the same, but "
            "its torques, lubricant quantities and supply voltage differ. Check the tag plate "
            "before you use a value from this manual."
        ),
        Paragraph(
            "The manual is for operators, mechanics and electricians who hold a valid training "
            "badge. Questions go to Grace Kim, maintenance engineer, extension 4127."
        ),
        Heading("2 Safety"),
        Bullets(
            (
                "Isolate the pump according to SEG-PR-002 before you open any guard.",
                "Close the suction and discharge valves and open the drain before loosening bolts.",
                "Never run the pump dry: the seal faces fail within 30 seconds.",
                "Never run against a closed discharge valve for more than 2 minutes.",
                "The pump pit is a confined space: follow SEG-PR-005.",
            )
        ),
        Paragraph(
            f"The complete unit weighs {pump.mass}. Lift it with two slings at the base plate, "
            "never at the motor eye bolts. The sound pressure at one metre is 81 dB(A)."
        ),
        Drawing(
            420,
            190,
            (
                Rect(20, 20, 380, 18, "base plate"),
                Rect(40, 50, 130, 80, f"motor {pump.power}"),
                Rect(170, 75, 40, 30, "coupling"),
                Rect(210, 65, 70, 50, "bearings"),
                Circle(330, 90, 46, "volute"),
                Line(330, 136, 330, 180, arrow=True),
                Label(338, 168, "discharge DN 80"),
                Line(415, 90, 376, 90, arrow=True),
                Label(352, 34, "suction DN 100"),
            ),
            caption=f"Figure 1: general arrangement of pump {pump.tag}",
        ),
    )


def technical_data(pump: Pump) -> tuple[Block, ...]:
    """Duty point, motor and limits."""
    return (
        Heading("3 Technical data"),
        Heading("3.1 Duty point", 2),
        Table(
            ("Quantity", "Value", "Remark"),
            (
                ("Rated flow", pump.flow, "clean water at 30 °C"),
                ("Rated head", pump.head, "at rated flow"),
                ("Minimum continuous flow", "32 m³/h", "longer operation below it is forbidden"),
                ("Impeller diameter", pump.impeller, "bronze CuSn10"),
                ("Shaft diameter at the seal", pump.shaft, "stainless steel"),
                ("Maximum casing pressure", "16 bar", "tested at 24 bar"),
                ("Maximum water temperature", "60 °C", ""),
            ),
        ),
        Heading("3.2 Motor", 2),
        Table(
            ("Quantity", "Value", "Remark"),
            (
                ("Power", pump.power, "efficiency class IE3"),
                ("Supply voltage", pump.voltage, "three phases, 60 Hz"),
                ("Rated current", pump.current, ""),
                ("Speed", pump.speed, ""),
                ("Starts per hour", "6", "at least 8 minutes between two starts"),
            ),
        ),
        Heading("3.3 Limits and alarms", 2),
        Table(
            ("Quantity", "Warning", "Trip"),
            (
                ("Bearing temperature", pump.temperature[0], pump.temperature[1]),
                ("Vibration (RMS)", "4.5 mm/s", "7.1 mm/s"),
                ("Seal leakage", "5 drops per minute", "20 drops per minute"),
                ("Suction pressure", "0.4 bar", "0.2 bar"),
            ),
        ),
        Drawing(
            400,
            190,
            (
                Line(40, 25, 380, 25, arrow=True),
                Line(40, 25, 40, 180, arrow=True),
                Line(40, 160, 140, 152),
                Line(140, 152, 230, 130),
                Line(230, 130, 320, 85),
                Circle(230, 130, 4),
                Label(238, 134, f"duty point {pump.flow}, {pump.head}"),
                Label(300, 10, "flow in m³/h"),
                Label(48, 176, "head in m"),
            ),
            caption=f"Figure 2: characteristic curve of {pump.tag} (schematic)",
        ),
    )


def installation(pump: Pump) -> tuple[Block, ...]:
    """Foundation, alignment, pipes and electrical connection."""
    return (
        Heading("4 Installation"),
        Heading("4.1 Foundation", 2),
        Paragraph(
            "The foundation must be level within 0.5 mm per metre and weigh at least three times "
            "as much as the unit. Let the grout cure for 7 days before tightening the anchor bolts."
        ),
        Paragraph(
            f"Tighten the foundation bolts M20 to {pump.foundation_torque} in three rounds, "
            "starting at the motor side."
        ),
        Heading("4.2 Alignment", 2),
        Paragraph(
            "Align motor and pump with the laser tool LX-2 after the pipes are connected. The "
            "parallel offset must stay below 0.05 mm and the angular error below 0.04 mm per 100 "
            f"mm. Check again after 24 hours of operation. The gap between the coupling halves of "
            f"{pump.tag} is 3 mm; coupling bolts get {pump.coupling_torque}."
        ),
        Drawing(
            400,
            130,
            (
                Rect(40, 50, 110, 34, "motor shaft"),
                Rect(150, 38, 26, 58),
                Rect(184, 38, 26, 58),
                Rect(210, 50, 120, 34, "pump shaft"),
                Line(180, 20, 180, 36, arrow=True),
                Label(190, 16, "gap 3 mm"),
                Line(20, 67, 360, 67),
            ),
            caption="Figure 3: coupling gap and shaft axis",
        ),
        Heading("4.3 Pipes", 2),
        Paragraph(
            "The suction pipe must be straight for at least 500 mm before the flange and fall "
            "towards the source so that no air pocket remains. Support the pipes within 1 m of the "
            "flanges. Flange bolts M16 get 110 N·m on the discharge and 100 N·m on the suction."
        ),
        Heading("4.4 Electrical connection", 2),
        Paragraph(
            f"The motor of {pump.tag} is fed with {pump.voltage} from panel QF-{pump.tag[2:]}. "
            f"Set the overload relay to {pump.current}. Check the direction of rotation with the "
            "coupling insert removed: seen from the motor the shaft turns clockwise."
        ),
    )


def operation(pump: Pump) -> tuple[Block, ...]:
    """Start, running checks, stop and changeover."""
    return (
        Heading("5 Operation"),
        Heading("5.1 Start", 2),
        Bullets(
            (
                "Check the oil level in the constant-level oiler: at least half.",
                "Open the suction valve fully and prime the casing until no bubbles come out.",
                "Open the seal flush valve; the flush flow is 6 litres per minute.",
                "Close the discharge valve to one quarter, start the motor.",
                "Open the discharge valve slowly within 60 seconds until 4.6 bar are reached.",
            ),
            numbered=True,
        ),
        Heading("5.2 Checks while running", 2),
        Table(
            ("Check", "Every", "Accepted"),
            (
                ("Bearing temperature", "2 hours", f"below {pump.temperature[0]}"),
                ("Vibration", "2 hours", "below 4.5 mm/s"),
                ("Motor current", "shift", f"below {pump.current}"),
                ("Seal leakage", "shift", "below 5 drops per minute"),
                ("Discharge pressure", "shift", "4.3 to 5.1 bar"),
            ),
        ),
        Heading("5.3 Stop", 2),
        Paragraph(
            "Close the discharge valve, stop the motor and watch the run-down: it should take more "
            "than 20 seconds. A shorter run-down points to a bearing or seal problem. Leave the "
            "suction valve open when the pump remains in standby."
        ),
        Heading("5.4 Changeover", 2),
        Paragraph(
            f"{pump.tag} and {pump.sibling} take turns every 168 hours, on Monday at 06:30. Start "
            "the standby pump first, wait until the pressure is stable for 3 minutes, then stop "
            "the other one. Both pumps may run together for at most 15 minutes."
        ),
        Heading("5.5 Long standstill", 2),
        Paragraph(
            "Turn the shaft by hand twice a week. After more than four weeks drain the casing, "
            "spray the inside with preservative oil and hang the tag “preserved” on the valve."
        ),
    )
