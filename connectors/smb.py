"""A share of a Windows or Samba server as a source, with its NT permissions.

An item's id is its path below the configured folder. The tree is walked folder by folder in the
order of the paths' parts; the cursor of an interrupted walk is the last path. The version is made
of file id, size and time of writing, so that a change of permissions reads nothing again.

A reader needs the right to read the file and the right to enter each folder above it. What the
security identifiers of the access lists mean comes from `sids`, or from a source of the connector
`ldap`; one that isn't known grants nothing, and denied it denies everybody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, Field, JsonValue, SecretStr

from connectors import smb_acl
from connectors.confinement import PathFields
from connectors.contract import (
    Access,
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from connectors.media import media_type
from connectors.origin import check_host
from connectors.selection import Selection, is_clutter
from connectors.sidecars import Member, Principals
from connectors.smb_acl import Sids
from connectors.smb_share import Child, Server, Share

ITEMS_PER_MARK = 100
MAX_DEPTH = 100

_OPEN = Access(allow=frozenset({"everyone"}))
_Sid = Annotated[str, Field(pattern=r"^S-1(-[0-9]+)+$")]


class SmbConfig(PathFields):
    """Which share, who signs in, and what the security identifiers mean."""

    reach: ClassVar[frozenset[str]] = frozenset({"host", "port", "encrypt"})
    host: str = Field(title="Server", pattern=r"^[\w.:-]+$", description="name of the file server")
    share: str = Field(title="Share", pattern=r"^[^\\/:*?\"<>|]+$", description="name of the share")
    path: str = Field(
        default="", title="Folder", description="inside the share, such as Policies/2026; else all"
    )
    port: int = Field(default=445, title="Port", ge=1, le=65_535)
    username: str = Field(
        title="User", min_length=1, description=r"who may read all files and their permissions"
    )
    password: SecretStr = Field(title="Password")
    encrypt: bool = Field(
        default=True, title="Encrypt", description="needs SMB 3; messages are signed in any case"
    )
    sids: dict[_Sid, str] = Field(
        default_factory=dict,
        title="Who is who",
        description="principals by SID, such as S-1-22-1-1000 → user:ana",
    )
    directory: str = Field(
        default="",
        title="Directory",
        pattern=r"^([a-z0-9][a-z0-9_-]{0,63})?$",
        description="name of an ldap source that knows the SIDs",
    )
    directory_sids: tuple[_Sid, ...] = Field(
        default=(),
        title="SIDs of the directory",
        description="beginnings, such as the domain's S-1-5-21-1-2-3 or S-1-22-1 and S-1-22-2",
    )
    groups: dict[str, frozenset[Member]] = Field(
        default_factory=dict, title="Groups", description="members of the groups that sids name"
    )
    all_of: Principals = Field(
        default=frozenset(),
        title="Who may use the share",
        description="every reader must be each of these besides; the share's own list isn't read",
    )
    collection: str = Field(default="", title="Collection", description="what to file under")
    industry: str = Field(default="", title="Industry", description="industry of the documents")
    include: tuple[str, ...] = Field(
        default=(), title="Only these", description="such as *.pdf or policies/* (* matches /)"
    )
    exclude: tuple[str, ...] = Field(default=(), title="Not these", description="written alike")
    timeout_s: float = Field(default=60.0, title="Timeout (s)", gt=0, le=600)

    def server(self) -> Server:
        """Return where to sign in."""
        secret = self.password.get_secret_value()
        return Server(
            self.host, self.port, self.share, self.username, secret, self.encrypt, self.timeout_s
        )


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is walked: who may enter it, what of it is left, and the ids from the root."""

    path: str
    entered: Access
    rest: Iterator[Child]
    ids: frozenset[int] = frozenset()


