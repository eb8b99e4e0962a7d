"""XBRL 2.1 instance documents: every fact with its context, unit and label."""

from __future__ import annotations

from dataclasses import replace

from connectors.readers.branches import Element, attribute, content, local, refuse
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.finance.context import contexts, units
from connectors.readers.finance.filing import Fact, Filing, place, place_prose
from connectors.readers.ledger import Ledger
from connectors.readers.model import Reading
from connectors.readers.source import Source
from connectors.readers.text import language

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LABEL_ROLE = "http://www.xbrl.org/2003/role/label"


def read(source: Source) -> Reading:
    """Read an instance; raises `ReadError` where a fact names a context or unit it hasn't."""
    root = parse(source.path.read_bytes())
    filing = Filing(tuple(_facts(root)), labels(root))
    if not filing.facts:
        raise ReadError("empty", "The XBRL instance holds no facts.")
    ledger = Ledger(source)
    ledger.heading(filing.title or "Facts", 1)
    place(ledger, replace(filing, facts=tuple(f for f in filing.facts if not f.is_long)))
    place_prose(ledger, filing)
    langs = [fact.lang for fact in filing.facts if fact.lang]
    lang = language(root.get(_LANG)) or (
        language(max(set(langs), key=langs.count)) if langs else None
    )
    return ledger.reading(source.media_type, filing.title or None, lang)


def _facts(root: Element) -> list[Fact]:
    known, measures = contexts(root), units(root)
    found = []
    for element in root.iter():
        if not isinstance(element.tag, str) or element.get("contextRef") is None:
            continue
        context_id, unit_id = attribute(element, "contextRef"), attribute(element, "unitRef")
        if context_id not in known:
            refuse(element, f"names the context {context_id!r}, which is not in the file")
        if unit_id and unit_id not in measures:
            refuse(element, f"names the unit {unit_id!r}, which is not in the file")
        is_nil = element.get(_NIL, "").strip() in ("true", "1")
        found.append(
            Fact(
                _name(element),
                context_id,
                known[context_id],
                None if is_nil else content(element),
                measures.get(unit_id, ""),
                attribute(element, "decimals") or attribute(element, "precision"),
                str(element.get(_LANG) or ""),
                attribute(element, "id"),
            )
        )
    return found


def _name(element: Element) -> str:
    prefix = element.prefix
    return f"{prefix}:{local(element.tag)}" if prefix else local(element.tag)


def labels(root: Element) -> dict[str, str]:
    """Return the labels of a linkbase inside the document, by concept (`prefix:Name`)."""
    told: dict[str, str] = {}
    for link in root.iter("{*}labelLink"):
        places = {attribute(loc, "label"): attribute(loc, "href") for loc in link.iter("{*}loc")}
        texts: dict[str, list[Element]] = {}
        for label in link.iter("{*}label"):
            texts.setdefault(attribute(label, "label"), []).append(label)
        for arc in link.iter("{*}labelArc"):
            concept = places.get(attribute(arc, "from"), "").rpartition("#")[2].replace("_", ":", 1)
            standard = [
                content(label)
                for label in texts.get(attribute(arc, "to"), [])
                if attribute(label, "role") in ("", _LABEL_ROLE)
            ]
            if concept and standard:
                told.setdefault(concept, standard[0])
    return told
