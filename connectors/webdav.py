"""A WebDAV folder as a source: Nextcloud, ownCloud, Apache, NAS devices, content systems.

An item's id is its path below the configured address, its version the etag. The tree is walked
folder by folder (PROPFIND, depth 1), in the order of the paths' parts; the cursor of an interrupted
walk is the last path. Servers with collection synchronization (RFC 6578) are asked after that only
for what changed and what is gone. What such an answer leaves open (a folder that is gone, an access
file, shares that changed) raises `CursorExpired`: the tree is walked again, without fetching what
kept its etag.

Who may read comes from the configuration (all alike), from access files as in a folder (see
`connectors.sidecars`), or from Nextcloud's shares (see `connectors.nextcloud`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, JsonValue, SecretStr, model_validator

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
from connectors.dav import Resource, Tree
from connectors.media import media_type
from connectors.nextcloud import FILES, Nextcloud, Shares
from connectors.origin import check_host, checked_url, is_loopback
from connectors.rules import Rules, read_groups
from connectors.selection import Selection, is_clutter
from connectors.session import Session
from connectors.sidecars import MAX_SIDECAR_BYTES, SIDECAR, Principals, Rule

ITEMS_PER_MARK = 100
MAX_DEPTH = 100


class WebDavConfig(PathFields):
    """Which folder, how to sign in, and who may read."""

    reach: ClassVar[frozenset[str]] = frozenset({"url", "allow_http", "ca_bundle"})
    url: Annotated[str, AfterValidator(checked_url)] = Field(
        title="Address",
        description="of the folder, such as https://cloud.example.com/remote.php/dav/files/USER",
    )
    username: str = Field(default="", title="User")
    password: SecretStr = Field(
        default=SecretStr(""), title="Password", description="an app password where there are such"
    )
    token: SecretStr | None = Field(
        default=None, title="Token", description="bearer token instead of user and password"
    )
    permissions: Literal["config", "access_files", "nextcloud"] = Field(
        default="config",
        title="Permissions from",
        description="the list below for all, access files in the folders, or Nextcloud's shares",
    )
    allow: Principals = Field(
        default=frozenset(),
        title="Who may read",
        description="with permissions from config: user:LOGIN, group:NAME, everyone; empty: nobody",
    )
    read_groups: bool = Field(
        default=True,
        title="Read groups",
        description="ask Nextcloud who is in a group; needs a group administrator",
    )
    collection: str = Field(default="", title="Collection", description="what to file under")
    industry: str = Field(default="", title="Industry", description="industry of the documents")
    include: tuple[str, ...] = Field(
        default=(),
        title="Only these",
        description="such as *.pdf or policies/* (* also matches /)",
    )
    exclude: tuple[str, ...] = Field(default=(), title="Not these", description="written alike")
    allow_http: bool = Field(
        default=False, title="Without encryption", description="send the password over plain http"
    )
    ca_bundle: Path | None = Field(
        default=None, title="Certificates", description="file of your own authorities, PEM"
    )
    timeout_s: float = Field(default=60.0, title="Timeout (s)", gt=0, le=600)

    @model_validator(mode="after")
    def _is_safe_and_whole(self) -> Self:
        plain = urlsplit(self.url).scheme == "http" and not is_loopback(self.url)
        if plain and not self.allow_http:
            raise ValueError("use https://, or turn allow_http on: the password is sent openly")
        if self.permissions == "nextcloud" and FILES not in self.url + "/":
            raise ValueError(f"Nextcloud's shares need an address with {FILES}USER")
        token = self.token.get_secret_value() if self.token else ""
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("a token has neither spaces, line breaks nor accented letters")
        return self


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a listing goes on: after a path of a walk, or from a sync token; see `changes`.

    `has_dotted`: a folder's name holds a dot, so that no removed path is surely a file.
    """

    after: str = ""
    done: int = 0
    token: str = ""
    is_walked: bool = False
    has_dotted: bool = False
    shares: str = ""

    def cursor(self) -> JsonValue:
        kind = {"feed": self.token} if self.is_walked else {"after": self.after, "next": self.token}
        return {**kind, "done": self.done, "dotted": self.has_dotted, "shares": self.shares}


