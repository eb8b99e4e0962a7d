"""Mail folders as a source: a message is an item, its attachments are the mail reader's matter.

An item's id is `FOLDER/;UID=n` (RFC 5092 without the validity); its version is UIDVALIDITY and UID
together, which name a message for good: IMAP messages never change, flags are no content. A moved
message is one item gone and one new; its content is known, so nothing is embedded again.

The cursor keeps five numbers and the access of each folder. A folder whose STATUS is the same is
not opened. Where the server keeps tombstones (QRESYNC, RFC 7162), deletions arrive as VANISHED;
else a folder whose count shows that something is missing expires the cursor, as a folder that
vanished, was renamed or got a new UIDVALIDITY does: everything is listed again, nothing fetched.

Permissions are the folder's access control list (`connectors.rights`). A change of it lists the
folder's messages again, with the same versions.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote

from pydantic import BaseModel, Field, JsonValue, SecretStr, ValidationError, model_validator

from connectors import rights
from connectors.confinement import PathFields
from connectors.contract import (
    Access,
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Frozen,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from connectors.mailbox import (
    WINDOW_UIDS,
    Folder,
    Head,
    Line,
    Refused,
    Server,
    Session,
    State,
)
from connectors.sidecars import Member, Principals

ITEMS_PER_MARK = 200
MAX_VANISHED = 10_000
"""With more deletions in a folder than this, listing all again is the shorter way."""
PIECE_BYTES = 1_048_576

_SPECIAL = frozenset({"\\trash", "\\junk", "\\drafts", "\\all"})
_CLOSED = frozenset({"\\noselect", "\\nonexistent"})
_ID = re.compile(r"(?P<folder>.+)/;UID=(?P<uid>[1-9][0-9]{0,9})", re.DOTALL)


class ImapConfig(PathFields):
    """Which mailbox, who logs in, and which of its folders are read."""

    reach: ClassVar[frozenset[str]] = frozenset({"host", "port", "security", "ca_file"})
    host: str = Field(title="Server", min_length=1, description="name of the mail server")
    port: int | None = Field(
        default=None, ge=1, le=65_535, description="993 with tls, else 143, where it is empty"
    )
    security: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="none sends the password in clear: only inside one machine"
    )
    ca_file: Path | None = Field(
        default=None, title="Authority", description="PEM file of a company's own authority"
    )
    username: str = Field(title="User", min_length=1, description="login of the mailbox")
    password: SecretStr | None = Field(default=None, description="password, or give a token")
    token: SecretStr | None = Field(
        default=None, title="Access token", description="OAuth 2 token for XOAUTH2"
    )
    owner: Annotated[str, Field(pattern=r"^((user|group):\S.*)?$")] = Field(
        default="", description="whose mailbox it is, such as user:ana; else the user"
    )
    allow: Principals = Field(
        default=frozenset(), description="further readers, such as group:support"
    )
    groups: dict[str, frozenset[Member]] = Field(
        default_factory=dict, description="members of the groups that access lists name"
    )
    folders: tuple[str, ...] = Field(
        default=("*",), description="only these, such as INBOX or Projects/* (* also matches /)"
    )
    exclude: tuple[str, ...] = Field(
        default=("Trash", "Junk", "Spam", "Drafts"), description="not these, written like folders"
    )
    collection: str = Field(default="", description="collection of the messages")
    industry: str = Field(default="", description="industry of the messages")
    timeout_s: float = Field(default=60.0, gt=0, le=600, description="patience with the server")

    @model_validator(mode="after")
    def _one_secret(self) -> ImapConfig:
        if (self.password is None) == (self.token is None):
            raise ValueError("give either a password or an access token")
        return self

    def server(self) -> Server:
        """Return where to log in."""
        secret = self.password or self.token or SecretStr("")
        return Server(
            host=self.host,
            port=self.port or (993 if self.security == "tls" else 143),
            security=self.security,
            ca_file=self.ca_file,
            username=self.username,
            secret=secret.get_secret_value(),
            is_token=self.token is not None,
            timeout_s=self.timeout_s,
        )


class Known(Frozen):
    """What a cursor knows of a folder.

    UIDs below `next_uid` were listed, `n_listed` of them; those below `top_uid` may be known from
    an earlier listing, so their deletions count as well.
    """

    validity: int
    modseq: int
    next_uid: int = 1
    top_uid: int = 1
    n_listed: int = 0
    access: Access


class Cursor(Frozen):
    """Where a listing is; `whole` while everything is listed from nothing."""

    whole: bool
    done: int = 0
    folders: dict[str, Known] = Field(default_factory=dict)


class Imap:
    """Lists and reads one mailbox; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = ImapConfig

    def __init__(self, config: ImapConfig) -> None:
        self._config = config
        self._lister = Line(config.server())
        self._fetcher = Line(config.server())

    async def check(self) -> None:
        """Raise `ConnectorError` if the login or the choice of folders doesn't work."""
        try:
            chosen = await self._lister.ask(self._chosen)
        except RetryLater as error:
            raise ConnectorError(
                f"The mail server {self._config.host} doesn't answer in time; try again later."
            ) from error
        if not chosen:
            raise ConnectorError("No folder of the mailbox is chosen; check folders and exclude.")

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Yield what changed in the chosen folders, with a `Mark` about every 200 messages."""
        cursor = Cursor(whole=True) if since is None else _cursor(since)
        folders = await self._lister.ask(self._chosen)
        names = {folder.name for folder in folders}
        if lost := sorted(set(cursor.folders) - names):
            raise CursorExpired(f"The folder {lost[0]!r} is gone; everything is listed afresh.")
        for folder in folders:
            try:
                async for event in self._folder(folder, cursor):
                    if isinstance(event, Cursor):
                        cursor = event
                        yield _mark(cursor)
                    else:
                        yield event
            except Refused as error:
                yield Failed(id=f"{folder.name}/", error=str(error))
        last = cursor.model_copy(update={"whole": False}).model_dump(mode="json")
        kind = Complete if cursor.whole else Mark
        yield kind(cursor=last, done=cursor.done, total=cursor.done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a message in pieces of 1 MiB; raises `ConnectorError` if it is gone."""
        named = _ID.fullmatch(item.id)
        if named is None:
            raise ConnectorError(f"{item.id!r} is no message of this mailbox.")
        folder, uid, offset = named["folder"], int(named["uid"]), 0
        while True:
            piece = await self._fetcher.ask(_piece_of(folder, uid, offset, item.version))
            if piece:
                yield piece
            if len(piece) < PIECE_BYTES:
                return
            offset += len(piece)

    async def groups(self) -> AsyncIterator[Group]:
        """Yield the groups of the configuration: IMAP tells no members."""
        for name in sorted(self._config.groups):
            yield Group(id=f"group:{name}", members=self._config.groups[name])

    async def aclose(self) -> None:
        """Log out."""
        await self._lister.close()
        await self._fetcher.close()

    def _chosen(self, session: Session) -> list[Folder]:
        return [folder for folder in session.folders() if self._is_chosen(folder)]

    def _is_chosen(self, folder: Folder) -> bool:
        config, parts = self._config, folder.path.split("/")
        if folder.flags & _CLOSED or (
            folder.flags & _SPECIAL and folder.path not in config.folders
        ):
            return False
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        if any(fnmatchcase(name, glob) for name in (*above, *parts) for glob in config.exclude):
            return False
        return any(fnmatchcase(folder.path, glob) for glob in config.folders)

    def _look(self, folder: Folder) -> Callable[[Session], tuple[State, Access]]:
        owner = self._config.owner or f"user:{self._config.username}"

        def look(session: Session) -> tuple[State, Access]:
            state = session.status(folder.name)
            return state, rights.access(session.rights(folder.name), owner, self._config.allow)

        return look

    async def _folder(self, folder: Folder, cursor: Cursor) -> AsyncIterator[Item | Gone | Cursor]:
        """Yield a folder's changes, and the cursor after each 200 of them."""
        state, access = await self._lister.ask(self._look(folder))
        known = cursor.folders.get(folder.name)
        if known is not None and known.validity != state.validity:
            raise CursorExpired(f"The folder {folder.name!r} was made anew; it is listed afresh.")
        if known is not None and _is_same(known, state, access):
            return
        state = await self._lister.ask(_opened(folder.name, state.validity))
        if known is not None and known.modseq and known.modseq != state.modseq:
            async for gone in self._vanished(folder, known):
                yield gone if gone is not None else cursor
        known = known or Known(validity=state.validity, modseq=state.modseq, access=access)
        n_before = known.n_listed
        if known.access != access:
            if not (known.modseq and state.modseq):
                raise CursorExpired(f"The rights of {folder.name!r} changed; it is listed afresh.")
            known = known.model_copy(update={"access": access, "next_uid": 1, "n_listed": 0})
        async for heads in self._heads(folder, known, state):
            for head in heads:
                yield self._item(folder, known, head)
            known = _after(known, heads[-1].uid + 1, len(heads))
            cursor = _with(cursor, folder.name, known, len(heads))
            yield cursor
        if not (known.modseq and state.modseq) and n_before and known.n_listed != state.n_messages:
            raise CursorExpired(f"Messages of {folder.name!r} are gone; it is listed afresh.")
        known = _after(known, state.next_uid, 0).model_copy(update={"modseq": state.modseq})
        yield _with(cursor, folder.name, known, 0)

    async def _vanished(self, folder: Folder, known: Known) -> AsyncIterator[Gone | None]:
        """Yield what was expunged since the cursor, and None where a mark may stand."""
        n_gone = 0
        for first in range(1, known.top_uid, WINDOW_UIDS):
            last = min(first + WINDOW_UIDS, known.top_uid) - 1
            ranges = await self._lister.ask(_expunged(folder.name, known, first, last))
            for uid in (uid for one in ranges for uid in one):
                n_gone += 1
                if n_gone > MAX_VANISHED:
                    raise CursorExpired(f"{folder.name!r} lost many messages; it is listed afresh.")
                yield Gone(id=_id(folder.name, uid))
                if n_gone % ITEMS_PER_MARK == 0:
                    yield None

    async def _heads(self, folder: Folder, known: Known, state: State) -> AsyncIterator[list[Head]]:
        """Yield the messages that are new, 200 at a time."""
        for first in range(known.next_uid, state.next_uid, WINDOW_UIDS):
            last = min(first + WINDOW_UIDS, state.next_uid) - 1
            uids = await self._lister.ask(_existing(folder.name, known, first, last))
            for at in range(0, len(uids), ITEMS_PER_MARK):
                some = uids[at : at + ITEMS_PER_MARK]
                if heads := await self._lister.ask(_described(folder.name, known, some)):
                    yield heads

    def _item(self, folder: Folder, known: Known, head: Head) -> Item:
        config = self._config
        meta: dict[str, JsonValue] = {
            key: value for key in ("collection", "industry") if (value := getattr(config, key))
        }
        if head.received_at is not None:
            meta["date"] = head.received_at.date().isoformat()
        place = f"{quote(folder.name, safe='/')};UIDVALIDITY={known.validity}/;UID={head.uid}"
        return Item(
            id=_id(folder.name, head.uid),
            version=_version(known.validity, head.uid),
            uri=f"imap://{config.host}/{place}",
            title=head.subject,
            media_type="message/rfc822",
            modified_at=head.received_at,
            access=known.access,
            meta=meta,
        )


