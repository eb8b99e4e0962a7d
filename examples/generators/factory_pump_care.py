"""The second half of a pump's manual: maintenance, repair, spare parts."""

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


def maintenance(pump: Pump) -> tuple[Block, ...]:
    """Intervals and lubrication."""
    return (
        Heading("6 Maintenance"),
        Heading("6.1 Intervals", 2),
        Table(
            ("Task", "Interval", "Trade"),
            (
                ("Clean the suction strainer", "monthly", "operator"),
                ("Check coupling insert", "every 3 months", "mechanic"),
                ("Check alignment", "every 6 months", "mechanic"),
                ("Relubricate bearings", pump.grease_hours, "mechanic"),
                ("Insulation test of the motor", "yearly", "electrician"),
                ("Replace the mechanical seal", "16,000 hours", "mechanic"),
                ("Replace the bearings", "24,000 hours", "mechanic"),
            ),
        ),
        Heading("6.2 Lubrication", 2),
        Table(
            ("Point", "Lubricant", "Quantity", "Interval"),
            (
                ("Drive-end bearing", "lithium grease NLGI 2", pump.grease[0], pump.grease_hours),
                (
                    "Non-drive-end bearing",
                    "lithium grease NLGI 2",
                    pump.grease[1],
                    pump.grease_hours,
                ),
                ("Constant-level oiler", "oil ISO VG 68", pump.oil, "4,000 hours"),
                ("Coupling", "none", "dry", "never"),
            ),
        ),
        Paragraph(
            f"Too much grease overheats the bearing. For the drive-end bearing of {pump.tag} use "
            f"exactly {pump.grease[0]}: one stroke of the grease gun GP-1 gives 1.5 g. Turn the "
            "shaft by hand while greasing and wipe off what comes out."
        ),
        Drawing(
            380,
            130,
            (
                Rect(60, 40, 230, 40, f"bearing housing {pump.tag}"),
                Circle(90, 60, 14, "DE"),
                Circle(260, 60, 14, "NDE"),
                Line(90, 120, 90, 76, arrow=True),
                Label(98, 112, pump.grease[0]),
                Line(260, 120, 260, 76, arrow=True),
                Label(268, 112, pump.grease[1]),
                Label(150, 20, "oiler ISO VG 68"),
            ),
            caption="Figure 4: lubrication points (DE drive end, NDE non-drive end)",
        ),
    )


def torques(pump: Pump) -> tuple[Block, ...]:
    """Tightening torques."""
    return (
        Heading("6.3 Tightening torques", 2),
        Table(
            ("Joint", "Bolt", "Torque"),
            (
                ("Casing bolts", "M16, class 8.8", pump.casing_torque),
                ("Foundation bolts", "M20", pump.foundation_torque),
                ("Seal gland screws", "M10", pump.gland_torque),
                ("Impeller nut", "M24 x 1.5", pump.impeller_torque),
                ("Coupling bolts", "M12", pump.coupling_torque),
                ("Bearing cover", "M8", "24 N·m"),
            ),
        ),
    )


def disassembly(pump: Pump) -> tuple[Block, ...]:
    """Taking apart and putting together."""
    return (
        Heading("7 Disassembly and assembly"),
        Heading("7.1 Disassembly", 2),
        Bullets(
            (
                "Lock out, close the valves, drain the casing (about 14 litres of water).",
                "Remove the guard and the coupling spacer; the motor stays in place.",
                "Undo the twelve casing bolts and use the two jacking screws M12.",
                "Hold the shaft and undo the impeller nut: it has a right-hand thread.",
                "Pull the impeller with puller EX-150. Never hammer on the bronze.",
                f"Take out the mechanical seal {pump.seal} together with its sleeve.",
            ),
            numbered=True,
        ),
        Heading("7.2 Wear limits", 2),
        Table(
            ("Part", "New", "Replace at"),
            (
                ("Gap between impeller and wear ring", pump.clearance, "0.80 mm"),
                ("Shaft run-out at the seal", "0.02 mm", "0.05 mm"),
                ("Axial play of the shaft", "0.10 mm", "0.30 mm"),
                ("Shaft diameter at the seal", pump.shaft, "0.05 mm below nominal"),
            ),
        ),
        Heading("7.3 Assembly", 2),
        Paragraph(
            f"Heat the bearings {pump.bearings[0]} (drive end) and {pump.bearings[1]} (non-drive "
            "end) to 90 °C with the induction heater, never above 110 °C. Push them on with a tube "
            "on the inner ring. Fit a new casing gasket "
            f"{pump.gasket} every time; it may not be glued."
        ),
        Paragraph(
            f"Tighten the casing bolts crosswise to {pump.casing_torque} in two steps: first half "
            "the torque, then the full torque. Use torque wrench TQ-0042. The seal gland screws "
            f"get {pump.gland_torque} with wrench TQ-0017."
        ),
        Paragraph(
            "Turn the shaft by hand: it must move freely without scraping. Fill the casing, open "
            "the drain cock of the seal chamber until water comes out, and test for leaks at 6 bar "
            "for 10 minutes."
        ),
        Heading("7.4 Seal replacement", 2),
        Paragraph(
            f"The seal {pump.seal} is set 62 mm from the shoulder of the shaft. Clean the faces "
            "with alcohol and lint-free paper and do not touch them with bare fingers. Lubricate "
            "the rubber with soapy water, not with oil. The replacement takes two mechanics about "
            "4 hours."
        ),
    )


