"""RTF (Rich Text Format 1.9.1): text, headings by style, tables; what is hidden is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.source import Source
from connectors.readers.spans import Cell, place_cells
from connectors.readers.text import best_title, clean

_TOKEN = re.compile(
    rb"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\([^A-Za-z0-9])|([{}])|[\r\n]+"
    rb"|([^\\{}\r\n]+)",
    re.DOTALL,
)
_MAX_NESTING = 1_000
_SKIPPED = frozenset(
    b"fonttbl colortbl info pict object fldinst header headerl headerr headerf footer footerl "
    b"footerr footerf themedata colorschememapping datastore latentstyles listtable "
    b"listoverridetable rsidtbl generator xmlnstbl filetbl revtbl bkmkstart bkmkend pntext "
    b"nonshppict annotation atnid atnauthor atrfstart atrfend comment mmathPr operator".split()
)
_SYMBOLS = {
    b"tab": "\t", b"line": "\n", b"emdash": "—", b"endash": "–", b"bullet": "•",
    b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"emspace": " ", b"enspace": " ", b"~": "\xa0", b"_": "-", b"\n": "\n", b"\r": "\n",
    b"{": "{", b"}": "}", b"\\": "\\",
}  # fmt: skip
_CODE_PAGES = {b"ansi": "cp1252", b"mac": "mac-roman", b"pc": "cp437", b"pca": "cp850"}
_CHARSETS = {
    0: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257",
    204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_HEADING = re.compile(r"^(?:heading|título|titulo)\s*(\d)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits: whether it is shown, what its bytes mean, how many stand for one."""

    skipped: bool = False
    hidden: bool = False
    encoding: str = "cp1252"
    fallback: int = 1
    target: bytes = b""


@dataclass
class _Paragraph:
    style: int = 0
    level: int | None = None
    in_table: bool = False


@dataclass
class _Document:
    """The text read so far, and what the header says about fonts and styles."""

    outline: Outline
    encoding: str = "cp1252"
    fonts: dict[int, str] = field(default_factory=dict)
    styles: dict[int, int] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    about: _Paragraph = field(default_factory=_Paragraph)
    cells: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    number: int = 0
    title: str = ""
    n_hidden: int = 0

    def flush_bytes(self, encoding: str) -> None:
        """Decode the bytes gathered so far."""
        if self.raw:
            try:
                self.text.append(self.raw.decode(encoding, "replace"))
            except LookupError:
                self.text.append(self.raw.decode("cp1252", "replace"))
            self.raw.clear()

    def end_paragraph(self) -> None:
        """Add the paragraph, or keep it for the cell it stands in."""
        if self.about.in_table:
            self.text.append("\n")
            return
        self.end_table()
        text, self.text = "".join(self.text), []
        level = self.about.level
        if level is None:
            level = self.styles.get(self.about.style)
        if level is not None and len(text) <= 300:
            self.outline.heading(text, level)
        else:
            self.outline.paragraph(text)

    def end_cell(self) -> None:
        """Keep the cell for its row."""
        self.cells.append(clean("".join(self.text)))
        self.text = []

    def end_row(self) -> None:
        """Keep the row for its table."""
        if any(self.cells):
            self.rows.append([Cell(cell) for cell in self.cells])
        self.cells = []

    def end_table(self) -> None:
        """Add the table that has ended, if one has."""
        if self.cells:
            self.end_row()
        if self.rows:
            place_cells(self.outline, self.rows)
            self.rows = []


def read(source: Source) -> Reading:
    """Read an RTF file."""
    outline = Outline()
    title, n_hidden = place_rtf(outline, source.path.read_bytes())
    if not outline.blocks:
        raise ReadError("empty", "The document holds no visible text.")
    warnings = (f"Hidden text was removed at {n_hidden} places.",) if n_hidden else ()
    title = best_title(title, outline.first_heading, source.name)
    return Reading(source.media_type, title, tuple(outline.blocks), warnings=warnings)


