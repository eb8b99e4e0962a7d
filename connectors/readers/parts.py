"""The parts of an office file: their XML, how they refer to each other, declared properties."""

from __future__ import annotations

import posixpath
import re
import zipfile

from lxml import etree

from connectors.readers.errors import ReadError

_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_TRANSITIONAL = rb"http://schemas.openxmlformats.org/\1/2006/\2"
_DC = "{http://purl.org/dc/elements/1.1/}"


def parse_part(archive: zipfile.ZipFile, name: str) -> etree._Element | None:
    """The root of an XML part that passed the gate, or None if it is missing."""
    try:
        data = archive.read(name)
    except KeyError:
        return None
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ReadError("corrupt", "The file is damaged: a part can't be unpacked.") from error
    data = _STRICT.sub(_TRANSITIONAL, data)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ReadError("corrupt", f"The file is damaged: {name} is malformed.") from error


def core_properties(archive: zipfile.ZipFile) -> tuple[str, str]:
    """The declared title and language of an Office file, empty where missing."""
    root = parse_part(archive, "docProps/core.xml")
    if root is None:
        return "", ""
    return root.findtext(f"{_DC}title") or "", root.findtext(f"{_DC}language") or ""


def related(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """What a part refers to inside the archive: id → (kind, name of the part)."""
    folder, name = posixpath.split(part)
    root = parse_part(archive, f"{folder}/_rels/{name}.rels")
    found = {}
    for relation in root if root is not None else ():
        if relation.get("TargetMode") == "External":
            continue
        target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))
        kind = relation.get("Type", "").rpartition("/")[2]
        found[relation.get("Id", "")] = (kind, target.lstrip("/"))
    return found
