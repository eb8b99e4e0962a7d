"""AASX packages (IDTA 01005): the shells inside, and the documents that come with them."""

from __future__ import annotations

import json
import posixpath
import zipfile
from dataclasses import replace
from typing import Any

from lxml import etree

from connectors.readers import enclosed
from connectors.readers.archive import open_checked
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.industry import aas, aas_xml
from connectors.readers.model import Reading
from connectors.readers.register import Register
from connectors.readers.source import Source

_SPEC = ("aas-spec", "aas-spec-split")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".bmp", ".ico")
_OWN = (".rels", "aasx-origin", "[Content_Types].xml")
_MAX_FILES = 50


def read(source: Source) -> Reading:
    """Read the shells of a package, then its documents; raises `ReadError`."""
    archive, warnings = open_checked(source.path, source.limits)
    with archive:
        names = {name.lstrip("/"): name for name in archive.namelist()}
        specs = [name for name in _specs(archive, names) if name in names]
        if not specs:
            raise ReadError("empty", "The package names no shell (aasx-origin, aas-spec).")
        whole: dict[str, Any] = {}
        for spec in specs:
            for key, part in _environment(archive, names[spec], spec).items():
                known = whole.setdefault(key, part)
                if known is not part and isinstance(known, list) and isinstance(part, list):
                    known += part
        register = Register(cap=source.limits.rows, warnings=warnings)
        reading = aas.read_environment(whole, source, source.media_type, register)
        files = [n for n in names if n not in specs and not n.endswith((*_OWN, "/"))]
        _files(archive, names, files, register, source)
    return replace(
        reading,
        blocks=tuple(register.outline.blocks),
        warnings=tuple(register.warnings),
    )


def _specs(archive: zipfile.ZipFile, names: dict[str, str]) -> list[str]:
    """The parts with shells: from the package to its origin to each of them, else by name."""
    found: list[str] = []
    for origin in _targets(archive, names, "_rels/.rels", "", ("aasx-origin",)):
        folder, name = posixpath.split(origin)
        found += _targets(archive, names, f"{folder}/_rels/{name}.rels".lstrip("/"), folder, _SPEC)
    return found or [n for n in names if n.endswith((".aas.xml", ".aas.json", "aasx/data.xml"))]


def _targets(
    archive: zipfile.ZipFile, names: dict[str, str], rels: str, folder: str, kinds: tuple[str, ...]
) -> list[str]:
    if rels not in names:
        return []
    found = []
    for relation in _within(rels, archive.read(names[rels])):
        target = relation.get("Target", "")
        if relation.get("Type", "").endswith(kinds):
            whole = target if target.startswith("/") else posixpath.join(folder, target)
            found.append(posixpath.normpath(whole).lstrip("/"))
    return list(dict.fromkeys(found))


def _within(part: str, data: bytes) -> etree._Element:
    """The root of a part's XML; a refusal names the part."""
    try:
        return parse(data)
    except ReadError as error:
        raise ReadError(error.cause, f"In {part}: {error}") from error


def _environment(archive: zipfile.ZipFile, name: str, part: str) -> dict[str, Any]:
    data = archive.read(name)
    if part.lower().endswith(".json"):
        try:
            value = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise ReadError("corrupt", f"In {part}: the JSON is malformed.") from error
        if not isinstance(value, dict):
            raise ReadError("corrupt", f"In {part}: the JSON is no environment.")
        return value
    _within(part, data)
    return aas_xml.environment(data)


def _files(
    archive: zipfile.ZipFile,
    names: dict[str, str],
    files: list[str],
    register: Register,
    source: Source,
) -> None:
    pictures = [posixpath.basename(n) for n in files if n.lower().endswith(_PICTURES)]
    if pictures:
        register.warn(f"Pictures in the package were left out: {', '.join(pictures[:20])}.")
    documents = [n for n in files if not n.lower().endswith(_PICTURES)]
    if len(documents) > _MAX_FILES:
        register.warn(f"Only the first {_MAX_FILES} documents of the package were read.")
    for name in documents[:_MAX_FILES]:
        enclosed.place(register, archive.read(names[name]), posixpath.basename(name), source.limits)
