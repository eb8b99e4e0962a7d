"""E-mail (RFC 5322): who wrote what to whom and when, then the text."""

from __future__ import annotations

import contextlib
import email
import email.policy
import re
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from connectors.readers.attachments import Attachments
from connectors.readers.errors import ReadError
from connectors.readers.markup import place_html
from connectors.readers.model import Reading
from connectors.readers.outline import Outline
from connectors.readers.plain import place_text
from connectors.readers.record import Record, Value, valued
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, decode, language, visible

if TYPE_CHECKING:
    from collections.abc import Iterator


_ENCRYPTED_TYPES = frozenset(
    {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)
_MAX_PARTS = 1_000
_PGP = "-----BEGIN PGP MESSAGE-----"
_BROKEN = re.compile(r"content-transfer-encoding\s*:", re.IGNORECASE)


def read(source: Source) -> Reading:
    """Read an e-mail: subject, sender, recipients and date, then its text (HTML if it has none)."""
    data = source.path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:64]:
        data = decode(data).encode("utf-8")
    message = email.message_from_bytes(data.lstrip(), policy=email.policy.default)
    return reading_of_message(source, message)


def reading_of_message(source: Source, message: EmailMessage | Message) -> Reading:
    """Read a parsed message; its attachments are read below their names."""
    for part in _parts(message):
        if part.get_content_type() in _ENCRYPTED_TYPES:
            raise ReadError("encrypted", "The e-mail is encrypted; its text can't be read.")
    outline = Outline()
    subject = _header(message, "Subject")
    if subject:
        outline.heading(subject, 1)
    files = list(_attached(message))
    names = tuple(name for name, _ in files if name)
    outline.record(_envelope(message, names))
    record = _record(message, len(outline.blocks) - 1, names)
    warnings = _place_body(outline, message)
    attached = Attachments(outline, source)
    has_text = len(outline.blocks) > 1 + bool(subject)
    for name, part in files:
        data = _bytes(part)
        if not has_text and data.lstrip().startswith(_PGP.encode()):
            raise ReadError("encrypted", "The e-mail is encrypted; its text can't be read.")
        attached.add(name, data)
    if len(outline.blocks) <= (1 if subject else 0):
        raise ReadError("empty", "The e-mail has neither headers nor text.")
    return Reading(
        source.media_type,
        best_title(subject, None, source.name),
        tuple(outline.blocks),
        language(_header(message, "Content-Language")),
        (record, *attached.records),
        tuple(dict.fromkeys(warnings + attached.warnings)),
    )


def _parts(message: EmailMessage | Message) -> Iterator[EmailMessage | Message]:
    """The parts of a message in order; a message inside it is one part, not many."""
    waiting = [message]
    for _ in range(_MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        yield part
        if part.is_multipart() and part.get_content_maintype() != "message":
            inner = part.get_payload()
            if isinstance(inner, list):
                waiting += [p for p in reversed(inner) if isinstance(p, Message)]


def _attached(message: EmailMessage | Message) -> Iterator[tuple[str, Message]]:
    """The parts that are files or messages, without inline pictures, and their names."""
    for part in _parts(message):
        name = _attachment(part)
        if part.get_content_maintype() == "message":
            if part is not message and (nested := _nested(part)) is not None:
                yield clean(_header(nested, "Subject") or name), part
        elif name and not part.is_multipart() and not _is_inline(part):
            yield name, part


def _is_inline(part: Message) -> bool:
    """Whether a part is shown inside the text, as a picture is."""
    return bool(part.get("Content-ID")) and part.get_content_disposition() == "inline"


def _nested(part: Message) -> Message | None:
    inner = part.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    return first if isinstance(first, Message) else None


def _bytes(part: Message) -> bytes:
    """An attached file decoded, an attached message as it is."""
    if part.get_content_maintype() == "message" and (nested := _nested(part)) is not None:
        return _whole(nested)
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _whole(message: Message) -> bytes:
    """A message as bytes; the standard library fails on some malformed ones."""
    try:
        return message.as_bytes()
    except (ValueError, LookupError, TypeError, AttributeError, MessageError):
        return str(message.get_payload()).encode("utf-8", "replace")


def _header(message: EmailMessage | Message, name: str) -> str:
    """A header as clean text; the standard library raises on some malformed ones."""
    try:
        return clean(str(message.get(name, "")))
    except (ValueError, IndexError, AttributeError, MessageError, TypeError):
        raw = next((v for k, v in message.raw_items() if k.lower() == name.lower()), "")
        return clean(str(raw))


def _record(message: EmailMessage | Message, block: int, files: tuple[str, ...]) -> Record:
    values: dict[str, Value | None] = {
        name.lower().replace("-", "_"): _header(message, name)
        for name in ("From", "To", "Cc", "Date", "Subject", "In-Reply-To")
    }
    values["date"] = _sent_at(message) or values["date"]
    values["attachments"] = files
    return Record("email", valued(values), id=_header(message, "Message-ID"), block=block)


def _envelope(message: EmailMessage | Message, files: tuple[str, ...]) -> str:
    sent_at = _sent_at(message)
    fields = [(name, _header(message, name)) for name in ("From", "To", "Cc", "Date")]
    shown = [(name, sent_at.isoformat() if sent_at and name == "Date" else v) for name, v in fields]
    shown.append(("Attachments", ", ".join(files)))
    return " · ".join(f"{name}: {value}" for name, value in shown if value)


def _sent_at(message: EmailMessage | Message) -> datetime | None:
    with contextlib.suppress(ValueError, TypeError, IndexError):
        return parsedate_to_datetime(_header(message, "Date"))
    return None


def _attachment(part: EmailMessage | Message) -> str:
    try:
        name = part.get_filename()
    except (ValueError, TypeError, AttributeError, IndexError, MessageError):
        name = None
    if name or part.get_content_disposition() == "attachment":
        return clean(str(name or part.get_content_type()))
    return ""


def _text(part: EmailMessage | Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset()
    return decode(payload, charset)


def _place_body(outline: Outline, message: EmailMessage | Message) -> list[str]:
    plain: list[str] = []
    rich: list[str] = []
    for part in _parts(message):
        if part.is_multipart() or _attachment(part):
            continue
        kind = _content_type(part)
        if kind == "text/html":
            rich.append(_text(part))
        elif kind == "text/plain":
            plain.append(_text(part))
    if any(_PGP in text for text in plain):
        raise ReadError("encrypted", "The e-mail is encrypted; its text can't be read.")
    if any(visible(text).strip() for text in plain):
        for text in plain:
            place_text(outline, text, headings=False)
        return []
    warnings: list[str] = []
    for text in rich:
        warnings += place_html(outline, text)[2]
    return warnings


def _content_type(part: EmailMessage | Message) -> str:
    """The type of a part; a header glued to another one still names its type first."""
    raw = str(dict(part.raw_items()).get("Content-Type", ""))
    if _BROKEN.search(raw) and (match := re.match(r"\s*([\w-]+/[\w-]+)", raw)):
        return match.group(1).lower()
    return part.get_content_type()
