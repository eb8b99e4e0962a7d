"""The zip gate that every office file passes before a reader opens it."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from connectors.readers.errors import ReadError
from connectors.readers.limits import Limits

_PIECE = 256 * 1024
_LOCAL_HEADER = b"PK\x03\x04"
_XML_SUFFIXES = (".xml", ".rels", ".vml", ".xhtml", ".opf", ".ncx")
_DTD = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENTITIES = re.compile(rb"<!ENTITY|<!DOCTYPE[^>]*\[", re.IGNORECASE)
_OVERLAP = 2_048
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]+)["']""")
_SAFE_ENCODINGS = re.compile(
    rb"(utf-?8|utf-?16(le|be)?|us-ascii|iso-8859-\d+|windows-125\d)$", re.I
)


@dataclass
class _Count:
    limits: Limits
    packed: int
    refused: re.Pattern[bytes] = _DTD
    inflated: int = 0
    entries: int = 0
    warnings: list[str] = field(default_factory=list)

    def add(self, n_bytes: int) -> None:
        """Count inflated bytes; raises `ReadError` at the first one too many."""
        self.inflated += n_bytes
        floor = self.limits.ratio_floor_bytes
        if self.inflated > self.limits.inflated_bytes or (
            self.inflated > floor and self.inflated > self.packed * self.limits.ratio
        ):
            raise ReadError(
                "bomb",
                f"The archive unpacks to more than {self.inflated // 1_000_000} MB from "
                f"{self.packed // 1000} KB; if it is honest, store it unpacked.",
            )


def open_checked(
    path: Path, limits: Limits, *, plain_doctypes: bool = False
) -> tuple[zipfile.ZipFile, list[str]]:
    """Open an office file after every entry was inflated once, for real, and counted.

    Declared sizes are never believed. With `plain_doctypes` a part may name its DTD, which nobody
    loads, but not declare anything itself. Returns the archive and warnings. Raises `ReadError`:
    `corrupt`, `encrypted`, `bomb` (size, ratio, entries, nesting), `unsafe_xml` (a DTD in a part).
    """
    refused = _ENTITIES if plain_doctypes else _DTD
    count = _Count(limits, packed=max(1, path.stat().st_size), refused=refused)
    with path.open("rb") as file:
        _walk(file, count, depth=1)
    return zipfile.ZipFile(path), count.warnings


def _walk(file: BinaryIO, count: _Count, depth: int) -> None:
    if depth > count.limits.depth:
        raise ReadError(
            "bomb", f"Archives are nested deeper than {count.limits.depth}; unpack them first."
        )
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise _corrupt() from error
    entries = archive.infolist()
    count.entries += len(entries)
    if count.entries > count.limits.entries:
        raise ReadError(
            "bomb", f"The archive has more than {count.limits.entries} entries; split it."
        )
    for entry in entries:
        _entry(file, entry, count, depth)


def _entry(file: BinaryIO, entry: zipfile.ZipInfo, count: _Count, depth: int) -> None:
    if entry.flag_bits & 0x1:
        raise ReadError("encrypted", "The archive is protected by a password; store it without.")
    parts = re.split(r"[/\\]", entry.filename)
    if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
        count.warnings.append("An entry with a path outside the archive was ignored.")
    look = _Look(entry.filename.lower().endswith(_XML_SUFFIXES), count.refused)
    total = 0
    for piece in _inflated(file, entry):
        look.at(piece, is_first=total == 0)
        total += len(piece)
        count.add(len(piece))
    if total != entry.file_size:
        raise ReadError("bomb", "An entry's real size differs from its declared size.")
    nested = io.BytesIO(b"".join(look.archive))
    if look.archive and zipfile.is_zipfile(nested):
        _walk(nested, count, depth + 1)


class _Look:
    """What an entry turns out to be: XML must hold no DTD, an archive is kept for its own gate."""

    def __init__(self, is_xml: bool, refused: re.Pattern[bytes]) -> None:
        self.archive: list[bytes] = []
        self._refused = refused
        self._is_xml = is_xml
        self._tail = b""

    def at(self, piece: bytes, *, is_first: bool) -> None:
        """Look at the next piece of the entry; raises `ReadError` for a DTD."""
        if is_first:
            self._is_xml = self._is_xml or _starts_like_xml(piece)
            if self._is_xml:
                _refuse_encoding(piece)
        if self._is_xml:
            if self._refused.search((self._tail + piece).replace(b"\x00", b"")):
                raise ReadError(
                    "unsafe_xml", "A part declares entities or a DTD; save the file again."
                )
            self._tail = piece[-_OVERLAP:]
        elif self.archive or (is_first and piece.startswith(_LOCAL_HEADER)):
            self.archive.append(piece)


def _inflated(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The real bytes of an entry, whatever the directory says about their number."""
    if entry.header_offset < 0:  # a directory that counts past the file's beginning
        raise _corrupt()
    file.seek(entry.header_offset)
    header = file.read(30)
    if len(header) < 30 or not header.startswith(_LOCAL_HEADER):
        raise _corrupt()
    file.seek(
        int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"),
        io.SEEK_CUR,
    )
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ReadError("unsupported", "The archive uses an unusual compression; save it again.")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    left = entry.compress_size
    try:
        while left > 0 and (packed := file.read(min(_PIECE, left))):
            left -= len(packed)
            if entry.compress_type == zipfile.ZIP_STORED:
                yield packed
                continue
            while packed and not inflate.eof:
                if piece := inflate.decompress(packed, _PIECE):
                    yield piece
                packed = inflate.unconsumed_tail
        if rest := inflate.flush():
            yield rest
    except zlib.error as error:
        raise _corrupt() from error


def _starts_like_xml(piece: bytes) -> bool:
    head = piece[:200].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith((b"<?xml", b"<!DOCTYPE", b"<!--"))


def _refuse_encoding(piece: bytes) -> None:
    """Unusual encodings (UTF-7, EBCDIC) can hide a DTD from a look at the bytes."""
    match = _ENCODING.search(piece[:1000].replace(b"\x00", b""))
    if match and not _SAFE_ENCODINGS.match(match.group(1)):
        raise ReadError("unsafe_xml", "A part is written in an unusual encoding; save it again.")


def _corrupt() -> ReadError:
    return ReadError("corrupt", "The file is damaged: its archive can't be unpacked.")
