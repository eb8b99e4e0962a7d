"""What an e-mail says, by a plain walk of Python's `email` package: a reference for the reader."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

_HEADERS = ("Subject", "From", "To", "Cc")
_UNSEEN = frozenset({"head", "script", "style", "title"})


class _Shown(HTMLParser):
    """Collects the text of a page, without scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.texts.append(data)


def reference(path: Path) -> str | None:
    """Subject, people, names of attachments and all text of a mail; of alternatives the plain one.

    None for what is no readable mail: nothing in it, or encrypted.
    """
    data = path.read_bytes()
    if b"\x00" in data[:2]:
        data = data.decode("utf-16-be" if data[0] == 0 else "utf-16-le").encode()
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    texts = list(_texts(message))
    if not message.keys() or message.get_content_type() == "multipart/encrypted":
        return None
    if any("-----BEGIN PGP MESSAGE-----" in text for text in texts):
        return None
    return "\n".join([*(str(message.get(name, "")) for name in _HEADERS), *texts])


def _texts(message: EmailMessage) -> Iterator[str]:
    if message.get_content_type() == "multipart/alternative":
        yield from _best(message)
    elif message.is_multipart():
        for part in message.iter_parts():
            yield part.get_filename() or ""
            yield from _texts(part) if isinstance(part, EmailMessage) else ()
    elif message.get_content_maintype() == "text":
        yield _text(message)


def _best(message: EmailMessage) -> Iterator[str]:
    parts = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    plain = [part for part in parts if part.get_content_type() == "text/plain"]
    for part in plain[:1] if plain and _text(plain[0]).strip() else parts:
        yield from _texts(part)


def _text(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    text = payload.decode(part.get_content_charset() or "utf-8", "replace")
    if part.get_content_type() != "text/html":
        return text
    page = _Shown()
    page.feed(text)
    page.close()
    return " ".join(page.texts)