class Smb:
    """Lists and reads one folder of a share; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = SmbConfig

    def __init__(self, config: SmbConfig) -> None:
        self._config = config
        self._share = Share(config.server())
        self._selection = Selection(config.include, config.exclude)
        self._sids = Sids(config.sids, config.directory, config.directory_sids)
        self._root = config.path.replace("\\", "/").strip("/")

    async def check(self) -> None:
        """Raise `ConnectorError` if the folder or its permissions can't be read."""
        await check_host(f"smb://{self._config.host}")
        try:
            await self._share.children(self._root)
            await self._above()
        except RetryLater as error:
            raise ConnectorError(
                f"The file server {self._config.host} doesn't answer in time; try again later."
            ) from error

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Walk the tree, with a `Mark` every 100 files."""
        after, done = _position(since)
        n_unmarked, last = 0, "/".join(after)
        async for event in self._walk(after):
            if isinstance(event, Item):
                done, n_unmarked, last = done + 1, n_unmarked + 1, event.id
            yield event
            if n_unmarked >= ITEMS_PER_MARK:
                n_unmarked = 0
                yield Mark(cursor={"after": last, "done": done}, done=done)
        yield Complete(cursor=None, done=done, total=done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a file in pieces of 1 MiB; raises `ConnectorError` if it changed or is gone."""
        parts = item.id.split("/")
        if any(one in ("", ".", "..") or "\\" in one or is_clutter(one) for one in parts):
            raise ConnectorError(f"{item.id!r} is not a document of this folder.")
        place, offset = self._place(item.id), 0
        while piece := await self._share.piece(place, offset, item.version):
            yield piece
            offset += len(piece)

    async def groups(self) -> AsyncIterator[Group]:
        """Yield the groups of the configuration: SMB tells no members."""
        for name in sorted(self._config.groups):
            yield Group(id=f"group:{name}", members=self._config.groups[name])

    async def aclose(self) -> None:
        """Sign off."""
        await self._share.aclose()

    def _place(self, path: str) -> str:
        return "/".join(part for part in (self._root, path) if part)

    async def _above(self) -> Access:
        """Return who may enter the configured folder and those above it."""
        parts = self._root.split("/") if self._root else []
        entered = _OPEN
        for n in range(len(parts) + 1):
            entered = await self._entering("/".join(parts[:n]), entered)
        return entered.model_copy(update={"all_of": entered.all_of | self._config.all_of})

    async def _entering(self, place: str, above: Access) -> Access:
        found = smb_acl.descriptor(await self._share.descriptor(place))
        return smb_acl.narrowed(smb_acl.access(found, smb_acl.ENTER, self._sids), above)

    async def _walk(self, after: tuple[str, ...]) -> AsyncIterator[Item | Failed]:
        """Yield files in the order of their paths' parts, but none up to `after`."""
        stack = [_Folder("", await self._above(), iter(await self._share.children(self._root)))]
        while stack:
            folder = stack[-1]
            child = next(folder.rest, None)
            if child is None:
                stack.pop()
                continue
            path = f"{folder.path}/{child.name}" if folder.path else child.name
            parts = tuple(path.split("/"))
            if not self._is_chosen(path, child) or parts < after[: len(parts)]:
                continue
            if not child.is_folder:
                if parts > after:
                    async for event in self._look_at(path, child, folder.entered):
                        yield event
                continue
            if child.file_id in folder.ids:
                continue
            try:
                stack.append(await self._into(path, child, folder))
            except RetryLater:
                raise
            except (ConnectorError, ValueError) as error:
                yield Failed(id=f"{path}/", error=_sentence(error))

    def _is_chosen(self, path: str, child: Child) -> bool:
        if is_clutter(child.name):
            return False
        return not self._selection.prunes(path) if child.is_folder else self._selection.takes(path)

    async def _into(self, path: str, child: Child, above: _Folder) -> _Folder:
        if path.count("/") >= MAX_DEPTH:
            raise ConnectorError(f"{path} lies more than {MAX_DEPTH} folders deep.")
        entered = await self._entering(self._place(path), above.entered)
        children = await self._share.children(self._place(path))
        # A server that follows links itself would lead round in circles.
        ids = above.ids | ({child.file_id} if child.file_id else set())
        return _Folder(path, entered, iter(children), ids)

    async def _look_at(
        self, path: str, child: Child, entered: Access
    ) -> AsyncIterator[Item | Failed]:
        if "�" in child.name:
            yield Failed(id=path, error="The name is not valid Unicode; rename the file.")
            return
        access = Access()
        try:
            found = smb_acl.descriptor(await self._share.descriptor(self._place(path)))
            own = smb_acl.access(found, smb_acl.READ, self._sids)
            access = smb_acl.narrowed(own, entered)
        except RetryLater:
            raise
        except (ConnectorError, ValueError) as error:
            why = f"{_sentence(error)} Nobody may read {path}."
            yield Failed(id=f"{path}:permissions", error=why)
        config = self._config
        meta: dict[str, JsonValue] = {
            key: value for key in ("collection", "industry") if (value := getattr(config, key))
        }
        place = quote(f"{config.share}/{self._place(path)}")
        yield Item(
            id=path,
            version=child.version,
            uri=f"smb://{config.host}/{place}",
            media_type=media_type(child.name),
            modified_at=child.modified_at,
            access=access,
            meta=meta,
        )


def _position(since: JsonValue) -> tuple[tuple[str, ...], int]:
    match since:
        case None:
            return (), 0
        case {"after": str(after), "done": int(done)}:
            return tuple(after.split("/")), done
    raise CursorExpired("The cursor is not one of this share; it is listed afresh.")


def _sentence(error: Exception) -> str:
    if isinstance(error, ConnectorError):
        return str(error)
    return f"The permissions can't be understood: {error}."
