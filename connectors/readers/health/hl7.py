"""HL7 v2 messages: each segment as a sentence, with its values, about one patient."""

from __future__ import annotations

from decimal import Decimal

from connectors.readers import enclosed
from connectors.readers.errors import ReadError
from connectors.readers.health.hl7_segments import EVENTS, KINDS, MERGES, SILENT, Kind
from connectors.readers.health.hl7_structures import missing
from connectors.readers.health.hl7_words import (
    TABLES,
    WORDS,
    anything,
    code,
    coded,
    identifier_of,
    moment,
)
from connectors.readers.health.patients import Identifier, subject
from connectors.readers.health.segments import Field, Message, Segment, messages, part
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value, decimal
from connectors.readers.register import Register
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, language

_TIMES = frozenset({"TS", "DR"})
# An id of the record itself, where the segment has one: (segment, field).
_IDS = {"PV1": 19, "ORC": 3, "OBR": 3, "TXA": 12, "SCH": 2, "SPM": 2, "FT1": 2, "PRB": 4, "IN1": 36}


def read(source: Source) -> Reading:
    """Read a file of one message, of several, or of a batch; raises `ReadError`."""
    register = Register(cap=source.limits.rows)
    title = ""
    n_messages = 0
    for message in messages(source.path.read_bytes(), register.warnings):
        if message.header.name != "MSH":
            line = message.header.line
            raise ReadError(
                "corrupt", f"Line {line} is not in a message: an MSH segment is missing."
            )
        n_messages += 1
        if lacking := missing(message):
            register.warnings.append(
                f"The message at line {message.header.line} lacks {', '.join(lacking)}, which its "
                "type requires: it may be a part of a message."
            )
        register.lang = register.lang or language(part_language(message.header))
        shown = _Telling(message, register, source).tell()
        title = title or shown
    if not n_messages:
        raise ReadError("empty", "The file holds no HL7 message, only a batch header.")
    return Reading(
        source.media_type,
        best_title(title if n_messages == 1 else None, None, source.name),
        tuple(register.outline.blocks),
        register.lang,
        tuple(register.records),
        tuple(register.warnings),
    )


def part_language(header: Segment) -> str:
    """MSH-19: the principal language of the message."""
    return header.text(19)


