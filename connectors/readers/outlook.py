"""Outlook messages (MS-OXMSG in a compound file): the same as an e-mail, read as one."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import HeaderParser
from email.utils import format_datetime, formataddr
from pathlib import PurePath

import olefile  # type: ignore[import-untyped]

from connectors.readers.compressed import inflated_rtf
from connectors.readers.errors import ReadError
from connectors.readers.mail import reading_of_message
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.rtf import place_rtf
from connectors.readers.source import Source
from connectors.readers.text import clean, decode, visible

_SUBJECT, _CLASS, _HEADERS = 0x0037, 0x001A, 0x007D
_SENDER, _SENDER_TYPE, _SENDER_ADDRESS, _SENDER_SMTP = 0x0C1A, 0x0C1E, 0x0C1F, 0x5D01
_BODY, _HTML, _RTF = 0x1000, 0x1013, 0x1009
_ID, _REPLY = 0x1035, 0x1042
_SUBMITTED, _DELIVERED = 0x0039, 0x0E06
_NAME, _ADDRESS, _SMTP, _RECIPIENT_KIND = 0x3001, 0x3003, 0x39FE, 0x0C15
_LONG_NAME, _SHORT_NAME, _DATA, _METHOD = 0x3707, 0x3704, 0x3701, 0x3705
_CONTENT_ID, _IS_HIDDEN = 0x3712, 0x7FFE
_CODE_PAGES = (0x3FDE, 0x3FFD)
_EMBEDDED = 5
_FIELDS = {1: "To", 2: "Cc"}
_MAX_STREAMS = 20_000
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def read(source: Source) -> Reading:
    """Read an MSG file."""
    try:
        with olefile.OleFileIO(str(source.path)) as container:
            message = _message(container, (), source.limits.depth)
    except (OSError, struct.error, IndexError, ValueError, TypeError) as error:
        raise ReadError("corrupt", "The message is damaged and can't be opened.") from error
    return reading_of_message(source, message)


@dataclass(frozen=True)
class _Folder:
    """A storage of the compound file: the properties of a message, a recipient or a file."""

    container: olefile.OleFileIO
    path: tuple[str, ...]
    fixed: dict[int, bytes]
    encoding: str

    def text(self, tag: int) -> str:
        """A property of text, empty without it."""
        wide = self._stream(tag, "001F")
        if wide is not None:
            return wide.decode("utf-16-le", "replace").rstrip("\x00")
        narrow = self._stream(tag, "001E")
        return "" if narrow is None else decode(narrow, self.encoding).rstrip("\x00")

    def data(self, tag: int) -> bytes | None:
        """A property of bytes."""
        return self._stream(tag, "0102")

    def number(self, tag: int) -> int:
        """A whole number of 32 bits, 0 without it."""
        return int.from_bytes(self.fixed.get(tag, b"")[:4], "little")

    def moment(self, tag: int) -> datetime | None:
        """A time, counted in 100 ns since 1601."""
        ticks = int.from_bytes(self.fixed.get(tag, b""), "little")
        try:
            return _EPOCH + timedelta(microseconds=ticks // 10) if ticks else None
        except OverflowError:
            return None

    def _stream(self, tag: int, kind: str) -> bytes | None:
        name = [*self.path, f"__substg1.0_{tag:04X}{kind}"]
        if not self.container.exists(name) or self.container.get_type(name) != olefile.STGTY_STREAM:
            return None
        content: bytes = self.container.openstream(name).read()
        return content


def _folder(container: olefile.OleFileIO, path: tuple[str, ...], header: int) -> _Folder:
    name = [*path, "__properties_version1.0"]
    data = container.openstream(name).read() if container.exists(name) else b""
    fixed = {}
    for at in range(header, len(data) - 15, 16):
        _, tag, value = *struct.unpack_from("<HH", data, at), data[at + 8 : at + 16]
        fixed[tag] = value
    page = next((int.from_bytes(fixed[t][:4], "little") for t in _CODE_PAGES if t in fixed), 1252)
    encoding = "utf-8" if page == 65001 else f"cp{page}"
    return _Folder(container, path, fixed, encoding)


def _children(folder: _Folder, prefix: str) -> Iterator[tuple[str, ...]]:
    """The storages of a kind (recipients, attachments) in their order."""
    depth = len(folder.path)
    found = {
        tuple(path[: depth + 1])
        for path in folder.container.listdir()[:_MAX_STREAMS]
        if tuple(path[:depth]) == folder.path
        and len(path) > depth
        and path[depth].startswith(prefix)
    }
    yield from sorted(found)


def _message(container: olefile.OleFileIO, path: tuple[str, ...], depth: int) -> EmailMessage:
    folder = _folder(container, path, 24 if path else 32)
    kind = folder.text(_CLASS).upper()
    if kind.startswith("IPM.NOTE.SMIME") and not kind.endswith("MULTIPARTSIGNED"):
        raise ReadError("encrypted", "The e-mail is encrypted; its text can't be read.")
    message = EmailMessage()
    for name, value in _headers(folder):
        if value := clean(value):
            message[name] = value
    _set_text(message, folder)
    for place in _children(folder, "__attach_version1.0_"):
        _attach(message, _folder(container, place, 8), depth)
    return message


def _headers(folder: _Folder) -> Iterator[tuple[str, str]]:
    sent = HeaderParser().parsestr(folder.text(_HEADERS))
    yield "Subject", folder.text(_SUBJECT)
    address = folder.text(_SENDER_SMTP)
    if not address and folder.text(_SENDER_TYPE).upper() != "EX":
        address = folder.text(_SENDER_ADDRESS)
    yield "From", _person(folder.text(_SENDER), address)
    people: dict[str, list[str]] = {}
    for place in _children(folder, "__recip_version1.0_"):
        one = _folder(folder.container, place, 8)
        field = _FIELDS.get(one.number(_RECIPIENT_KIND), "")
        if field:
            person = _person(one.text(_NAME), one.text(_SMTP) or one.text(_ADDRESS))
            people.setdefault(field, []).append(person)
    yield from ((field, ", ".join(filter(None, names))) for field, names in people.items())
    moment = folder.moment(_SUBMITTED) or folder.moment(_DELIVERED)
    yield "Date", format_datetime(moment) if moment else str(sent.get("Date", ""))
    yield "Message-ID", folder.text(_ID) or str(sent.get("Message-ID", ""))
    yield "In-Reply-To", folder.text(_REPLY)


def _person(name: str, address: str) -> str:
    """`Ana <ana@example.com>`; an Exchange path is no address that people know."""
    name, address = clean(name).strip("'\""), clean(address)
    if "@" not in address:
        return name
    return formataddr((name, address)) if name and name != address else address


def _set_text(message: EmailMessage, folder: _Folder) -> None:
    plain, html = folder.text(_BODY), folder.data(_HTML)
    markup = folder.text(_HTML) if html is None else decode(html, folder.encoding)
    if not visible(plain).strip() and not markup.strip():
        plain = _rich_text(folder.data(_RTF))
    if visible(plain).strip():
        message.set_content(plain.replace("\x00", ""), cte="8bit")
        if markup.strip():
            message.add_alternative(markup, subtype="html", cte="8bit")
    elif markup.strip():
        message.set_content(markup, subtype="html", cte="8bit")


def _rich_text(packed: bytes | None) -> str:
    if not packed:
        return ""
    outline = Outline()
    place_rtf(outline, inflated_rtf(packed))
    return "\n\n".join(block.text for block in outline.blocks)


def _attach(message: EmailMessage, file: _Folder, depth: int) -> None:
    name = clean(file.text(_LONG_NAME) or file.text(_NAME) or file.text(_SHORT_NAME))
    if PurePath(name).suffix.lower() == ".rpmsg":
        raise ReadError("encrypted", "The e-mail is encrypted; its text can't be read.")
    if file.number(_METHOD) == _EMBEDDED:
        inner = (*file.path, f"__substg1.0_{_DATA:04X}000D")
        if depth > 0 and file.container.exists(list(inner)):
            message.add_attachment(_message(file.container, inner, depth - 1), filename=name)
        return
    data = file.data(_DATA)
    is_inline = bool(file.fixed.get(_IS_HIDDEN, b"\0")[0]) or bool(file.text(_CONTENT_ID))
    if data is not None:
        message.add_attachment(
            data,
            maintype="application",
            subtype="octet-stream",
            filename=name or "attachment",
            disposition="inline" if is_inline else "attachment",
            cid="<inline>" if is_inline else None,
        )
