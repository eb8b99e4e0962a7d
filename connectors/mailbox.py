"""A session with an IMAP server: folders, UIDs, heads and bodies of messages.

Everything here blocks; one session serves one thread at a time. Folders are opened read-only and
bodies are peeked at, so nobody's message becomes "seen".
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from connectors.contract import ConnectorError, RetryLater

if TYPE_CHECKING:
    from imapclient import IMAPClient

T = TypeVar("T")

WINDOW_UIDS = 50_000
"""So many UIDs are asked about at once: the answer stays below imaplib's line of 1 MB."""

_HEAD = "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"
_HEAD_KEY = b"BODY[HEADER.FIELDS (SUBJECT)]"
_BUSY = re.compile(r"\[(UNAVAILABLE|LIMIT|INUSE|OVERQUOTA|SERVERBUG)\]|too many", re.IGNORECASE)
_SETTLED = re.compile(r"[\x00-\x1f\x7f]+")


class Refused(ConnectorError):
    """The server answered NO: this folder or message can't be used, others may."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to log in and how; `secret` is a password or an XOAUTH2 token."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    ca_file: Path | None
    username: str
    secret: str
    is_token: bool
    timeout_s: float

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder by its name on the server, and with `/` between its parts."""

    name: str
    path: str
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class State:
    """What a folder says of itself; `modseq` 0 stands for a server that keeps none."""

    validity: int
    modseq: int
    next_uid: int
    n_messages: int


@dataclass(frozen=True, slots=True)
class Head:
    """A message before its body is read; `size` in bytes."""

    uid: int
    size: int
    subject: str
    received_at: datetime | None