class _Telling:
    """One message told segment by segment: whom it is about changes with each PID."""

    def __init__(self, message: Message, register: Register, source: Source) -> None:
        self._message = message
        self._register = register
        self._source = source
        self._name = ""
        self._subject = ""
        self._order = ""

    def tell(self) -> str:
        """Add the records of the message; returns its title."""
        header = self._message.header
        kind, event = header.text(9), header.text(9, 2)
        pid = self._message.first("PID")
        name = _names(pid)[0] if pid and _names(pid) else ""
        worded = EVENTS.get(event, "")
        head = f"{kind}^{event}".strip("^") + (f" ({worded})" if worded else "")
        title = " — ".join(filter(None, [head, name]))
        self._register.outline.heading(title or "HL7", 1)
        self._about(pid)
        self._register.state(
            "message",
            head,
            {
                "type": kind,
                "event": event,
                "date": moment(header.text(7)),
                "sender": _party(header, 3),
                "receiver": _party(header, 5),
                "control_id": header.text(10),
                "version": header.text(12),
            },
            record_id=header.text(10),
            subject=self._subject,
            silent=("type", "event"),
        )
        for segment in self._message.segments[1:]:
            self._segment(segment)
        return title

    def _segment(self, segment: Segment) -> None:
        match segment.name:
            case "PID":
                self._patient(segment)
            case "OBX":
                self._observation(segment)
            case "NTE":
                self._note(segment)
            case name if name in SILENT:
                return
            case name if name in KINDS:
                self._known(segment, KINDS[name])
            case _:
                self._unknown(segment)

    def _about(self, pid: Segment | None) -> None:
        if pid is not None:
            names = _names(pid)
            self._name = names[0] if names else ""
            self._subject = subject(_identifiers(pid, self._message.header))

    def _patient(self, pid: Segment) -> None:
        self._about(pid)
        found = _identifiers(pid, self._message.header)
        names = _names(pid)
        self._register.state(
            "patient",
            names[0] if names else "",
            {
                "name": names[0] if names else "",
                "other_names": (*names[1:], *_worded(pid, 9, "XPN")),
                "birth_date": moment(pid.text(7)),
                "gender": _table(pid, 8, "sex"),
                "race": _joined(pid, 10, "CWE"),
                "address": "; ".join(_worded(pid, 11, "XAD")),
                "telephone": ", ".join([*_worded(pid, 13, "XTN"), *_worded(pid, 14, "XTN")]),
                "language": _joined(pid, 15, "CWE"),
                "marital_status": _table(pid, 16, "marital"),
                "religion": _joined(pid, 17, "CWE"),
                "deceased": moment(pid.text(29)) or _table(pid, 30, "yes"),
                "identifiers": tuple(dict.fromkeys(map(str, found))),
            },
            record_id=found[0].value if found else "",
            subject=self._subject,
            silent=("name",),
        )

    def _observation(self, obx: Segment) -> None:
        coding = obx.repetitions(3)
        name = coded(coding[0]) if coding else ""
        value, words = _value(obx)
        kind = obx.text(2)
        self._state(
            "observation",
            " ".join(filter(None, [name, "" if kind in ("ED", "RP") else words])),
            {
                "name": name,
                "code": code(coding[0]) if coding else "",
                "value": value,
                "reference_range": clean(obx.raw(7)),
                "interpretation": ", ".join(
                    TABLES["flag"].get(part(f, 1), coded(f)) for f in obx.repetitions(8)
                ),
                "status": _table(obx, 11, "result"),
                "date": moment(obx.text(14)),
                "method": _joined(obx, 17, "CWE"),
                "order": self._order,
            },
            silent=("name", "value", "code", "order"),
            record_id=obx.text(21),
        )
        if kind == "ED":
            self._enclosed(obx, name)

    def _enclosed(self, obx: Segment, name: str) -> None:
        for field in obx.repetitions(5):
            kind, subtype, encoding = (part(field, n) for n in (2, 3, 4))
            label = name or f"{kind} {subtype}".strip() or "document"
            if encoding.lower() == "base64":
                declared = "application/pdf" if subtype.upper() == "PDF" else ""
                enclosed.place_base64(
                    self._register, part(field, 5), label, self._source.limits, declared
                )
            else:
                self._register.warn(
                    f"An enclosed file ({label}) in the form {encoding} was left out."
                )

    def _note(self, nte: Segment) -> None:
        text = " ".join(_worded(nte, 3, "ST"))
        self._state("note", text, {"note": text}, silent=("note",))

    def _known(self, segment: Segment, kind: Kind) -> None:
        values = {key: _entry(segment, n, how) for key, n, how in kind.fields}
        heads = [(key, _entry(segment, n, how)) for key, n, how in kind.head]
        head = next(((key, value) for key, value in heads if value), ("", None))
        first: dict[str, Value | None] = {head[0]: head[1]} if head[0] else {}
        codes = [code(f) for key, n, how in kind.head[:1] if how == "CWE"
                 for f in segment.repetitions(n)[:1]]  # fmt: skip
        if codes and codes[0]:
            first["code"] = codes[0]
        amount = decimal(str(values.get("amount") or ""))
        if segment.name == "RXA" and amount is not None:
            values["amount"] = Quantity(amount, str(values.pop("unit", None) or ""))
        if segment.name == "MRG" and self._message.header.text(9, 2) in MERGES:
            prior = [identifier_of(f, self._message.header) for f in segment.repetitions(1)]
            values["identifiers"] = tuple(str(one) for one in prior if one is not None)
        own = segment.text(_IDS[segment.name]) if segment.name in _IDS else ""
        if segment.name in ("ORC", "OBR"):
            self._order = segment.text(3) or segment.text(2)
        if not head[0] and not any(values.values()):
            return
        self._state(
            kind.kind,
            str(head[1] or ""),
            {**first, **{key: value for key, value in values.items() if key not in first}},
            silent=tuple(first),
            record_id=own,
        )

    def _unknown(self, segment: Segment) -> None:
        values: dict[str, Value | None] = {}
        for n in range(1, len(segment.fields)):
            text = ", ".join(filter(None, map(anything, segment.repetitions(n))))
            values[f"field_{n}"] = text[:1000]
        if any(values.values()):
            self._state("segment", segment.name, {"segment": segment.name, **values},
                        silent=("segment",))  # fmt: skip

    def _state(
        self,
        kind: str,
        head: str,
        values: dict[str, Value | None],
        silent: tuple[str, ...],
        record_id: str = "",
    ) -> None:
        self._register.state(
            kind,
            head,
            {"patient": self._name, **values},
            record_id=record_id,
            subject=self._subject,
            about=self._name,
            silent=("patient", *silent),
        )


