"""Inline XBRL 1.0 and 1.1: the pages as people read them, then every fact tagged in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from connectors.readers.branches import Element, attribute, refuse
from connectors.readers.elements import refuse_entities
from connectors.readers.errors import ReadError
from connectors.readers.finance.context import contexts, units
from connectors.readers.finance.filing import Fact, Filing, place
from connectors.readers.finance.transform import text_value, written_number
from connectors.readers.finance.xbrl import labels
from connectors.readers.ledger import Ledger
from connectors.readers.markup import place_html
from connectors.readers.model import Reading
from connectors.readers.record import decimal
from connectors.readers.source import Source
from connectors.readers.text import clean, decode, language

_FORGIVEN = frozenset({"NS_ERR_UNDEFINED_NAMESPACE", "ERR_UNDECLARED_ENTITY"})
"""Errors that browsers pass over: a prefix not declared, `&nbsp;` without a DTD."""

_FACTS = frozenset({"nonFraction", "nonNumeric", "fraction"})
_FACTS_HEADING = "Facts tagged in this filing"
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]+)["']""")


def read(source: Source) -> Reading:
    """Read a filing; raises `ReadError` with line and element where its tagging is broken."""
    data = source.path.read_bytes()
    root, warnings = _parsed(data)
    filing = Filing(tuple(_facts(root)), labels(root))
    declared = _ENCODING.search(data[:1000])
    markup = decode(data, declared.group(1).decode("ascii") if declared else None)
    ledger = Ledger(source)
    ledger.warnings += warnings
    title, lang, hidden = place_html(ledger.outline, markup)
    ledger.warnings += hidden
    if not filing.facts:
        ledger.warn("The page declares inline XBRL and tags no fact.")
    else:
        ledger.heading(filing.title or title or "Filing", 1)
        ledger.heading(_FACTS_HEADING, 2)
        place(ledger, filing)
    lang = lang or language(_lang(root))
    return ledger.reading(source.media_type, filing.title or title, lang)


def _parsed(data: bytes) -> tuple[Element, list[str]]:
    refuse_entities(data)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_pis=True
    )
    root = etree.fromstring(data, parser)
    errors = [e for e in parser.error_log if e.level_name in ("ERROR", "FATAL")]
    broken = next((e for e in errors if e.type_name not in _FORGIVEN), None)
    if root is None or broken is not None:
        line = broken.line if broken is not None else 1
        raise ReadError("corrupt", f"The XHTML is malformed: line {line}: {_cause(broken)}.")
    if not errors:
        return root, []
    return root, [f"The XHTML is careless at line {errors[0].line}: {_cause(errors[0])}."]


def _cause(error: etree._LogEntry | None) -> str:
    return clean(error.message)[:120] if error is not None else "it has no root element"


def _kind(element: Element) -> str:
    """The local name of an element of inline XBRL, whether its prefix is declared or not."""
    tag = element.tag if isinstance(element.tag, str) else ""
    if tag.startswith("{"):
        return tag.rpartition("}")[2] if "inlineXBRL" in tag else ""
    return tag.removeprefix("ix:") if tag.startswith("ix:") else ""


def _facts(root: Element) -> Iterator[Fact]:
    known, measures = contexts(root), units(root)
    pieces = {attribute(e, "id"): e for e in root.iter() if _kind(e) == "continuation"}
    for element in root.iter():
        kind = _kind(element)
        if kind not in _FACTS:
            continue
        context_id, unit_id = attribute(element, "contextRef"), attribute(element, "unitRef")
        if context_id not in known:
            refuse(element, f"names the context {context_id!r}, which is not in the file")
        if kind != "nonNumeric" and unit_id not in measures:
            refuse(element, f"names the unit {unit_id!r}, which is not in the file")
        yield Fact(
            attribute(element, "name"),
            context_id,
            known[context_id],
            _value(element, kind, pieces),
            measures.get(unit_id, ""),
            attribute(element, "decimals"),
            _lang(element) if kind == "nonNumeric" else "",
            attribute(element, "id"),
            any(_kind(above) == "hidden" for above in element.iterancestors()),
        )


def _value(element: Element, kind: str, pieces: dict[str, Element]) -> str | None:
    if attribute(element, "nil") in ("true", "1"):
        return None
    form = attribute(element, "format").rpartition(":")[2]
    if kind == "nonNumeric":
        return text_value(_continued(element, pieces), form)
    if kind == "fraction":
        return _fraction(element)
    return _number(element, form)


def _number(element: Element, form: str) -> str:
    written = _own_text(element)
    plain = written_number(written, form)
    value = decimal(plain) if plain is not None else None
    scale = attribute(element, "scale") or "0"
    if value is None or not re.fullmatch(r"[+-]?\d{1,3}", scale):
        refuse(element, f"is not a number of format {form or 'none'!r} and scale {scale!r}")
    value = value.scaleb(int(scale))
    if attribute(element, "sign") == "-":
        value = -value
    return f"{value.to_integral_value() if value == value.to_integral_value() else value:f}"


def _fraction(element: Element) -> str:
    parts = [
        written_number(_own_text(part), attribute(part, "format").rpartition(":")[2])
        for name in ("numerator", "denominator")
        for part in element.iter()
        if _kind(part) == name
    ]
    return "/".join(part or "?" for part in parts)


def _continued(element: Element, pieces: dict[str, Element]) -> str:
    """The text of a fact and of the continuations that it leads to, each at most once."""
    texts, seen = [], set[str]()
    current: Element | None = element
    while current is not None:
        texts.append(_own_text(current))
        after = attribute(current, "continuedAt")
        current = None if after in seen else pieces.get(after)
        seen.add(after)
    return clean(" ".join(texts))


def _own_text(element: Element) -> str:
    """The text of an element without what `ix:exclude` keeps out."""
    pieces: list[str] = []
    stack: list[Element | str] = [element]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            pieces.append(node)
            continue
        if node is not element and node.tail:
            stack.append(node.tail)
        if not isinstance(node.tag, str) or (node is not element and _kind(node) == "exclude"):
            continue
        stack.extend(reversed(list(node)))
        if node.text:
            pieces.append(node.text)
    return clean(" ".join(pieces) if _has_blocks(element) else "".join(pieces))


def _has_blocks(element: Element) -> bool:
    blocks = ("div", "p", "td", "tr", "table", "li")
    return any(
        isinstance(e.tag, str) and e.tag.rpartition("}")[2] in blocks for e in element.iter()
    )


def _lang(element: Element) -> str:
    name = "{http://www.w3.org/XML/1998/namespace}lang"
    return next((str(e.get(name)) for e in (element, *element.iterancestors()) if e.get(name)), "")