class Session:
    """A logged-in connection; raises `ConnectorError` sentences, `RetryLater` when it breaks."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._selected: tuple[str, State] | None = None
        with _speaking(server, "the connection"):
            self._imap = _connect(server)
        try:
            self._log_in()
            with _speaking(server, "its capabilities"):
                names = {name.decode("ascii", "replace") for name in self._imap.capabilities()}
                self.keeps_tombstones = "QRESYNC" in names
                self.keeps_rights = "ACL" in names
                if self.keeps_tombstones:
                    self._imap.enable("QRESYNC")
        except ConnectorError:
            self.close()
            raise

    def folders(self) -> list[Folder]:
        """Return all folders in the order of their names."""
        with _speaking(self._server, "the list of folders"):
            listed = self._imap.list_folders()
        found = []
        for flags, delimiter, name in listed:
            name = name if isinstance(name, str) else name.decode("utf-8", "replace")
            path = name.replace(delimiter.decode(), "/") if delimiter else name
            names = frozenset(flag.decode("ascii", "replace").lower() for flag in flags)
            found.append(Folder(name, path, names))
        return sorted(found, key=lambda folder: folder.name)

    def status(self, folder: str) -> State:
        """Return a folder's state without opening it; raises `Refused`."""
        items = ["UIDVALIDITY", "UIDNEXT", "MESSAGES"]
        items += ["HIGHESTMODSEQ"] if self.keeps_tombstones else []
        with _speaking(self._server, f"the folder {folder!r}"):
            return _state(self._imap.folder_status(folder, items), b"MESSAGES")

    def select(self, folder: str) -> State:
        """Open a folder for reading and return its state; raises `Refused`."""
        self._selected = None
        with _speaking(self._server, f"the folder {folder!r}"):
            state = _state(self._imap.select_folder(folder, readonly=True), b"EXISTS")
        self._selected = (folder, state)
        return state

    def open(self, folder: str) -> State:
        """Open a folder unless it is open, and return its state when it was opened."""
        if self._selected is not None and self._selected[0] == folder:
            return self._selected[1]
        return self.select(folder)

    def vanished(self, first: int, last: int, since: int) -> list[range]:
        """Return the UIDs from `first` to `last` that were expunged since a modseq (RFC 7162)."""
        window = f"{first}:{last}".encode()
        modifier = f"(CHANGEDSINCE {since} VANISHED)".encode()
        with _speaking(self._server, "the list of deleted messages"):
            # IMAPClient has no public call for VANISHED; FETCH answers are flags, of no interest.
            lines = self._imap._raw_command_untagged(
                b"FETCH", [window, b"(UID)", modifier], response_name="VANISHED"
            )
            self._imap._imap.untagged_responses.pop("FETCH", None)
        ranges = (part for line in lines if line for part in _ranges(line))
        return [
            range(max(one.start, first), min(one.stop, last + 1))
            for one in ranges
            if one.start <= last and one.stop > first
        ]

    def uids(self, first: int, last: int) -> list[int]:
        """Return the UIDs that exist from `first` to `last`, ascending."""
        with _speaking(self._server, "the list of messages"):
            found = self._imap.search(["UID", f"{first}:{last}"])
        return sorted({uid for uid in found if first <= uid <= last})

    def heads(self, uids: Sequence[int]) -> list[Head]:
        """Return what is known of messages before their bodies; those expunged are left out."""
        with _speaking(self._server, "the heads of messages"):
            found = self._imap.fetch(uids, ["RFC822.SIZE", "INTERNALDATE", _HEAD])
        return [
            Head(
                uid=uid,
                size=int(values.get(b"RFC822.SIZE", 0)),
                subject=_subject(values.get(_HEAD_KEY) or b""),
                received_at=_aware(values.get(b"INTERNALDATE")),
            )
            for uid, values in sorted(found.items())
            if b"RFC822.SIZE" in values
        ]

    def piece(self, uid: int, offset: int, size: int) -> bytes | None:
        """Return a part of a message's body, empty at its end; `None` if it was expunged."""
        with _speaking(self._server, f"the message {uid}"):
            found = self._imap.fetch([uid], [f"BODY.PEEK[]<{offset}.{size}>"]).get(uid, {})
        body = found.get(b"BODY[]<%d>" % offset)
        return body if isinstance(body, bytes) else None

    def rights(self, folder: str) -> list[tuple[str, str]] | None:
        """Return a folder's access control list; `None` if the server doesn't tell it."""
        if not self.keeps_rights:
            return None
        try:
            with _speaking(self._server, f"the rights of {folder!r}"):
                pairs = self._imap.getacl(folder)
        except Refused:
            return None
        return sorted((_text(who), _text(letters)) for who, letters in pairs)

    def close(self, politely: bool = True) -> None:
        """Log out, or just leave: what another thread waits for then breaks off."""
        if politely:
            with suppress(OSError, _imap_errors()):
                self._imap.logout()
        with suppress(OSError, _imap_errors()):
            self._imap.shutdown()

    def _log_in(self) -> None:
        server = self._server
        errors = _library().exceptions
        try:
            if server.security == "starttls":
                with _speaking(server, "STARTTLS"):
                    self._imap.starttls(_tls(server))
            if server.is_token:
                self._imap.oauth2_login(server.username, server.secret)
            elif self._imap.has_capability("AUTH=PLAIN"):
                self._imap.plain_login(server.username, server.secret)
            else:
                self._imap.login(server.username, server.secret)
        except UnicodeError:
            raise ConnectorError(
                f"The mail server {server.host} takes only ASCII in user name and password; "
                "change the password."
            ) from None
        except errors.IMAPClientAbortError as error:
            raise RetryLater from error
        except errors.IMAPClientError as error:
            broke = isinstance(error.__context__, errors.IMAPClientAbortError)
            if broke or _BUSY.search(str(error)):
                raise RetryLater from None
            what = "access token" if server.is_token else "user name and password"
            raise ConnectorError(
                f"The mail server {server.host} refused the login of {server.username}; "
                f"check the {what}."
            ) from None
        except OSError as error:
            raise _unreachable(server, error) from error


