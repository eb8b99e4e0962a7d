"""The manuals of two drills that look alike and differ in a few figures."""

from __future__ import annotations

from pathlib import Path

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
    pdf,
)

TROUBLE: tuple[Block, ...] = (
    Heading("If something goes wrong"),
    Table(
        ("Sign", "Meaning", "Remedy"),
        (
            ("Red light blinks", "battery too hot", "let it cool for 30 minutes"),
            ("Red light stays on", "overload", "release the trigger, use first gear"),
            (
                "No light",
                "battery empty or not seated",
                "charge or push in until it clicks",
            ),
        ),
    ),
)


def sketch(model: str, voltage: str) -> Drawing:
    """The parts of a drill, seen from the side."""
    return Drawing(
        300,
        130,
        (
            Rect(60, 60, 150, 40, "motor and gear"),
            Rect(210, 68, 40, 24, "chuck"),
            Rect(90, 15, 30, 45, "grip"),
            Circle(240, 112, 10, "1"),
            Line(240, 102, 232, 92, arrow=True),
            Label(130, 30, f"battery {voltage}"),
        ),
        caption=f"Figure 1: parts of the {model}",
    )


def write_drill_manual(
    folder: Path, model: str, sku: str, voltage: str, screw_torque: str, chuck: str, speed: str
) -> None:
    """Write a drill's short manual; the two models differ in a handful of figures."""
    big = model == "FM-550"
    pdf(
        folder / f"products/manual-{model.lower()}.pdf",
        f"FerraMax {model} user manual",
        (
            Heading("Your drill"),
            Paragraph(
                f"The FerraMax {model} ({sku}) is a cordless hammer drill of {voltage} with a "
                f"{chuck} chuck and a top speed of {speed}. Read this manual before first use."
            ),
            sketch(model, voltage),
            Heading("Charging"),
            Paragraph(
                f"Charge the battery for {'75' if big else '60'} minutes before first use. Charge "
                f"between 5 °C and 40 °C. Use only the charger FM-C20. Store the battery at "
                f"{'50%' if big else '40%'} charge when the drill is not used for more than a "
                "month."
            ),
            Heading("Clutch settings"),
            Table(
                ("Setting", "Use", "Clutch torque"),
                (
                    ("1 to 5", "small screws in soft wood", "2 N·m" if not big else "3 N·m"),
                    ("6 to 12", "screws in hard wood", "9 N·m" if not big else "12 N·m"),
                    ("13 to 18", "large screws and wall plugs", screw_torque),
                    ("Drill symbol", "drilling without clutch", "45 N·m" if not big else "62 N·m"),
                ),
            ),
            Heading("Changing the chuck"),
            Paragraph(
                "Remove the battery. Open the jaws and undo the left-hand screw inside the chuck. "
                f"When fitting the new chuck, tighten that screw to "
                f"{'7 N·m' if big else '5 N·m'}."
            ),
            Heading("Maintenance"),
            Bullets(
                (
                    "Blow out the air slots after every 10 hours of work.",
                    f"Have the carbon brushes checked after {'150' if big else '100'} hours.",
                    "Never clean the plastic case with thinner or petrol.",
                )
            ),
            *TROUBLE,
        ),
        company="FerraMax",
        subtitle=f"Model {model}, edition 2 of November 2024",
        cover=False,
    )