def _names(pid: Segment) -> list[str]:
    return _worded(pid, 5, "XPN")


def _identifiers(pid: Segment, header: Segment) -> list[Identifier]:
    """PID-3 first, then older places: PID-2, PID-4, the SSN of PID-19, the licence of PID-20."""
    found = [identifier_of(f, header) for n in (3, 2, 4) for f in pid.repetitions(n)]
    found += [identifier_of([f[0][:1]], None, "SS") for f in pid.repetitions(19)]
    return list(dict.fromkeys(one for one in found if one is not None))


def _party(header: Segment, n: int) -> str:
    return ", ".join(filter(None, (header.text(n), header.text(n + 1))))


def _worded(segment: Segment, n: int, how: str) -> list[str]:
    return [text for field in segment.repetitions(n) if (text := clean(WORDS[how](field)))]


def _joined(segment: Segment, n: int, how: str) -> str:
    return ", ".join(_worded(segment, n, how))


def _table(segment: Segment, n: int, name: str) -> str:
    return ", ".join(
        TABLES[name].get(part(f, 1).upper(), "") or coded(f) for f in segment.repetitions(n)
    )


def _entry(segment: Segment, n: int, how: str) -> Value | None:
    if how in _TIMES:
        return moment(segment.text(n))
    if how.startswith("@"):
        return _table(segment, n, how[1:])
    return _joined(segment, n, how)


def _value(obx: Segment) -> tuple[Value | None, str]:
    """OBX-5 by the data type of OBX-2: an amount with its unit, a time, or words."""
    kind = obx.text(2)
    fields = obx.repetitions(5)
    unit = obx.text(6) or obx.text(6, 2)
    if kind in ("ED", "RP"):
        return None, ""
    if kind == "SN" and fields:
        comparator, first, separator, second = (part(fields[0], n) for n in range(1, 5))
        words = clean(f"{comparator}{first}{separator}{second}")
        amount = decimal(first) if not (comparator or second) else None
        return _amount(amount, unit, words)
    if kind in ("NM", "MO") and len(fields) == 1:
        return _amount(decimal(part(fields[0], 1)), unit, part(fields[0], 1))
    words = ", ".join(filter(None, (_told(kind, field) for field in fields)))
    if kind in ("DT", "TS", "DTM") and len(fields) == 1:
        return moment(part(fields[0], 1)), words
    return words, f"{words} {unit}".strip() if words else ""


def _amount(amount: Decimal | None, unit: str, words: str) -> tuple[Value | None, str]:
    told = f"{words} {unit}".strip() if words else ""
    return (Quantity(amount, unit) if amount is not None else words), told


def _told(kind: str, field: Field) -> str:
    how = {"CE": "CWE", "CNE": "CWE", "CF": "CWE", "IS": "CWE", "ID": "CWE", "CN": "XCN"}
    return clean(WORDS.get(how.get(kind, kind), anything)(field))