def place_rtf(outline: Outline, data: bytes) -> tuple[str, int]:
    """Add the blocks of an RTF text; returns its title and at how many places text was hidden.

    Groups are kept on a list, not on the call stack; raises `ReadError` if they are nested deeper
    than any program writes them.
    """
    document = _Document(outline)
    stack: list[_State] = []
    state = _State()
    at = pending = 0
    while (match := _TOKEN.match(data, at)) is not None:
        at = match.end()
        word, number, code, symbol, brace, text = match.groups()
        if brace == b"{":
            document.flush_bytes(state.encoding)
            stack.append(state)
            if len(stack) > _MAX_NESTING:
                raise ReadError("bomb", "The file is nested too deeply to read.")
        elif brace:
            document.flush_bytes(state.encoding)
            _end_group(document, state)
            state = stack.pop() if stack else _State()
        elif word == b"bin":
            at += max(0, int(number or 0))
        elif word is not None or symbol is not None:
            value = int(number) if number is not None else None
            state, pending = _control(document, state, word or symbol, value, pending)
        elif code is not None or text is not None:
            piece = bytes([int(code, 16)]) if code is not None else text
            dropped = min(pending, len(piece))
            pending -= dropped
            _add(document, state, piece[dropped:])
    document.flush_bytes(state.encoding)
    document.end_paragraph()
    document.end_table()
    return document.title, document.n_hidden


def _add(document: _Document, state: _State, data: bytes) -> None:
    if state.target in (b"stylesheet", b"fonttbl", b"title"):
        document.raw += data
    elif state.skipped:
        return
    elif state.hidden:
        document.n_hidden += bool(data.strip())
    else:
        document.raw += data


def _end_group(document: _Document, state: _State) -> None:
    if not state.target:
        return
    text = clean("".join(document.text))
    if state.target == b"stylesheet" and (match := _HEADING.match(text.rstrip(";"))):
        document.styles[document.number] = int(match.group(1))
    elif state.target == b"title":
        document.title = document.title or text
    document.text = []


def _control(
    document: _Document, state: _State, word: bytes, value: int | None, pending: int
) -> tuple[_State, int]:
    """The state after a control word, and how many bytes that stand for a character to skip."""
    if word == b"u" and value is not None:
        document.flush_bytes(state.encoding)
        if not (state.skipped or state.hidden):
            document.text.append(chr(value % 0x10000))
        return state, state.fallback
    if word in _SYMBOLS:
        document.flush_bytes(state.encoding)
        if not (state.skipped or state.hidden):
            document.text.append(_SYMBOLS[word])
        return state, max(0, pending - 1)
    if word == b"*" or word in _SKIPPED:
        target = b"fonttbl" if word == b"fonttbl" else state.target
        return replace(state, skipped=True, target=target), 0
    if word in (b"stylesheet", b"title"):
        document.text = []
        return replace(state, skipped=True, target=word), 0
    if not state.skipped or state.target:
        document.flush_bytes(state.encoding)
        _structure(document, state, word, value or 0)
    return _changed(document, state, word, value), 0


def _structure(document: _Document, state: _State, word: bytes, value: int) -> None:
    if state.target:
        if word in (b"s", b"f"):
            document.number = value
        elif word == b"fcharset":
            document.fonts[document.number] = _CHARSETS.get(value, "cp1252")
    elif word in _ENDS:
        _ENDS[word](document)
    elif word == b"pard":
        document.about = _Paragraph()
    elif word == b"intbl":
        document.about.in_table = True
    elif word == b"s":
        document.about.style = value
    elif word == b"outlinelevel" and value < 9:
        document.about.level = value + 1


_ENDS = {
    b"par": _Document.end_paragraph,
    b"sect": _Document.end_paragraph,
    b"page": _Document.end_paragraph,
    b"cell": _Document.end_cell,
    b"nestcell": _Document.end_cell,
    b"row": _Document.end_row,
    b"nestrow": _Document.end_row,
}


def _changed(document: _Document, state: _State, word: bytes, value: int | None) -> _State:
    if word in (b"v", b"deleted", b"htmlrtf"):
        return replace(state, hidden=value != 0)
    if word == b"plain":
        return replace(state, hidden=False, encoding=document.encoding)
    if word == b"uc":
        return replace(state, fallback=min(max(0, value or 0), 8))
    if word == b"f" and not state.target:
        return replace(state, encoding=document.fonts.get(value or 0, document.encoding))
    if word in _CODE_PAGES or word == b"ansicpg":
        document.encoding = _CODE_PAGES.get(word, f"cp{value}")
        return replace(state, encoding=document.encoding)
    return state
