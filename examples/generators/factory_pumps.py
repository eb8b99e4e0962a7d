"""The manuals of two pumps that look alike and differ in the figures that matter."""

from __future__ import annotations

from pathlib import Path

from examples.generators.factory_pump_care import (
    disassembly,
    maintenance,
    spare_parts,
    torques,
    troubleshooting,
)
from examples.generators.factory_pump_model import P_101 as P_101
from examples.generators.factory_pump_model import P_102 as P_102
from examples.generators.factory_pump_model import Pump
from examples.generators.factory_pump_use import (
    installation,
    introduction,
    operation,
    technical_data,
)
from examples.generators.paper import (
    PageBreak,
    pdf,
)


def write_pump_manual(folder: Path, pump: Pump, company: str) -> None:
    """Write one pump's operating and maintenance manual (9 pages)."""
    blocks = (
        *introduction(pump),
        PageBreak(),
        *technical_data(pump),
        PageBreak(),
        *installation(pump),
        PageBreak(),
        *operation(pump),
        PageBreak(),
        *maintenance(pump),
        *torques(pump),
        PageBreak(),
        *disassembly(pump),
        PageBreak(),
        *troubleshooting(pump),
        PageBreak(),
        *spare_parts(pump),
    )
    pdf(
        folder / f"manuals/manual-{pump.tag.lower()}.pdf",
        f"Operating and maintenance manual, cooling water pump {pump.tag}",
        blocks,
        company=company,
        subtitle=f"Document MAN-{pump.tag}, edition 4, October 2024\nSerial number {pump.serial}",
    )
