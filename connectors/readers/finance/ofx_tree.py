"""The elements of an OFX file: SGML of version 1, where leaves have no end tag, or XML of 2."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NoReturn

from connectors.readers.errors import ReadError
from connectors.readers.record import day, decimal
from connectors.readers.text import clean

_TOKEN = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(?P<raw>.*?)\]\]>"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][\w.-]*)\s*(?P<closed>/?)>|(?P<text>[^<]+)|(?P<stray><)",
    re.DOTALL,
)
_AGGREGATE = re.compile(r"(RS|RSV\d|RQ|LIST|FROM|TO|STMTTRN|INFO|BAL|TRAN|POS|OFX|STATUS|SECID)$")
_MAX_DEPTH = 60


@dataclass(slots=True)
class Node:
    """An element: with text, or with elements inside it. `line` counts from 1."""

    name: str
    line: int
    text: str = ""
    inner: list[Node] = field(default_factory=list)

    def first(self, path: str) -> Node | None:
        """Return the first element at a path of names, else None."""
        found: Node | None = self
        for step in path.split("/"):
            found = next((n for n in found.inner if n.name == step), None) if found else None
        return found

    def value(self, *paths: str) -> str:
        """Return the text at the first of several paths that has some."""
        for path in paths:
            found = self.first(path)
            if found is not None and found.text:
                return found.text
        return ""

    def every(self, *names: str) -> Iterator[Node]:
        """Yield all elements of these names beneath this one, none of them inside another."""
        for node in self.inner:
            if node.name in names:
                yield node
            else:
                yield from node.every(*names)

    def number(self, path: str) -> Decimal | None:
        """Return the number at a path; a comma may stand before the decimals."""
        found = self.first(path)
        if found is None or not found.text:
            return None
        text = found.text.replace(" ", "")
        if "," in text:
            text = text.replace(".", "") if text.rfind(",") > text.rfind(".") else text
            text = text.replace(",", "." if "." not in text else "")
        value = decimal(text)
        if value is None:
            _refuse(found.line, f"<{found.name}> of {found.text[:30]!r} is not a number")
        return value

    def day(self, *paths: str) -> date | None:
        """Return the day at the first of several paths (`20240131120000.000[-3:BRT]`)."""
        for path in paths:
            found = self.first(path)
            if found is not None and found.text and set(found.text[:8]) != {"0"}:
                if (value := day(found.text[:8])) is None:
                    _refuse(found.line, f"<{found.name}> of {found.text[:30]!r} is not a date")
                return value
        return None


def tree(text: str) -> Node:
    """Return the OFX element of a file; raises `ReadError` with the line that breaks it."""
    start = re.search(r"<OFX\s*>", text)
    if start is None:
        raise ReadError("corrupt", "Line 1: the file has no <OFX> element.")
    line = text.count("\n", 0, start.start()) + 1
    root = Node("", line)
    stack = [root]
    for token in _TOKEN.finditer(text, start.start()):
        if token["stray"]:
            _refuse(line, "a '<' begins no tag")
        content = token["raw"] if token["raw"] is not None else token["text"]
        if content is not None:
            _add_text(stack[-1], content)
        elif token["name"] and token["end"]:
            _close(stack, token["name"].upper(), line)
        elif token["name"]:
            _leave_leaf(stack)
            node = Node(token["name"].upper(), line)
            stack[-1].inner.append(node)
            if not token["closed"]:
                stack.append(node)
        line += token[0].count("\n")
        if len(stack) > _MAX_DEPTH:
            raise ReadError("bomb", f"Line {line}: elements are nested deeper than {_MAX_DEPTH}.")
    _leave_leaf(stack)
    if len(stack) > 1:
        _refuse(line, f"the file ends within <{stack[-1].name}> of line {stack[-1].line}")
    return root.inner[0]


def _add_text(node: Node, content: str) -> None:
    if node.name and content.strip():
        node.text = clean(f"{node.text} {html.unescape(content)}")


def _leave_leaf(stack: list[Node]) -> None:
    """A leaf ends where the next tag begins: it has text and no end tag of its own."""
    if stack[-1].text:
        stack.pop()


def _close(stack: list[Node], name: str, line: int) -> None:
    """Close an element, and the leaves left open in it."""
    if name not in [node.name for node in stack[1:]]:
        _refuse(line, f"</{name}> closes nothing that is open")
    while stack[-1].name != name:
        open_node = stack.pop()
        if _AGGREGATE.search(open_node.name) and open_node.inner:
            _refuse(line, f"</{name}> comes before the end of <{open_node.name}>")
        # A leaf without text and without end: what follows it is beside it, not inside.
        stack[-1].inner += open_node.inner
        open_node.inner = []
    stack.pop()


def _refuse(line: int, problem: str) -> NoReturn:
    raise ReadError("corrupt", f"The OFX is malformed at line {line}: {problem}.")
