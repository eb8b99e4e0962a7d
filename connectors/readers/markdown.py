"""Markdown: headings, paragraphs, lists, tables and code by its tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from connectors.readers.errors import ReadError
from connectors.readers.markup import place_html
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.source import Source
from connectors.readers.text import best_title, decode, language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*\n", re.DOTALL)
_FIELD = re.compile(r"^(title|lang|language):[ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.MULTILINE)


def read(source: Source) -> Reading:
    """Read a Markdown file; `title` and `lang` of a front matter are taken over."""
    text = re.sub(r"\r\n?", "\n", decode(source.path.read_bytes()))
    fields: dict[str, str] = {}
    if front := _FRONT.match(text):
        fields = dict(_FIELD.findall(front.group(1)))
        text = text[front.end() :]
    outline = Outline()
    warnings = _Placer(outline).place(MarkdownIt("commonmark").enable("table").parse(text))
    if not outline.blocks:
        raise ReadError("empty", "The file holds no visible text.")
    return Reading(
        source.media_type,
        best_title(fields.get("title"), outline.first_heading, source.name),
        tuple(outline.blocks),
        language(fields.get("lang") or fields.get("language")),
        warnings=tuple(warnings),
    )


class _Placer:
    """Turns a flat token stream into blocks."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._warnings: list[str] = []

    def place(self, tokens: Sequence[Token]) -> list[str]:
        """Add the blocks of a document; returns warnings."""
        i = 0
        while i < len(tokens):
            token = tokens[i]
            if token.nesting == 1 and token.type != "blockquote_open":
                end = _closing(tokens, i)
                self._block(tokens[i : end + 1])
                i = end
            elif token.type in ("fence", "code_block"):
                self._outline.code(token.content)
            elif token.type == "html_block":
                self._html(token.content)
            i += 1
        return self._warnings

    def _block(self, tokens: Sequence[Token]) -> None:
        kind = tokens[0].type
        if kind == "heading_open":
            self._outline.heading(self._inline(tokens[1]), int(tokens[0].tag[1]))
        elif kind == "paragraph_open":
            self._outline.paragraph(self._inline(tokens[1]))
        elif kind == "table_open":
            self._table(tokens)
        else:
            self._list(tokens)

    def _inline(self, token: Token) -> str:
        pieces = []
        for child in token.children or []:
            if child.type in ("text", "code_inline", "image"):
                pieces.append(child.content)
            elif child.type in ("softbreak", "hardbreak"):
                pieces.append(" ")
            elif child.type == "html_inline" and child.content.startswith("<!--"):
                self._warn()
            elif child.type == "html_inline" and child.content.lower().startswith("<br"):
                pieces.append(" ")
        return "".join(pieces)

    def _html(self, content: str) -> None:
        if "<!--" in content:
            self._warn()
        _, _, warnings = place_html(self._outline, content)
        self._warnings += [warning for warning in warnings if warning not in self._warnings]

    def _warn(self) -> None:
        warning = "A comment that readers of the page don't see was removed."
        if warning not in self._warnings:
            self._warnings.append(warning)

    def _table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[str]] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline" and rows:
                rows[-1].append(self._inline(token))
        self._outline.table(rows)

    def _list(self, tokens: Sequence[Token]) -> None:
        lines: list[str] = []
        marks: list[str] = []
        mark = ""
        for token in tokens:
            if token.type in ("bullet_list_open", "ordered_list_open"):
                marks.append(token.type)
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                marks.pop()
            elif token.type == "list_item_open":
                number = f"{token.info}." if marks[-1] == "ordered_list_open" else "-"
                mark = "  " * (len(marks) - 1) + number + " "
            elif token.type in ("inline", "fence", "code_block"):
                text = self._inline(token) if token.type == "inline" else token.content
                if mark or not lines:
                    lines.append(mark + text)
                else:
                    lines[-1] += " " + text
                mark = ""
        self._outline.items(lines)


def _closing(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for i in range(start, len(tokens)):
        depth += tokens[i].nesting
        if depth == 0:
            return i
    return len(tokens) - 1