class WebDav:
    """Lists and reads one WebDAV tree; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = WebDavConfig

    def __init__(self, config: WebDavConfig) -> None:
        self._config = config
        self._selection = Selection(config.include, config.exclude)
        auth: tuple[str, str] | str = (config.username, config.password.get_secret_value())
        if config.token:
            auth = config.token.get_secret_value()
        self._session = Session(config.url, auth, config.ca_bundle, config.timeout_s)
        self._tree = Tree(self._session, config.url)
        self._nextcloud: Nextcloud | None = None
        if config.permissions == "nextcloud":
            self._nextcloud = Nextcloud(self._session, config.url)
        self._sidecars: set[str] | None = None
        """The access files of the folders above the walk, None where nothing is known of them."""

    async def check(self) -> None:
        """Raise `ConnectorError` if the folder can't be listed, or its permissions not be read."""
        await check_host(self._config.url)
        if not await self._tree.children(""):
            raise ConnectorError(f"The folder {self._config.url} is empty; check address and user.")
        if self._nextcloud:
            await self._nextcloud.shares()
        if self._config.permissions == "access_files":
            await read_groups(self._small)

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List the tree, or from a finished listing's cursor on only what changed.

        A `Mark` comes every 100 files. Raises `CursorExpired` when the tree has to be walked again.
        """
        position = _position(since)
        shares = await self._nextcloud.shares() if self._nextcloud else None
        seen = shares.sha256 if shares else ""
        if position is None:
            token = await self._tree.sync_token()
            position = _Position(token=token, shares=seen)
        elif position.shares != seen:
            raise CursorExpired("The shares changed, so the tree is listed afresh.")
        events = self._feed if position.is_walked else self._walk_all
        async with aclosing(events(position, shares)) as found:  # type: ignore[type-var]
            async for event in found:
                yield event

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a file in pieces; raises `ConnectorError` if it changed or is gone."""
        parts = item.id.split("/")
        if any(part in ("", ".", "..") or is_clutter(part) for part in parts):
            raise ConnectorError(f"{item.id!r} is not a document of this folder.")
        etag = "" if item.version.startswith("stat:") else item.version
        async with aclosing(self._tree.body(item.id, etag)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield piece

    async def groups(self) -> AsyncIterator[Group]:
        """Yield the groups that Nextcloud's shares name, or those of `.groups.toml`."""
        if self._nextcloud and self._config.read_groups:
            for group in await self._nextcloud.groups():
                yield group
        if self._config.permissions == "access_files":
            for group in await read_groups(self._small):
                yield group

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.aclose()

    async def _walk_all(
        self, position: _Position, shares: Shares | None
    ) -> AsyncIterator[Item | Failed | Mark]:
        after = tuple(position.after.split("/")) if position.after else ()
        rules, n_unmarked = self._rules(), 0
        self._sidecars = set()
        async for resource in self._walk("", after):
            if resource.is_folder and not resource.trouble:
                dotted = position.has_dotted or _is_dotted(resource.path)
                position = replace(position, has_dotted=dotted)
                continue
            for event in await self._look_at(resource, rules, shares):
                done = position.done + isinstance(event, Item)
                position = replace(position, done=done, after=resource.path)
                n_unmarked += 1
                yield event
            if n_unmarked >= ITEMS_PER_MARK:
                n_unmarked = 0
                yield Mark(cursor=position.cursor(), done=position.done)
        done = position.done
        cursor = replace(position, is_walked=True, after="").cursor() if position.token else None
        yield Complete(cursor=cursor, done=done, total=done)

    async def _feed(
        self, position: _Position, shares: Shares | None
    ) -> AsyncIterator[Item | Gone | Failed | Mark]:
        rules, is_cut = self._rules(), True
        self._sidecars = None
        while is_cut:
            changes = await self._tree.changes(position.token)
            is_cut = changes.is_cut and changes.token != position.token
            dotted = any(one.is_folder and _is_dotted(one.path) for one in changes.resources)
            position = replace(
                position, token=changes.token, has_dotted=position.has_dotted or dotted
            )
            for path, is_folder in changes.removed.items():
                if gone := self._gone(path, is_folder, position.has_dotted):
                    yield gone
            n_found = 0
            for resource in changes.resources:
                if resource.is_folder or resource.path.endswith(SIDECAR):
                    raise CursorExpired("A folder or an access file changed; it is listed afresh.")
                if self._is_document(resource.path):
                    for event in await self._look_at(resource, rules, shares):
                        n_found += isinstance(event, Item)
                        yield event
            yield Mark(cursor=position.cursor(), done=n_found)

    def _gone(self, path: str, is_folder: bool, has_dotted: bool) -> Gone | None:
        """Return what a removed path means; raises `CursorExpired` if it may be a folder."""
        name = path.rpartition("/")[2]
        if is_folder or has_dotted or "." not in name or name.endswith(SIDECAR):
            raise CursorExpired("A folder or an access file is gone; the tree is listed afresh.")
        return Gone(id=path) if self._is_document(path) else None

    async def _walk(self, folder: str, after: tuple[str, ...]) -> AsyncIterator[Resource]:
        """Yield folders and files in the order of parts, but no file up to `after`.

        A folder that can't be listed comes a second time, with its trouble.
        """
        stack = [iter(await self._entries(folder))]
        while stack:
            resource = next(stack[-1], None)
            if resource is None:
                stack.pop()
                continue
            parts = tuple(resource.path.split("/"))
            if resource.trouble or not resource.is_folder:
                if parts > after:
                    yield resource
                continue
            yield resource
            if parts < after[: len(parts)]:
                continue
            try:
                if len(parts) > MAX_DEPTH:
                    raise ConnectorError(f"{resource.path} lies more than {MAX_DEPTH} deep.")
                stack.append(iter(await self._entries(resource.path)))
            except RetryLater:
                raise
            except ConnectorError as error:
                yield replace(resource, trouble=str(error))

    async def _entries(self, folder: str) -> list[Resource]:
        """Return what is to be looked at in a folder, and note its access files."""
        found = await self._tree.children(folder)
        if self._sidecars is not None:
            self._sidecars = {one for one in self._sidecars if _covers(one, folder)}
            self._sidecars |= {one.path for name, one in found.items() if name.endswith(SIDECAR)}
        entries = []
        for name, resource in found.items():
            if resource.is_folder and not resource.trouble:
                if not is_clutter(name) and not self._selection.prunes(resource.path):
                    entries.append(resource)
            elif self._is_document(resource.path):
                entries.append(resource)
            elif self._is_orphan(name, found):
                covered = name.removesuffix(SIDECAR)
                why = f"{resource.path} applies to nothing: there is no file {covered} beside it."
                entries.append(Resource(resource.path, trouble=why))
        return entries

    def _is_orphan(self, name: str, siblings: dict[str, Resource]) -> bool:
        if self._config.permissions != "access_files" or not name.endswith(SIDECAR):
            return False
        return name != SIDECAR and name.removesuffix(SIDECAR) not in siblings

    async def _look_at(
        self, resource: Resource, rules: Rules | None, shares: Shares | None
    ) -> list[Item | Failed]:
        if resource.trouble:
            return _failures(resource)
        rule, access = Rule(), Access(allow=self._config.allow)
        failures = list[Failed]()
        if rules:
            rule = await rules.file(resource.path)
            access, failures = rule.granted(), rules.failures()
        if shares:
            access = shares.access(resource.path, resource.owner)
        if self._config.permissions != "config" and not (rules or shares):
            access = Access()
        return [*failures, self._item(resource, access, rule)]

    def _item(self, resource: Resource, access: Access, rule: Rule) -> Item:
        meta: dict[str, JsonValue] = {
            key: value
            for key in ("collection", "industry")
            if (value := getattr(self._config, key))
        }
        meta |= rule.meta
        times = f"stat:{resource.n_bytes}-{resource.modified_at}"
        return Item(
            id=resource.path,
            version=resource.etag or times,
            uri=self._tree.url(resource.path),
            title=str(meta.pop("title", "")),
            media_type=media_type(resource.path),
            modified_at=resource.modified_at,
            access=access,
            meta=meta,
        )

    def _rules(self) -> Rules | None:
        return Rules(self._sidecar) if self._config.permissions == "access_files" else None

    async def _sidecar(self, path: str) -> bytes | None:
        if self._sidecars is not None and path not in self._sidecars:
            return None
        content = await self._small(path)
        if content is None and self._sidecars is not None:
            raise ConnectorError(f"{path} vanished while the folder was listed.")
        return content

    async def _small(self, path: str) -> bytes | None:
        return await self._tree.small(path, MAX_SIDECAR_BYTES + 1)

    def _is_document(self, path: str) -> bool:
        if not path or path.endswith(SIDECAR) or any(map(is_clutter, path.split("/"))):
            return False
        return self._selection.takes(path)


def _position(since: JsonValue) -> _Position | None:
    match since:
        case None:
            return None
        case {"done": int(done), "dotted": bool(dotted), "shares": str(shares), **rest}:
            match rest:
                case {"feed": str(token)}:
                    return _Position("", done, token, True, dotted, shares)
                case {"after": str(after), "next": str(token)}:
                    return _Position(after, done, token, False, dotted, shares)
    raise CursorExpired("The folder's cursor is not one of its own; it is listed afresh.")


def _failures(resource: Resource) -> list[Item | Failed]:
    """Report what can't be listed; what may be a folder stands for all below it, too."""
    ends = {"file": ("",), "folder": ("/",), "unknown": ("", "/")}[resource.kind]
    return [Failed(id=resource.path + end, error=resource.trouble) for end in ends]


def _covers(sidecar: str, folder: str) -> bool:
    """Say whether an access file lies in a folder or above it."""
    above = sidecar.rpartition("/")[0]
    return not above or folder == above or folder.startswith(above + "/")


def _is_dotted(path: str) -> bool:
    return "." in path.rpartition("/")[2]