def troubleshooting(pump: Pump) -> tuple[Block, ...]:
    """Symptoms, causes and remedies."""
    return (
        Heading("8 Troubleshooting"),
        Table(
            ("Symptom", "Possible cause", "Remedy"),
            (
                ("No flow after start", "casing not primed", "prime again, check the foot valve"),
                ("Low flow", "suction strainer clogged", "clean the strainer"),
                ("Low pressure", "worn wear ring", "measure the gap and replace the ring"),
                ("High current", "casing rubbing or too much flow", "throttle, then open the pump"),
                ("High vibration", "misalignment or worn coupling insert", "align; replace insert"),
                ("Rattling noise", "cavitation", "raise the suction level, reduce the flow"),
                ("Hot bearing", "too much grease", "remove the excess and grease again"),
                ("Hot bearing soon after assembly", "axial preload", "check the axial play"),
                ("Seal leaks at start", "dirt between the faces", "flush for 10 minutes"),
                ("Seal leaks all the time", "faces scratched by sand", "replace the seal"),
                ("Motor trips at once", "wrong relay setting", f"set the relay to {pump.current}"),
                ("Shaft turns backwards", "check valve leaks", "repair the check valve CV-12"),
            ),
        ),
        Heading("8.1 When vibration rises", 2),
        Paragraph(
            "Above 4.5 mm/s measure every hour. Above 6.0 mm/s start the standby pump at the next "
            "opportunity. At 7.1 mm/s the control system trips the pump. Write the reading, the "
            "flow and the bearing temperature in the work order, because together they tell "
            "imbalance from cavitation."
        ),
        Heading("8.2 When the seal leaks", 2),
        Paragraph(
            "Up to 5 drops per minute are normal during the first 48 hours. Between 5 and 20 drops "
            "order a seal and plan the replacement within 7 days. Above 20 drops stop the pump."
        ),
        Drawing(
            420,
            150,
            (
                Rect(10, 100, 110, 34, "vibration high?"),
                Rect(155, 100, 110, 34, "alignment"),
                Rect(300, 100, 110, 34, "coupling insert"),
                Rect(155, 30, 110, 34, "imbalance"),
                Rect(300, 30, 110, 34, "cavitation"),
                Line(120, 117, 155, 117, arrow=True),
                Line(265, 117, 300, 117, arrow=True),
                Line(355, 100, 355, 64, arrow=True),
                Line(300, 47, 265, 47, arrow=True),
            ),
            caption=f"Figure 5: order of checks when {pump.tag} vibrates",
        ),
    )


def spare_parts(pump: Pump) -> tuple[Block, ...]:
    """Recommended spare parts and revision history."""
    return (
        Heading("9 Spare parts"),
        Table(
            ("Part", "Description", "Recommended stock"),
            (
                (pump.seal, f"mechanical seal, shaft {pump.shaft}", "2"),
                (pump.bearings[0], "drive-end bearing", "2"),
                (pump.bearings[1], "non-drive-end bearing", "2"),
                (pump.gasket, "casing gasket", "4"),
                (pump.insert, "coupling insert", "2"),
            ),
        ),
        Heading("10 Revision history"),
        Table(
            ("Edition", "Date", "Change"),
            (
                ("1", f"March {pump.year}", "first edition"),
                ("2", "June 2022", "laser alignment added"),
                ("3", "May 2023", "new seal supplier SealTec"),
                ("4", "October 2024", "relubrication interval and alarm limits revised"),
            ),
        ),
    )
