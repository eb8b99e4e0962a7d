"""STEP files (ISO 10303-21): the header, and the products that the data names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.record import Value, moment
from connectors.readers.register import Register
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, decode

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"'(?:[^']|'')*'|[(),$*]|[^\s(),']+")
_PRODUCT = re.compile(
    r"=\s*PRODUCT\s*\(\s*('(?:[^']|'')*'\s*,\s*'(?:[^']|'')*'\s*,\s*(?:'(?:[^']|'')*'|\$))"
)
_ENTITY = re.compile(r"^\s*#\d+\s*=\s*([A-Z][A-Z0-9_]*)", re.MULTILINE)
_PARTS = {
    "FILE_DESCRIPTION": ("description", "implementation_level"),
    "FILE_NAME": (
        "name",
        "date",
        "author",
        "organization",
        "preprocessor",
        "system",
        "authorisation",
    ),
    "FILE_SCHEMA": ("schema",),
}


def read(source: Source) -> Reading:
    """Read the header and the product names; geometry is left out. Raises `ReadError`."""
    text = decode(source.path.read_bytes())
    head, found, data = text.partition("ENDSEC;")
    if not found or "HEADER;" not in head:
        raise ReadError("corrupt", "The STEP file has no complete HEADER section; export it again.")
    register = Register(cap=source.limits.rows)
    values: dict[str, Value | None] = {}
    for name, keys in _PARTS.items():
        for key, told in zip(keys, _arguments(head, name), strict=False):
            values[key] = moment(told) if key == "date" else told
    if not values:
        raise ReadError("corrupt", "The header of the STEP file describes nothing.")
    title = str(values.get("name") or "")
    register.outline.heading(title or source.name, 1)
    counts = Counter(_ENTITY.findall(data))
    values["entities"] = sum(counts.values())
    register.state("model", title, values, record_id=title, silent=("name",))
    for number, name, description in _products(data):
        register.state(
            "product",
            " ".join(dict.fromkeys(filter(None, (number, name)))),
            {"number": number, "name": name, "description": description},
            record_id=number,
            subject=f"product:{number}" if number else "",
            silent=("number", "name"),
        )
    if "END-ISO-10303-21;" not in text[-4096:]:
        register.warn("The file ends before END-ISO-10303-21; it may be cut off.")
    if counts:
        register.warn(
            "The geometry of the STEP file was left out; its header and products were read."
        )
    return Reading(
        source.media_type,
        best_title(title, None, source.name),
        tuple(register.outline.blocks),
        None,
        tuple(register.records),
        tuple(register.warnings),
    )


def _arguments(head: str, name: str) -> list[str]:
    """The arguments of a header entity, lists joined by commas."""
    found = re.search(rf"{name}\s*\((.*?)\)\s*;", _COMMENT.sub("", head), re.DOTALL)
    arguments: list[list[str]] = [[]]
    depth = 0
    for piece in _TOKEN.findall(found.group(1) if found else ""):
        if piece in "()":
            depth += 1 if piece == "(" else -1
        elif piece == "," and not depth:
            arguments.append([])
        elif piece.startswith("'"):
            arguments[-1].append(_string(piece))
    return [", ".join(filter(None, one)) for one in arguments] if found else []


def _products(data: str) -> Iterator[tuple[str, str, str]]:
    seen = set()
    for found in _PRODUCT.finditer(data):
        texts = [_string(t) for t in re.findall(r"'(?:[^']|'')*'|\$", found.group(1))]
        product = (texts[0], texts[1], texts[2])
        if product not in seen:
            seen.add(product)
            yield product


def _string(piece: str) -> str:
    """A string with its escapes (6.4.3): `''`, `\\X\\E9`, `\\X2\\00E9\\X0\\`, `\\S\\i`."""
    if piece == "$":
        return ""
    text = piece[1:-1].replace("''", "'")
    text = re.sub(
        r"\\X2\\((?:[0-9A-F]{4})+)\\X0\\",
        lambda m: bytes.fromhex(m.group(1)).decode("utf-16-be", "replace"),
        text,
    )
    text = re.sub(r"\\X\\([0-9A-F]{2})", lambda m: chr(int(m.group(1), 16)), text)
    text = re.sub(r"\\S\\(.)", lambda m: chr(ord(m.group(1)) + 128), text)
    return clean(text.replace("\\\\", "\\"))
