"""HL7 v2 as it is written: messages, segments, fields, repetitions, components, escapes.

HL7 v2.9.1 chapter 2: `MSH|^~\\&|…`; lines end in CR, in practice also in LF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.readers.errors import ReadError
from connectors.readers.text import decode

Field = list[list[str]]
"""One repetition of a field: its components, each with its subcomponents, unescaped."""

# HL7 table 0211, as far as Python knows the encodings.
_ENCODINGS = {
    "ASCII": "ascii",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UTF-8": "utf-8",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
} | {f"8859/{n}": f"iso8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}
_FRAMING = str.maketrans("", "", "\x0b\x1a\x1c")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_ENVELOPE = frozenset({"FHS", "BHS", "BTS", "FTS"})
_MAX_SEGMENTS = 500_000


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that MSH-1 and MSH-2 declare; empty where a message has none."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


@dataclass(frozen=True, slots=True)
class Segment:
    """One line of a message: its name, its raw fields (`fields[1]` is field 1), its line number."""

    name: str
    fields: tuple[str, ...]
    delimiters: Delimiters
    line: int

    def raw(self, n: int) -> str:
        """Field n as it is written; empty when it is missing or `""` (delete)."""
        value = self.fields[n] if n < len(self.fields) else ""
        return "" if value == '""' else value

    def repetitions(self, n: int) -> list[Field]:
        """All repetitions of field n that hold something."""
        marks = self.delimiters
        found = []
        for one in _split(self.raw(n), marks.repetition):
            if one and one != '""':
                components = _split(one, marks.component)
                found.append(
                    [
                        [unescaped(part, marks) for part in _split(c, marks.subcomponent)]
                        for c in components
                    ]
                )
        return found

    def text(self, n: int, component: int = 1, subcomponent: int = 1) -> str:
        """A component of the first repetition of field n."""
        repetitions = self.repetitions(n)
        return part(repetitions[0], component, subcomponent) if repetitions else ""


def part(field: Field, component: int, subcomponent: int = 1) -> str:
    """A component of a field, counted from 1 as the standard does."""
    if component > len(field) or subcomponent > len(field[component - 1]):
        return ""
    value = field[component - 1][subcomponent - 1].strip()
    return "" if value == '""' else value


@dataclass(frozen=True, slots=True)
class Message:
    """The segments of one message; the first is its MSH."""

    segments: tuple[Segment, ...]

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next((s for s in self.segments if s.name == name), None)


def messages(data: bytes, warnings: list[str]) -> Iterator[Message]:
    """Yield the messages of a file: a single one, several, or a batch (FHS, BHS).

    Raises `ReadError` `corrupt` with the line where the syntax breaks.
    """
    current: list[Segment] = []
    n_messages = 0
    declared: int | None = None
    for segment in _segments(_decoded(data)):
        if segment.name in _ENVELOPE:
            if segment.name == "BTS":
                count = segment.raw(1).strip()
                declared = (declared or 0) + int(count) if count.isdigit() else declared
            continue
        if segment.name == "MSH" and current:
            n_messages += 1
            yield Message(tuple(current))
            current = []
        current.append(segment)
    if current:
        n_messages += 1
        yield Message(tuple(current))
    if declared is not None and declared != n_messages:
        warnings.append(f"The batch says it has {declared} messages, but has {n_messages}.")


def unescaped(text: str, marks: Delimiters) -> str:
    """Text with its escape sequences replaced (chapter 2.7): `\\T\\` is `&`, `\\.br\\` a line."""
    if not marks.escape or marks.escape not in text:
        return text
    e = re.escape(marks.escape)
    return re.sub(rf"{e}([^{e}]*){e}", lambda found: _meaning(found.group(1), marks), text)


def _meaning(code: str, marks: Delimiters) -> str:
    single = {
        "F": marks.field,
        "S": marks.component,
        "T": marks.subcomponent,
        "R": marks.repetition,
        "E": marks.escape,
        "P": "#",
        ".br": "\n",
        ".sp": "\n",
        ".ce": "\n",
    }
    if code in single:
        return single[code]
    if code[:1] == "X" and len(code) % 2 == 1 and re.fullmatch(r"[0-9A-Fa-f]+", code[1:]):
        return decode(bytes.fromhex(code[1:]))
    if re.fullmatch(r"\.(sp|sk|in|ti)[+-]?\d+", code):
        return "\n" if code.startswith(".sp") else " "
    # Highlighting, character sets and local sequences change how text looks, not what it says.
    return "" if re.fullmatch(r"[HNCMZ.]\w*", code) else f"{marks.escape}{code}{marks.escape}"


def _split(text: str, mark: str) -> list[str]:
    return text.split(mark) if mark else [text]


def _decoded(data: bytes) -> str:
    """A file's text in the encoding of its first MSH-18; UTF-8 and others are found without."""
    head = data[:4096].replace(b"\x00", b"").decode("latin-1")
    header = re.search(r"MSH(.)[^\r\n]*", head)
    if header:
        fields = header.group(0).split(header.group(1))
        name = re.split(r"[~^]", fields[17])[0].strip().upper() if len(fields) > 17 else ""
        encoding = _ENCODINGS.get(name)
        is_wide = data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or 0 in data[:8]
        if encoding and not is_wide:
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                pass
    return decode(data)


def _segments(text: str) -> Iterator[Segment]:
    marks: Delimiters | None = None
    pending: tuple[str, int] | None = None
    n_segments = 0
    text = text.translate(_FRAMING).replace("\r\n", "\r").replace("\n", "\r").lstrip("\ufeff\r ")
    for number, written in enumerate(text.split("\r"), 1):
        line = written.lstrip("\ufeff")
        if not line.strip():
            continue
        if _begins(line, marks):
            if pending and marks:
                yield _segment(*pending, marks)
            if line.startswith(("MSH", "FHS", "BHS")):
                marks = _delimiters(line, number)
            pending = (line, number)
            n_segments += 1
        elif pending and (pending[0].startswith(("OBX", "NTE", "TXA", "Z"))):
            pending = (f"{pending[0]}\n{line}", pending[1])
        else:
            raise ReadError(
                "corrupt",
                f"Line {number} is no HL7 segment (three capitals and a separator); "
                "check how the message was cut.",
            )
        if n_segments > _MAX_SEGMENTS:
            raise ReadError("too_large", f"The file has over {_MAX_SEGMENTS} segments; split it.")
    if pending and marks:
        yield _segment(*pending, marks)


def _begins(line: str, marks: Delimiters | None) -> bool:
    """Whether a line begins a segment."""
    if line.startswith(("MSH", "FHS", "BHS")) and len(line) > 3 and not line[3].isalnum():
        return True
    if marks is None or not _NAME.match(line):
        return False
    return len(line.rstrip()) == 3 or line[3] == marks.field


def _delimiters(line: str, number: int) -> Delimiters:
    field = line[3]
    declared = line[4:].split(field)[0]
    own = [*declared[:4], *[""] * (4 - len(declared[:4]))]
    used = [field, *filter(None, own)]
    if not declared or len(set(used)) != len(used) or any(c.isalnum() for c in used):
        raise ReadError(
            "corrupt",
            f"The {line[:3]} segment in line {number} declares no usable separators "
            "(MSH-1 and MSH-2, normally |^~\\&); export the message again.",
        )
    return Delimiters(field, *own)


def _segment(line: str, number: int, marks: Delimiters) -> Segment:
    fields = line.split(marks.field)
    if fields[0] in ("MSH", "FHS", "BHS"):
        fields.insert(1, marks.field)
    return Segment(fields[0].strip(), tuple(fields), marks, number)
