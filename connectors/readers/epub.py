"""EPUB 2 and 3: the documents of the spine in order, each read as a page of HTML."""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import unquote

from connectors.readers.archive import open_checked
from connectors.readers.errors import ReadError
from connectors.readers.markup import place_html
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.parts import parse_part
from connectors.readers.text import best_title, clean, decode, language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from connectors.readers.source import Source

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CIPHER = "{http://www.w3.org/2001/04/xmlenc#}"
_FONTS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
_XHTML = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})
# XML may close any element at once; HTML knows that only of void ones.
_CLOSED = re.compile(
    r"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)\b)"
    r"([A-Za-z][\w:-]*)((?:\s[^<>]*)?)/>"
)


def read(source: Source) -> Reading:
    """Read an EPUB; a book under digital rights management is refused as `encrypted`."""
    archive, warnings = open_checked(source.path, source.limits, plain_doctypes=True)
    outline = Outline()
    with archive:
        _refuse_encrypted(archive)
        package, root = _package(archive)
        for part in _spine(package, root):
            try:
                markup = decode(archive.read(part))
            except KeyError:
                warnings.append("A chapter that the book lists is missing.")
                continue
            except (zipfile.BadZipFile, NotImplementedError) as error:
                raise ReadError(
                    "corrupt", "The book is damaged: a chapter can't be unpacked."
                ) from error
            warnings += place_html(outline, _CLOSED.sub(r"<\1\2></\1>", markup))[2]
    if not outline.blocks:
        raise ReadError("empty", "The book holds no visible text.")
    return Reading(
        source.media_type,
        best_title(_declared(root, "title"), outline.first_heading, source.name),
        tuple(outline.blocks),
        language(_declared(root, "language")),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _refuse_encrypted(archive: zipfile.ZipFile) -> None:
    root = parse_part(archive, "META-INF/encryption.xml")
    methods = root.iter(f"{_CIPHER}EncryptionMethod") if root is not None else ()
    if any(method.get("Algorithm", "") not in _FONTS for method in methods):
        raise ReadError("encrypted", "The book is protected (DRM); get a copy that is not.")


def _package(archive: zipfile.ZipFile) -> tuple[str, etree._Element]:
    """The name and the root of the package document."""
    container = parse_part(archive, "META-INF/container.xml")
    files = container.iter(f"{_CONTAINER}rootfile") if container is not None else ()
    name = next((file.get("full-path", "") for file in files), "")
    root = parse_part(archive, name) if name else None
    if root is None:
        raise ReadError("corrupt", "The book is damaged: its table of files is missing.")
    return name, root


def _declared(root: etree._Element, name: str) -> str:
    return clean(next((e.text or "" for e in root.iter(f"{_DC}{name}")), ""))


def _spine(package: str, root: etree._Element) -> Iterator[str]:
    """The parts that are read one after the other."""
    files = {
        item.get("id", ""): item.get("href", "")
        for item in root.iter(f"{_OPF}item")
        if item.get("media-type", "") in _XHTML and "nav" not in item.get("properties", "").split()
    }
    folder = posixpath.dirname(package)
    for reference in root.iter(f"{_OPF}itemref"):
        href = files.get(reference.get("idref", ""), "")
        if href and reference.get("linear") != "no":
            yield posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))
