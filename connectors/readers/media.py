"""What a file really is: its media type by content, not by name."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import BinaryIO

from connectors.readers import commerce, vocabularies
from connectors.readers.packaged import installed
from connectors.readers.text import decode
from connectors.readers.vocabularies import after_prolog, root

EMPTY = "application/x-empty"
BINARY = "application/octet-stream"
ENCRYPTED_OFFICE = "application/x-encrypted-office"
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
XLS = "application/vnd.ms-excel"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODT = "application/vnd.oasis.opendocument.text"
ODP = "application/vnd.oasis.opendocument.presentation"
EPUB = "application/epub+zip"
RTF = "application/rtf"
MSG = "application/vnd.ms-outlook"
DOC = "application/msword"
PPT = "application/vnd.ms-powerpoint"
ASCIIDOC = "text/asciidoc"
HTML = "text/html"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"
CSV = "text/csv"
TSV = "text/tab-separated-values"
JSON = "application/json"
NDJSON = "application/x-ndjson"
XML = "application/xml"
SVG = "image/svg+xml"
EMAIL = "message/rfc822"
PNG = "image/png"
JPEG = "image/jpeg"
TIFF = "image/tiff"
BMP = "image/bmp"
WEBP = "image/webp"
GIF = "image/gif"
ZIP = "application/zip"
DICOM = "application/dicom"
AASX = "application/asset-administration-shell-package"

_HEAD = 65_536
_MAGIC = (
    (b"\x89PNG\r\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF8", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"BM", BMP),
    (b"{\\rtf", RTF),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-msdownload"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"%!PS", "application/postscript"),
)
# Files without the preamble begin with a file meta length, or a character set or image type.
_DICOM_STARTS = (b"\x02\x00\x00\x00UL", b"\x08\x00\x05\x00CS", b"\x08\x00\x08\x00CS")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Names of streams in an OLE compound file (MS-CFB), which are UTF-16.
_OLE_STREAMS = (
    ("EncryptedPackage", ENCRYPTED_OFFICE),
    ("__substg1.0_", MSG),
    ("WordDocument", DOC),
    ("PowerPoint Document", PPT),
    ("Workbook", XLS),
    ("Book", XLS),
)
_ZIP_PARTS = (
    (b"word/document.xml", DOCX),
    (b"xl/workbook.xml", XLSX),
    (b"ppt/presentation.xml", PPTX),
    (b"xl/workbook.bin", XLSB),
    (b"word/", DOCX),
    (b"aasx/", AASX),
    (b"/aasx/", AASX),
)
_BY_SUFFIX = {
    ".csv": CSV,
    ".tsv": TSV,
    ".tab": TSV,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".adoc": ASCIIDOC,
    ".asciidoc": ASCIIDOC,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".json": JSON,
    ".ndjson": NDJSON,
    ".jsonl": NDJSON,
    ".eml": EMAIL,
    ".txt": PLAIN,
    ".text": PLAIN,
    ".log": PLAIN,
    **commerce.BY_SUFFIX,
}
_TEXTS = frozenset(_BY_SUFFIX.values())
_OPEN_TEXTS = _TEXTS - {HTML, EMAIL}
_HTML_START = re.compile(
    r"^(<!--.*?-->|\s)*<(!doctype\s+html|html|head|body|div|p|table|h[1-6]|ul|ol|article|section"
    r"|span|title|meta|style|main|font|center|b|pre|a|br)\b",
    re.IGNORECASE | re.DOTALL,
)
_MAIL_HEADER = re.compile(
    r"^(from|to|cc|subject|date|mime-version|message-id|received|return-path|delivered-to"
    r"|reply-to|content-type|x-[\w-]+):",
    re.IGNORECASE,
)
_JSON_START = re.compile(r'^\s*(\{\s*["}]|\[\s*([\[\]{"\d-]|true|false|null))')
_MARKDOWN_LINE = re.compile(r"^(#{1,6} \S|```|\|?\s*:?-{3,}:?\s*\|)", re.MULTILINE)


def sniff(path: Path, *, hint: str | None = None, name: str | None = None) -> str:
    """The media type of a file by its content.

    `hint` (a declared media type) and the suffix of `name` (the path's own if not given) only
    decide between text formats, which share their bytes. Where this is no more than text, XML,
    a zip or unknown, a package's reader may have claimed it (`connectors.readers.packaged`).
    Unknown content is `application/octet-stream`, an empty file `application/x-empty`. Raises
    OSError.
    """
    found = _sniff(path, hint, name or path.name)
    return _claimed(found, path, hint, name or path.name) or found


def _claimed(found: str, path: Path, hint: str | None, name: str) -> str | None:
    """What a package's reader makes of a file that is nothing special here, if one claims it."""
    claims = installed()
    if not claims.entries or found not in {*_OPEN_TEXTS, XML, ZIP, BINARY}:
        return None
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if found == XML:
        return claims.by_root(root(decode(_whole_characters(head))))
    suffix = Path(name).suffix.lower()
    by_name = None if suffix in _BY_SUFFIX else claims.suffixes.get(suffix)
    if found == ZIP:
        return by_name
    by_start = claims.by_start(head)
    if found == BINARY or by_start:
        return by_start
    declared = _bare(hint)
    return declared if declared in claims.suffixes.values() else by_name


def _sniff(path: Path, hint: str | None, name: str) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head.startswith(_OLE):
            return _ole(head + file.read(16 * 1024 * 1024))
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            names = _directory(file, path.stat().st_size) or _local_names(head)
            return _archive(head, names)
    if not head.strip(b"\x00 \t\r\n"):
        return EMPTY
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head[128:132] == b"DICM" or head.startswith(_DICOM_STARTS):
        return DICOM
    for magic, media_type in _MAGIC:
        if head.startswith(magic) and _is_binary_magic(magic, head):
            return media_type
    suffix = Path(name).suffix.lower()
    return _text(head, _text_hint(hint) or _BY_SUFFIX.get(suffix))


def _is_binary_magic(magic: bytes, head: bytes) -> bool:
    """Two-letter magics also start honest sentences: they need a zero byte to count."""
    return len(magic) > 2 or magic == b"\x1f\x8b" or b"\x00" in head[:64]


def _text_hint(hint: str | None) -> str | None:
    bare = _bare(hint)
    return bare if bare in _TEXTS and bare != PLAIN else None


def _bare(hint: str | None) -> str:
    return (hint or "").split(";")[0].strip().lower()


def _ole(data: bytes) -> str:
    for stream, media_type in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            return media_type
    return BINARY


def _directory(file: BinaryIO, size: int) -> list[bytes]:
    """The names in a zip's central directory (APPNOTE 4.3.12), at most the first megabytes."""
    file.seek(max(0, size - _HEAD))
    tail = file.read(_HEAD)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 20:
        return []
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    file.seek(min(size, int.from_bytes(tail[end + 16 : end + 20], "little")))
    entries = file.read(min(length, 4 * 1024 * 1024))
    names: list[bytes] = []
    at = 0
    while entries[at : at + 4] == b"PK\x01\x02" and len(names) < 20_000:
        lengths = [int.from_bytes(entries[at + k : at + k + 2], "little") for k in (28, 30, 32)]
        names.append(entries[at + 46 : at + 46 + lengths[0]])
        at += 46 + sum(lengths)
    return names


def _local_names(head: bytes) -> list[bytes]:
    """The names of the first entries of a zip whose directory is cut off."""
    return [
        head[found.end() : found.end() + int.from_bytes(found.group(1), "little")]
        for found in re.finditer(rb"PK\x03\x04.{22}(..)..", head, re.DOTALL)
    ]


def _archive(head: bytes, names: list[bytes]) -> str:
    if head[30:38] == b"mimetype":
        declared = re.match(rb"[\w.+-]+/[\w.+-]+", _first_entry(head))
        if declared:
            return declared.group(0).decode("ascii").split("PK")[0]
    for part, media_type in _ZIP_PARTS:
        if any(name.startswith(part) for name in names):
            return media_type
    return ZIP


def _first_entry(head: bytes) -> bytes:
    """The first bytes of a zip's first entry, which some programs pack although they must not."""
    start = 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    if int.from_bytes(head[8:10], "little") == 0:
        return head[start : start + 120]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(head[start:], 120)
    except zlib.error:
        return b""


def _text(head: bytes, suggested: str | None) -> str:
    text = decode(_whole_characters(head))
    if known := vocabularies.of_text(text) or commerce.of_lines(text):
        return known
    controls = sum(ch < " " and ch not in "\t\n\r\f\x1b" for ch in text[:8192])
    if controls > max(8, len(text[:8192]) // 20) and suggested is None:
        return BINARY
    start = text.lstrip("\ufeff \t\r\n")[:4096]
    if start.startswith("<"):
        known = vocabularies.of_xml(text) or commerce.of_xml(text)
        return known or _tagged(start, suggested)
    if _looks_like_mail(start) and suggested in (None, EMAIL, PLAIN):
        return EMAIL
    if suggested:
        return suggested
    if _JSON_START.match(start):
        return JSON
    if _looks_like_rows(start):
        return CSV
    return MARKDOWN if _MARKDOWN_LINE.search(start) else PLAIN


def _whole_characters(head: bytes) -> bytes:
    """Cut the sample where a UTF-8 character ends, or it would look like Latin-1."""
    if len(head) < _HEAD:
        return head
    end = len(head)
    while end > len(head) - 4 and head[end - 1] & 0xC0 == 0x80:
        end -= 1
    return head[: end - 1] if head[end - 1] >= 0xC0 else head


def _tagged(start: str, suggested: str | None) -> str:
    if re.match(r"<(\w+:)?svg\b", after_prolog(start)):
        return SVG
    if re.search(r"<!doctype\s+html|<html\b", start, re.IGNORECASE):
        return HTML
    if start.startswith("<?xml"):
        return XML
    if suggested in (HTML, MARKDOWN, EMAIL):
        return suggested
    if _HTML_START.match(start):
        return suggested if suggested == PLAIN else HTML
    return suggested or (XML if re.match(r"<[\w:]+[\s>/]|<!DOCTYPE", start) else PLAIN)


def _looks_like_mail(start: str) -> bool:
    names = set()
    for line in start.splitlines()[:40]:
        if not line.strip():
            break
        match = _MAIL_HEADER.match(line)
        if match:
            names.add(match.group(1).lower())
        elif not line[0].isspace() and not re.match(r"^[\w-]+:", line):
            return False
    return len(names) >= 2 and bool(names & {"from", "mime-version", "message-id", "received"})


def _looks_like_rows(start: str) -> bool:
    lines = [line for line in start.splitlines()[:-1] if line.strip()][:10]
    for delimiter in (",", ";", "\t", "|"):
        counts = {line.count(delimiter) for line in lines}
        if len(lines) >= 3 and len(counts) == 1 and counts.pop() >= 1:
            return True
    return False
