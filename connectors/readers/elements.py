"""XML of no known vocabulary: its text, in order, with what the element names say."""

from __future__ import annotations

import re

from lxml import etree

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, decode, language

_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]+)["']""")
_DECLARED = re.compile(r"""(<\?xml[^>]{0,200}?)\s+encoding\s*=\s*["'][\w.-]+["']""")
_LATE = re.compile(rb"^(\xef\xbb\xbf)?(\s+)(<\?xml\b[^>]*>)")
_SAFE_ENCODINGS = re.compile(
    rb"(utf-?8|utf-?16(le|be)?|us-ascii|ascii|iso-8859-\d+|windows-125\d)$", re.IGNORECASE
)
_TITLES = frozenset({"title", "heading", "head", "article-title", "invention-title", "subject"})
_PROSE = frozenset({"p", "para", "paragraph", "abstract", "claim-text", "description", "text"})
_MAX_DEPTH = 200


def parse(data: bytes) -> etree._Element:
    """The root of an XML text, without entities, DTD or network.

    Forgiven are empty lines above the declaration, an end-of-file character of DOS, and UTF-16
    without a byte order mark. Raises `ReadError`: `unsafe_xml` when it declares entities,
    `corrupt` when malformed.
    """
    refuse_entities(data)
    data = _forgiven(data)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        what = etree.ErrorTypes._getName(error.code, "syntax error")  # type: ignore[attr-defined]
        what = str(what).removeprefix("ERR_").replace("_", " ").lower()
        raise ReadError(
            "corrupt", f"The XML is malformed: line {error.lineno}, {what}; export it again."
        ) from error


def _forgiven(data: bytes) -> bytes:
    """Well-formed XML of what often isn't; lines keep their numbers."""
    if 0 in data[:4] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = _DECLARED.sub(r"\1", decode(data), count=1)
        data = text.encode("utf-8", "surrogatepass")
    return _LATE.sub(rb"\1\3\2", data.removesuffix(b"\x1a"), count=1)


def refuse_entities(data: bytes) -> None:
    """Raise `ReadError` (`unsafe_xml`) for XML that declares entities or hides them by encoding."""
    flat = data.replace(b"\x00", b"")
    declared = _ENCODING.search(flat[:1000])
    if _ENTITY.search(flat) or (declared and not _SAFE_ENCODINGS.match(declared.group(1))):
        raise ReadError(
            "unsafe_xml", "The XML declares entities, which can hide attacks; save it without."
        )


def read(source: Source) -> Reading:
    """Read an XML file: titles as headings, prose as paragraphs, leaves as `name: value`."""
    root = parse(source.path.read_bytes())
    outline = Outline()
    _place(outline, root, 1)
    if not outline.blocks:
        raise ReadError("empty", "The XML holds no text.")
    lang = root.get("{http://www.w3.org/XML/1998/namespace}lang") or root.get("lang")
    return Reading(
        source.media_type,
        best_title(None, outline.first_heading, source.name),
        tuple(outline.blocks),
        language(lang),
    )


def _place(outline: Outline, element: etree._Element, depth: int) -> None:
    fields: list[str] = []
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name = etree.QName(child).localname
        if name.lower() in _TITLES:
            _end(outline, fields)
            outline.heading(_text(child), min(depth, 9))
        elif name.lower() in _PROSE or ((child.text or "").strip() and len(child)):
            _end(outline, fields)
            outline.paragraph(_text(child))
        elif not len(child):
            if value := clean(child.text or ""):
                fields.append(f"{name}: {value}")
        elif depth < _MAX_DEPTH:
            _end(outline, fields)
            _place(outline, child, depth + 1)
    _end(outline, fields)
    if not len(element) and depth == 1:
        outline.paragraph(element.text or "")


def _end(outline: Outline, fields: list[str]) -> None:
    if fields:
        outline.record("\n".join(fields))
        fields.clear()


def _text(element: etree._Element) -> str:
    return clean(" ".join(str(piece) for piece in element.itertext() if isinstance(piece, str)))
