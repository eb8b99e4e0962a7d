"""Which segments a message of HL7 v2 must have (chapters 3 to 10 of the standard).

A message has no end of its own: that one was cut shows only by what it lacks.
"""

from __future__ import annotations

from connectors.readers.health.segments import Message

_BY_TYPE = {
    "ACK": ("MSA",),
    "ADT": ("EVN", "PID"),
    "BAR": ("EVN", "PID"),
    "DFT": ("EVN", "PID"),
    "MDM": ("EVN", "PID", "TXA"),
    "MFN": ("MFI", "MFE"),
    "ORM": ("ORC",),
    "ORU": ("OBR",),
    "OUL": ("OBR",),
    "SIU": ("SCH",),
    "VXU": ("PID",),
}
# Events about a visit; the others of ADT may do without one. A20 is about a bed.
_VISITS = frozenset(f"A{n:02}" for n in (*range(1, 18), 21, 22, 23, 25, 26, 27, 38))


def missing(message: Message) -> list[str]:
    """The segments that a message lacks, of a few well-known types."""
    kind, event = message.header.text(9), message.header.text(9, 2)
    required = [*_BY_TYPE.get(kind, ())]
    if kind == "ADT" and event == "A20":
        required = ["EVN", "NPU"]
    elif kind == "ADT" and event in _VISITS:
        required.append("PV1")
    had = {segment.name for segment in message.segments}
    return [name for name in required if name not in had]