def _id(folder: str, uid: int) -> str:
    return f"{folder}/;UID={uid}"


def _version(validity: int, uid: int) -> str:
    return f"{validity}.{uid}"


def _mark(cursor: Cursor) -> Mark:
    return Mark(cursor=cursor.model_dump(mode="json"), done=cursor.done)


def _cursor(since: JsonValue) -> Cursor:
    try:
        return Cursor.model_validate(since)
    except ValidationError as error:
        raise CursorExpired("The mailbox's cursor is not one of its own; list afresh.") from error


def _with(cursor: Cursor, folder: str, known: Known, n_more: int) -> Cursor:
    folders = {**cursor.folders, folder: known}
    return cursor.model_copy(update={"folders": folders, "done": cursor.done + n_more})


def _after(known: Known, next_uid: int, n_more: int) -> Known:
    top, n_listed = max(known.top_uid, next_uid), known.n_listed + n_more
    return known.model_copy(update={"next_uid": next_uid, "top_uid": top, "n_listed": n_listed})


def _is_same(known: Known, state: State, access: Access) -> bool:
    if known.access != access or known.next_uid != state.next_uid:
        return False
    if known.modseq and state.modseq:
        return known.modseq == state.modseq
    return known.n_listed == state.n_messages


def _opened(folder: str, validity: int) -> Callable[[Session], State]:
    def question(session: Session) -> State:
        state = session.select(folder)
        _expect_same(folder, state, validity)
        return state

    return question