class Line:
    """Asks one session after the other, in threads; a session that broke off is replaced once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = asyncio.Lock()
        self._session: Session | None = None
        self._n_asking = 0

    async def ask(self, question: Callable[[Session], T]) -> T:
        """Return the answer; a question is asked again after a break, so it changes nothing."""
        async with self._lock:
            was_used = self._session is not None
            try:
                return await asyncio.to_thread(self._put, question)
            except RetryLater:
                await self.close()
                if not was_used:
                    raise
            return await asyncio.to_thread(self._put, question)

    async def close(self) -> None:
        """Log out; a question that is still being asked breaks off."""
        session, self._session = self._session, None
        if session is not None:
            await asyncio.to_thread(session.close, politely=not self._n_asking)

    def _put(self, question: Callable[[Session], T]) -> T:
        self._n_asking += 1
        try:
            if self._session is None:
                self._session = Session(self._server)
            return question(self._session)
        finally:
            self._n_asking -= 1


def _connect(server: Server) -> IMAPClient:
    client = _library().IMAPClient(
        server.host,
        port=server.port,
        ssl=server.security == "tls",
        ssl_context=_tls(server) if server.security == "tls" else None,
        timeout=server.timeout_s,
    )
    client.normalise_times = False
    return client


def _library() -> Any:
    try:
        import imapclient
        import imapclient.exceptions
    except ImportError as error:
        raise ConnectorError(
            "The package imapclient is missing; install it with: pip install imapclient==4.1.0."
        ) from error
    return imapclient


def _imap_errors() -> type[BaseException]:
    error: type[BaseException] = _library().exceptions.IMAPClientError
    return error


def _tls(server: Server) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        if server.ca_file is not None:
            context.load_verify_locations(server.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConnectorError(
            f"The certificates in {server.ca_file} can't be read; give a PEM file."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@contextmanager
def _speaking(server: Server, what: str) -> Iterator[None]:
    """Turn what the library raises into what the contract knows."""
    errors = _library().exceptions
    try:
        yield
    except errors.CapabilityError as error:
        raise ConnectorError(
            f"The mail server {server.host} can't do what is needed for {what}: {error}."
        ) from error
    except (errors.IMAPClientAbortError, errors.ProtocolError) as error:
        raise RetryLater from error
    except errors.IMAPClientError as error:
        if _BUSY.search(str(error)):
            raise RetryLater from error
        said = _SETTLED.sub(" ", str(error)).strip().rstrip(".")
        raise Refused(f"The mail server refused {what}: {said}.") from error
    except OSError as error:
        raise _unreachable(server, error) from error


def _unreachable(server: Server, error: OSError) -> ConnectorError:
    place = f"{server.host}:{server.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectorError(
            f"The certificate of {place} is not trusted ({error.verify_message}); "
            "give the file of the authority that signed it."
        )
    if isinstance(error, ssl.SSLError):
        return ConnectorError(
            f"{place} speaks no TLS there; check the port and the security setting."
        )
    if isinstance(error, socket.gaierror):
        return ConnectorError(f"There is no host {server.host}; check the name.")
    if isinstance(error, ConnectionRefusedError):
        return ConnectorError(f"Nothing answers at {place}; check the host and the port.")
    return RetryLater()


def _state(found: dict[bytes, Any], count: bytes) -> State:
    modseq = found.get(b"HIGHESTMODSEQ", 0)
    return State(
        validity=int(found[b"UIDVALIDITY"]),
        modseq=int(modseq) if modseq else 0,
        next_uid=int(found[b"UIDNEXT"]),
        n_messages=int(found[count]),
    )


def _ranges(line: bytes) -> Iterator[range]:
    for first, last in re.findall(rb"(\d+)(?::(\d+))?", line.replace(b"(EARLIER)", b"")):
        ends = sorted((int(first), int(last or first)))
        yield range(ends[0], ends[1] + 1)


def _subject(head: bytes) -> str:
    try:
        value = BytesParser(policy=policy.default).parsebytes(head, headersonly=True)["subject"]
        text = str(value or "")
    except (ValueError, LookupError, IndexError, TypeError, AttributeError):
        return ""
    text = text.encode("utf-8", "replace").decode()
    return _SETTLED.sub(" ", text).strip()[:500]


def _aware(value: object) -> datetime | None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    return value.astimezone(UTC)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
