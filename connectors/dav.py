"""WebDAV (RFC 4918) and its collection synchronization (RFC 6578), as far as reading needs them.

Paths are relative to the address of the tree, decoded, without slashes at their ends; "" is the
tree itself. An `href` of the server is only ever a name: every request goes to the configured
address plus that name, so no answer can lead elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from connectors.contract import ConnectorError, CursorExpired, RetryLater
from connectors.session import Denied, Missing, Refused, Session

PIECE_BYTES = 65_536
MAX_LISTING_BYTES = 268_435_456
CHANGES_PER_ANSWER = 500

_D = "{DAV:}"
_OC = "{http://owncloud.org/ns}"
_FILE_PROPS = "<d:resourcetype/><d:getetag/><d:getcontentlength/><d:getlastmodified/><oc:owner-id/>"
_LIST = (
    '<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">'
    f"<d:prop>{_FILE_PROPS}</d:prop></d:propfind>"
).encode()
_ABOUT = (
    b'<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/><d:sync-token/>'
    b"<d:supported-report-set/></d:prop></d:propfind>"
)
_XML = {"Content-Type": "application/xml; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A file or folder; `trouble` says why it can't be used, `etag` may be empty."""

    path: str
    kind: Literal["file", "folder", "unknown"] = "file"
    etag: str = ""
    n_bytes: int = 0
    modified_at: datetime | None = None
    owner: str = ""
    trouble: str = ""

    @property
    def is_folder(self) -> bool:
        """Say whether it is surely a folder."""
        return self.kind == "folder"


@dataclass(frozen=True, slots=True)
class Changes:
    """What one answer to a sync-collection report says; `removed` maps paths to `is_folder`."""

    resources: list[Resource] = field(default_factory=list)
    removed: dict[str, bool] = field(default_factory=dict)
    token: str = ""
    is_cut: bool = False