def _existing(folder: str, known: Known, first: int, last: int) -> Callable[[Session], list[int]]:
    def question(session: Session) -> list[int]:
        _expect_same(folder, session.open(folder), known.validity)
        return session.uids(first, last)

    return question


def _expunged(folder: str, known: Known, first: int, last: int) -> Callable[[Session], list[range]]:
    def question(session: Session) -> list[range]:
        _expect_same(folder, session.open(folder), known.validity)
        return session.vanished(first, last, known.modseq)

    return question


def _described(folder: str, known: Known, uids: list[int]) -> Callable[[Session], list[Head]]:
    def question(session: Session) -> list[Head]:
        _expect_same(folder, session.open(folder), known.validity)
        return session.heads(uids)

    return question


def _piece_of(folder: str, uid: int, offset: int, version: str) -> Callable[[Session], bytes]:
    def question(session: Session) -> bytes:
        validity = session.open(folder).validity
        piece = session.piece(uid, offset, PIECE_BYTES)
        if piece is None or _version(validity, uid) != version:
            raise ConnectorError(f"The message {uid} is no longer in the folder {folder!r}.")
        return piece

    return question


def _expect_same(folder: str, state: State, validity: int) -> None:
    if state.validity != validity:
        raise CursorExpired(f"The folder {folder!r} was made anew; it is listed afresh.")
