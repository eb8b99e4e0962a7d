"""AsciiDoc: headings, paragraphs, lists, tables and code; nothing is included from elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.source import Source
from connectors.readers.spans import Cell, place_cells
from connectors.readers.text import best_title, decode, language

_HEADING = re.compile(r"^(={1,6})\s+(\S.*?)\s*=*$")
_ATTRIBUTE = re.compile(r"^:!?([\w-]+)!?:(?:\s+(.*))?$")
_ITEM = re.compile(r"^\s*([*]{1,5}|-|[.]{1,5}|\d+[.])\s+(\S.*)$")
_TERM = re.compile(r"^(\S.*?)(?:::|;;)(?:\s+(.*))?$")
_FENCE = re.compile(r"^(-{4,}|\.{4,}|\+{4,}|={4,}|\*{4,}|_{4,}|/{4,}|--|```\w*)$")
_BLOCK_LINE = re.compile(r"^\[.*\]$")
_MACRO = re.compile(r"^(image|video|audio|toc|include|ifdef|ifndef|endif|ifeval)::")
_LABEL = re.compile(r"^\.([^\s.].*)$")
_LINK = re.compile(r"(?:link:|xref:|mailto:|https?://)[^\s\[\]]*\[([^\]]+)\]")
_NAMED = re.compile(r"\b(?:btn|kbd|menu|image|footnote|stem):[^\s\[]*\[([^\]]*)\]")
_REFERENCE = re.compile(r"<<[^,>]+,\s*([^>]+)>>")
_ANCHOR = re.compile(r"\[\[[^\]]*\]\]|<<[^>]*>>|\[[#.][^\]]*\](?=[#*_`])")
_STRONG = re.compile(r"(?<![\w*])(\*\*?|__?|``?|##?)(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_CELL = re.compile(r"(?<!\\)(?:(?:^|(?<=\s))(?:[\d.]+[+*])?(?:\.?[<^>]){0,2}[adehlms]?)?\|")
_VERBATIM = frozenset("-.+`")


@dataclass
class _Page:
    """The lines of a document on their way into blocks."""

    outline: Outline
    attributes: dict[str, str] = field(default_factory=dict)
    prose: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def end(self) -> None:
        """Add what has been gathered."""
        self.end_prose()
        if self.items:
            self.outline.items(self.items)
        self.items = []

    def end_prose(self) -> None:
        """Add the paragraph and the rows gathered so far."""
        if self.rows:
            _table(self.outline, self.rows)
        self.outline.paragraph(_inline(" ".join(self.prose)))
        self.prose, self.rows = [], []


def read(source: Source) -> Reading:
    """Read an AsciiDoc file; `include::` is not followed."""
    lines = decode(source.path.read_bytes()).replace("\x00", "").splitlines()
    page = _Page(Outline())
    at = 0
    while at < len(lines):
        at = _step(page, lines, at)
    page.end()
    if not page.outline.blocks:
        raise ReadError("empty", "The file holds no visible text.")
    return Reading(
        source.media_type,
        best_title(None, page.outline.first_heading, source.name),
        tuple(page.outline.blocks),
        language(page.attributes.get("lang")),
        warnings=tuple(dict.fromkeys(page.warnings)),
    )


def _step(page: _Page, lines: list[str], at: int) -> int:
    """Take the line at an index; returns the index of the next."""
    line = lines[at].rstrip()
    if line.strip().startswith("|==="):
        return _fenced_table(page, lines, at)
    if _FENCE.match(line):
        return _fenced(page, lines, at)
    if not line.strip():
        page.end_prose()
    elif match := _HEADING.match(line):
        page.end()
        page.outline.heading(_inline(match.group(2)), len(match.group(1)))
    elif line.lstrip().startswith("|"):
        page.rows.append(line)
    elif not _is_skipped(page, line):
        _text(page, line)
    return at + 1


def _is_skipped(page: _Page, line: str) -> bool:
    """Comments, attributes, options of blocks, and what stands in other files."""
    if match := _ATTRIBUTE.match(line):
        page.attributes[match.group(1)] = match.group(2) or ""
        return True
    if line.startswith("include::"):
        page.warnings.append("Text included from another file was not read.")
    return (
        line.startswith("//") or line == "+" or bool(_BLOCK_LINE.match(line) or _MACRO.match(line))
    )


def _text(page: _Page, line: str) -> None:
    if match := _ITEM.match(line):
        page.end_prose()
        mark, text = match.groups()
        depth = len(mark) - 1 if mark[0] in "*." else 0
        sign = "-" if mark[0] in "*-" else f"{_count(page.items, depth)}."
        page.items.append(f"{'  ' * depth}{sign} {_inline(text)}")
    elif match := _LABEL.match(line):
        page.end()
        page.outline.caption(_inline(match.group(1)))
    elif page.items and not page.prose and line[0].isspace():
        page.items[-1] += f" {_inline(line)}"
    elif match := _TERM.match(line):
        page.end_prose()
        page.items.append(f"- {_inline(match.group(1))}: {_inline(match.group(2) or '')}")
    else:
        if page.items:
            page.end()
        page.prose.append(line.removesuffix(" +"))


def _count(items: list[str], depth: int) -> int:
    """The number of the next numbered item at a depth."""
    number = 1
    for item in reversed(items):
        indent = (len(item) - len(item.lstrip())) // 2
        if indent < depth or (indent == depth and not item.lstrip()[0].isdigit()):
            break
        number += indent == depth
    return number


def _fenced(page: _Page, lines: list[str], at: int) -> int:
    """Code and literal text as they stand; comments are dropped; other frames are just text."""
    fence = lines[at].rstrip()
    end_mark = "```" if fence.startswith("```") else fence
    kind = fence[0]
    if kind not in _VERBATIM | {"/"} or fence == "--":
        page.end()
        return at + 1
    end = at + 1
    while end < len(lines) and lines[end].rstrip() != end_mark:
        end += 1
    page.end()
    if kind != "/":
        page.outline.code("\n".join(lines[at + 1 : end]))
    return end + 1


def _fenced_table(page: _Page, lines: list[str], at: int) -> int:
    end = at + 1
    while end < len(lines) and not lines[end].strip().startswith("|==="):
        end += 1
    page.end()
    _table(page.outline, lines[at + 1 : end])
    return end + 1


def _table(outline: Outline, lines: list[str]) -> None:
    """Cells row by row; the first line tells how many a row has."""
    texts: list[str] = []
    width = 0
    for line in lines:
        if line.lstrip().startswith("//") or not line.strip():
            continue
        start = _CELL.match(line.strip())
        cells = [_inline(cell) for cell in _CELL.split(line.strip())]
        if start is None and texts:
            texts[-1] += f" {cells[0]}"
        texts += cells[1:] if len(cells) > 1 else []
        while width == 0 and texts and not texts[-1]:
            texts.pop()
        width = width or len(texts)
    if width == 0:
        return
    rows = [texts[i : i + width] for i in range(0, len(texts), width)]
    if any(len([c for c in _CELL.split(line.strip())[1:] if c.strip()]) > 1 for line in lines[1:]):
        rows = [
            [_inline(cell) for cell in _CELL.split(line.strip())[1:]]
            for line in lines
            if _CELL.match(line.strip())
        ]
    place_cells(outline, [[Cell(cell) for cell in row] for row in rows])


def _inline(text: str) -> str:
    """Text without marks of emphasis, links by their words."""
    text = _REFERENCE.sub(r"\1", text)
    text = _NAMED.sub(r"\1", _LINK.sub(r"\1", text))
    return _STRONG.sub(r"\2", _ANCHOR.sub("", text)).replace("\\", "").strip()