class Tree:
    """The tree below one address; every method raises `ConnectorError` or `RetryLater`."""

    def __init__(self, session: Session, url: str) -> None:
        self._session = session
        self._url = url
        self._base = _parts(urlsplit(url).path)

    def url(self, path: str, is_folder: bool = False) -> str:
        """Return the address of a path."""
        steps = "".join("/" + quote(part, safe="") for part in path.split("/") if part)
        return f"{self._url}{steps}{'/' if is_folder else ''}"

    async def sync_token(self) -> str:
        """Return where the tree's changes can be followed from, "" where they can't be.

        Raises `ConnectorError` if the address is no WebDAV folder.
        """
        token, is_folder, reports = "", False, False
        asked = self._multistatus("PROPFIND", "", _ABOUT, 0)
        async with aclosing(asked) as about:
            async for response in about:
                token = token or (response.findtext(f".//{_D}prop/{_D}sync-token") or "").strip()
                is_folder |= response.find(f".//{_D}resourcetype/{_D}collection") is not None
                reports |= response.find(f".//{_D}report/{_D}sync-collection") is not None
        if not is_folder:
            raise ConnectorError(f"{self._url} is not a WebDAV folder; check the address.")
        if not (token and reports):
            return ""
        try:
            await self.changes(token)
        except RetryLater:
            raise
        except ConnectorError:
            return ""
        return token

    async def children(self, folder: str) -> dict[str, Resource]:
        """Return what lies in a folder by name, in the order of names."""
        found, has_itself = dict[str, Resource](), False
        asked = self._multistatus("PROPFIND", folder, _LIST, 1)
        async with aclosing(asked) as listed:
            async for response in listed:
                resource = self._resource(response)
                above, _, name = resource.path.rpartition("/")
                if resource.path == folder:
                    has_itself = True
                elif above == folder:
                    found[name] = resource
                else:
                    raise ConnectorError(
                        f"The listing of {folder or self._url} names something that is not in "
                        "it; check the address."
                    )
        if not has_itself:
            raise ConnectorError(
                f"The server does not know {folder or self._url} under this address; enter the "
                "address that it calls itself by."
            )
        return dict(sorted(found.items()))

    async def one(self, path: str) -> Resource:
        """Return what the server says of one file."""
        async with aclosing(
            self._multistatus("PROPFIND", path, _LIST, 0, is_folder=False)
        ) as found:
            async for response in found:
                return self._resource(response)
        raise Missing(f"{path} is not there; it was deleted or renamed.")

    async def changes(self, token: str) -> Changes:
        """Return what changed since a token; raises `CursorExpired` if it is no longer known."""
        body = (
            '<?xml version="1.0"?>'
            '<d:sync-collection xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">'
            f"<d:sync-token>{_escaped(token)}</d:sync-token><d:sync-level>infinite</d:sync-level>"
            f"<d:limit><d:nresults>{CHANGES_PER_ANSWER}</d:nresults></d:limit>"
            f"<d:prop>{_FILE_PROPS}</d:prop></d:sync-collection>"
        ).encode()
        found, removed, new, is_cut = list[Resource](), dict[str, bool](), "", False
        try:
            async with aclosing(self._multistatus("REPORT", "", body, 0)) as report:
                async for element in report:
                    if element.tag == f"{_D}sync-token":
                        new = (element.text or "").strip()
                        continue
                    status, resource = _status(element), self._resource(element)
                    if status == 507:
                        is_cut = True
                    elif status == 404:
                        removed[resource.path] = _href(element).endswith("/")
                    elif resource.path:
                        found.append(resource)
        except (Denied, Missing, Refused) as error:
            raise CursorExpired(f"Changes can't be followed any further: {error}") from error
        if not new:
            raise CursorExpired("The server named no new sync token; the tree is listed afresh.")
        return Changes(found, removed, new, is_cut)

    async def small(self, path: str, max_bytes: int) -> bytes | None:
        """Return the beginning of a file, None where there is none."""
        content = b""
        try:
            async with self._session.ask("GET", self.url(path), path) as answer:
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) >= max_bytes:
                        break
        except Missing:
            return None
        return content[:max_bytes]

    async def body(self, path: str, etag: str) -> AsyncIterator[bytes]:
        """Yield a file in pieces of 64 KiB.

        Raises `ConnectorError` if its etag is another one by now; "" takes any.
        """
        async with self._session.ask("GET", self.url(path), path) as answer:
            got = _etag(answer.headers.get("ETag", ""))
            # A proxy may mark the etag of an answer: then the listing has the last word.
            if etag and got and got != etag and (await self.one(path)).etag != etag:
                raise ConnectorError(f"{path} changed while it was read; the next run reads it.")
            async for piece in answer.aiter_bytes(PIECE_BYTES):
                yield piece

    async def _multistatus(
        self, method: str, path: str, body: bytes, depth: int, *, is_folder: bool = True
    ) -> AsyncGenerator[etree._Element]:
        """Yield the responses of a multistatus, and the sync token beside them, as they arrive."""
        what = (f"The folder {path}" if is_folder else path) if path else self._url
        parser = etree.XMLPullParser(
            events=("end",),
            tag=(f"{_D}response", f"{_D}sync-token"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
        )
        n_bytes = 0
        asked = self._session.ask(
            method,
            self.url(path, is_folder),
            what,
            headers={**_XML, "Depth": str(depth)},
            content=body,
        )
        try:
            async with asked as answer:
                if answer.status_code != 207:
                    raise Refused(
                        f"{what} is not a WebDAV folder (answer {answer.status_code} instead of "
                        "207); check the address.",
                        answer.status_code,
                    )
                async for piece in answer.aiter_bytes(PIECE_BYTES):
                    n_bytes += len(piece)
                    if n_bytes > MAX_LISTING_BYTES:
                        raise ConnectorError(
                            f"{what} has a listing of more than {MAX_LISTING_BYTES:,} bytes; "
                            "divide it into folders."
                        )
                    parser.feed(piece)
                    for element in _complete(parser):
                        yield element
                parser.close()
                for element in _complete(parser):
                    yield element
        except etree.XMLSyntaxError as error:
            raise ConnectorError(f"{what} has a listing that is not valid XML.") from error

    def _resource(self, response: etree._Element) -> Resource:
        path, trouble = self._path(_href(response))
        for propstat in response.iterfind(f"{_D}propstat"):
            if _status(propstat) == 200 and (prop := propstat.find(f"{_D}prop")) is not None:
                return replace(_described(path, prop), trouble=trouble)
        status = _status(response)
        why = trouble or f"{path} can't be listed: the server answers {status}."
        return Resource(path, "unknown", trouble=why)

    def _path(self, href: str) -> tuple[str, str]:
        """Return the path of an address, and what is wrong with its name."""
        try:
            parts = _parts(urlsplit(href).path)
        except ValueError:
            shown = unquote(href, errors="backslashreplace").strip("/").split("/")
            name = "/".join(shown[len(self._base) :])
            return name, f"The name of {name} is not valid UTF-8; rename it."
        if parts[: len(self._base)] != self._base:
            raise ConnectorError(
                f"The server calls the folder by another address than {self._url}; enter that."
            )
        names = parts[len(self._base) :]
        if any("/" in name or "\x00" in name or name in (".", "..") for name in names):
            shown_path = "/".join(quote(name, safe=" ") for name in names)
            return shown_path, f"The name {shown_path} can't be stored; rename it."
        return "/".join(names), ""


def _described(path: str, prop: etree._Element) -> Resource:
    length = (prop.findtext(f"{_D}getcontentlength") or "").strip()
    return Resource(
        path=path,
        kind="file" if prop.find(f"{_D}resourcetype/{_D}collection") is None else "folder",
        etag=_etag(prop.findtext(f"{_D}getetag") or ""),
        n_bytes=int(length) if length.isdecimal() and len(length) < 20 else 0,
        modified_at=_time(prop.findtext(f"{_D}getlastmodified") or ""),
        owner=(prop.findtext(f"{_OC}owner-id") or "").strip(),
    )


def _complete(parser: etree.XMLPullParser) -> Iterator[etree._Element]:
    """Yield the direct children of the root that are whole, and forget them afterwards."""
    for _, element in parser.read_events():
        above = element.getparent() if isinstance(element, etree._Element) else None
        if not isinstance(element, etree._Element) or above is None:
            continue
        if above.getparent() is not None:
            continue
        if element.getroottree().docinfo.internalDTD is not None:
            raise ConnectorError("The server's listing has a document type, which is not allowed.")
        yield element
        element.clear()
        while element.getprevious() is not None:
            del above[0]


def _parts(path: str) -> tuple[str, ...]:
    """Split and decode a path; raises ValueError if it is not UTF-8."""
    return tuple(unquote(part, errors="strict") for part in path.split("/") if part)


def _href(response: etree._Element) -> str:
    return (response.findtext(f"{_D}href") or "").strip()


def _status(element: etree._Element) -> int:
    """Return the number of a status line such as `HTTP/1.1 200 OK`, 200 where there is none."""
    words = (element.findtext(f"{_D}status") or "").split()
    return int(words[1]) if len(words) > 1 and re.fullmatch("[0-9]{3}", words[1]) else 200


def _etag(value: str) -> str:
    return value.strip().removeprefix("W/").strip('"')


def _time(value: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
