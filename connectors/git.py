"""The files of one branch of a Git repository as a source.

An item's id is its path, its version the id of its blob. The cursor is the commit that was listed
last; the next run yields exactly what lies between it and the head of the branch: files that are
new or changed, those whose access changed, and `Gone` for what was deleted. A rename is one item
gone and one new; its version is known, so nothing is embedded again. A branch whose history was
rewritten no longer leads to the cursor: `CursorExpired`, and everything is listed afresh.

Who may read is decided by `allow`, `deny` and `all_of` of the configuration and, unless these are
switched off, by the access files of the repository (see `connectors.sidecars`): whoever may push
decides then. Groups come from `.groups.toml` in the root. Links are left out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, cast
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    model_validator,
)

from connectors import git_blob
from connectors.confinement import PathFields, path_fields
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
)
from connectors.enclosure import Parts
from connectors.git_cursor import Place
from connectors.git_tree import FILE, Comparison, Filing
from connectors.selection import Selection, is_clutter
from connectors.sidecars import (
    GROUPS_FILE,
    MAX_SIDECAR_BYTES,
    Principals,
    Rule,
    SidecarError,
    parse_groups,
)

if TYPE_CHECKING:
    from dulwich.objects import ObjectID

    from connectors import git_remote

PATHS_PER_MARK = 100
PIECE_BYTES = 65_536

_SHORT_SSH = re.compile(r"[\w.-]+@[\w.-]+:[^:]+")


def _address(url: str) -> str:
    if _SHORT_SSH.fullmatch(url) or url.startswith("/"):
        return url
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http", "ssh", "file"):
        raise ValueError(
            "write https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, file:///PATH or /PATH"
        )
    if parts.password or (parts.username and parts.scheme != "ssh"):
        raise ValueError("a user name and a password have fields of their own")
    if parts.scheme != "file" and (not parts.hostname or parts.hostname.startswith("-")):
        raise ValueError("the address names no host")
    if parts.query or parts.fragment:
        raise ValueError("an address of a repository has no ? or #")
    return url


class GitConfig(PathFields):
    """Which branch of which repository, how to get at it, and who may read its files."""

    reach: ClassVar[frozenset[str]] = frozenset({"url", "ca_file", "known_hosts"})
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, title="Git repository"
    )

    url: Annotated[str, AfterValidator(_address)] = Field(
        title="Address",
        description="https://…, ssh://…, user@host:path, file:///…, or the path of a repository "
        "on this machine",
    )
    branch: str = Field(
        default="", title="Branch", description="empty: the one that the repository shows first"
    )
    cache: Path = Field(
        default=Path("~/.cache/assistant/git"),
        title="Cache folder",
        description="where the fetched copy is kept; readable only by the assistant",
    )
    username: str = Field(
        default="", title="User", description="for https; most hosts accept any with a token"
    )
    password: SecretStr = Field(
        default=SecretStr(""), title="Password or token", description="for https; may only read"
    )
    ssh_key: SecretStr = Field(
        default=SecretStr(""), title="SSH key", description="a private key without passphrase"
    )
    known_hosts: str = Field(
        default="",
        title="Host keys",
        description="for ssh: the server's public keys, as ssh-keyscan prints them",
    )
    ca_file: Path | None = Field(
        default=None,
        title="Authority",
        description="for https: certificates to trust, when the server's is of the company's own",
    )
    timeout_s: float = Field(
        default=60, gt=0, le=3600, title="Patience", description="seconds without an answer"
    )
    include: tuple[str, ...] = Field(
        default=(),
        title="Only",
        description="only these, such as *.pdf or policies/* (* also matches /)",
    )
    exclude: tuple[str, ...] = Field(
        default=(), title="Not", description="not these, written like include"
    )
    max_file_bytes: int = Field(
        default=100_000_000,
        gt=0,
        title="Largest file",
        description="in bytes; larger ones are reported",
    )
    allow: Principals = Field(
        default=frozenset(),
        title="Readers",
        description="user:LOGIN, group:NAME or everyone, where no access file says otherwise; "
        "empty is nobody",
    )
    deny: Principals = Field(
        default=frozenset(), title="Not readers", description="whatever an access file says"
    )
    all_of: Principals = Field(
        default=frozenset(), title="Required", description="what a reader must hold besides"
    )
    access_files: bool = Field(
        default=True,
        title="Access files count",
        description=".access.toml files in the repository say who reads; then whoever may push "
        "decides",
    )
    link: str = Field(
        default="",
        title="Link",
        description="where people see a file, with {path} in it; empty: the path alone",
    )
    collection: str = Field(
        default="", title="Collection", description="where no access file names one"
    )
    industry: str = Field(
        default="", title="Industry", description="where no access file names one"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.url.startswith("http://") and self.password.get_secret_value():
            raise ValueError("a password would travel unencrypted; write https://")
        is_ssh = self.url.startswith("ssh://") or bool(_SHORT_SSH.fullmatch(self.url))
        if is_ssh and not self.known_hosts.strip():
            raise ValueError("ssh needs the host keys (known_hosts); ssh-keyscan HOST prints them")
        return self

    def local_paths(self) -> Iterator[Path]:
        """Yield the given paths, and that of a repository on this machine."""
        yield from path_fields(self)
        if self.url.startswith("/"):
            yield Path(self.url)
        elif (parts := urlsplit(self.url)).scheme == "file":
            yield Path(unquote(parts.path))


class Git:
    """Lists and reads one branch; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = GitConfig

    def __init__(self, config: GitConfig) -> None:
        self._config = config
        self._open: git_remote.Checkout | None = None
        self._commit: ObjectID | None = None

    async def check(self) -> None:
        """Raise `ConnectorError` if the branch can't be had."""
        await asyncio.to_thread(self._remote().look)

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Yield what changed since a commit, in the order of paths, a `Mark` every 100 paths.

        Raises `ConnectorError`, `RetryLater` while the server is busy, and `CursorExpired` if the
        branch doesn't lead to the cursor's commit any more.
        """
        place = Place.of(since)
        checkout = await asyncio.to_thread(self._refresh)
        for commit in (place.old, place.new):
            if commit and not await asyncio.to_thread(checkout.follows, commit):
                raise CursorExpired(
                    f"The branch no longer leads to {commit.decode()[:12]}: its history was "
                    "rewritten, so everything is listed afresh."
                )
        target = place.new or checkout.head
        while True:
            self._commit = target
            async for event in self._between(place, target):
                yield event
            if place.old is None or target == checkout.head:
                return
            place, target = Place(old=target), checkout.head

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a file in pieces of 64 KiB, as it was listed; raises `ConnectorError`."""
        body = await asyncio.to_thread(self._read, item)
        for start in range(0, len(body), PIECE_BYTES):
            yield body[start : start + PIECE_BYTES]

    async def groups(self) -> AsyncIterator[Group]:
        """Yield the groups of `.groups.toml`; raises `ConnectorError` if it can't be understood."""
        if self._config.access_files:
            for group in await asyncio.to_thread(self._groups):
                yield group

    async def aclose(self) -> None:
        """Close the copy's files."""
        if self._open is not None:
            self._open.close()
            self._open = None

    async def _between(
        self, place: Place, target: ObjectID
    ) -> AsyncIterator[Item | Gone | Failed | Mark]:
        done, after = place.done, place.after
        walk = self._walk(place, target)
        while steps := await asyncio.to_thread(list, islice(walk, PATHS_PER_MARK)):
            for parts, events in steps:
                after = max(after, parts)
                for event in events:
                    done += isinstance(event, Item)
                    yield event
            yield Mark(cursor=Place(place.old, target, after, done).cursor, done=done)
        end = Place(old=target).cursor
        if place.old is None:
            yield Complete(cursor=end, done=done, total=done)
        else:
            yield Mark(cursor=end, done=done)

    def _walk(
        self, place: Place, target: ObjectID
    ) -> Iterator[tuple[Parts, list[Item | Gone | Failed]]]:
        with _library().intact(self._config.url):
            yield from self._comparison().events(place.old, target, place.after)

    def _read(self, item: Item) -> bytes:
        parts = tuple(item.id.split("/"))
        with _library().intact(self._config.url):
            found = self._comparison().entry(self._commit or self._checkout().head, parts)
            if found is None or found.kind != FILE or any(is_clutter(part) for part in parts):
                raise ConnectorError(f"{item.id!r} is not a document of this repository.")
            return self._comparison().read(cast("ObjectID", item.version.encode()))

    def _groups(self) -> list[Group]:
        with _library().intact(self._config.url):
            checkout = self._refresh()
            found = self._comparison().entry(checkout.head, (GROUPS_FILE,))
            if found is None:
                return []
            try:
                if found.kind != FILE:
                    raise SidecarError("it is not a regular file")
                if git_blob.size(checkout.repo, found.id) > MAX_SIDECAR_BYTES:
                    raise SidecarError(f"it is larger than {MAX_SIDECAR_BYTES} bytes")
                return parse_groups(self._comparison().read(found.id))
            except SidecarError as error:
                raise ConnectorError(
                    f"{GROUPS_FILE} is wrong: {error}. Correct the file."
                ) from error

    def _comparison(self) -> Comparison:
        config = self._config
        access = Access(allow=config.allow, deny=config.deny, all_of=config.all_of)
        filing = Filing(
            rule=Rule(access=access),
            selection=Selection(config.include, config.exclude),
            uses_sidecars=config.access_files,
            max_file_bytes=config.max_file_bytes,
            link=config.link,
            meta={
                key: value for key in ("collection", "industry") if (value := getattr(config, key))
            },
        )
        return Comparison(self._checkout().repo, filing)

    def _checkout(self) -> git_remote.Checkout:
        return self._open or self._refresh()

    def _refresh(self) -> git_remote.Checkout:
        fresh = self._remote().refresh()
        if self._open is not None:
            self._open.close()
        self._open = fresh
        return fresh

    def _remote(self) -> git_remote.Remote:
        config = self._config
        remote: git_remote.Remote = _library().Remote(
            url=config.url,
            branch=config.branch,
            cache=config.cache.expanduser(),
            username=config.username,
            password=config.password.get_secret_value(),
            ssh_key=config.ssh_key.get_secret_value(),
            known_hosts=config.known_hosts,
            ca_file=config.ca_file,
            timeout_s=config.timeout_s,
        )
        return remote


def _library() -> ModuleType:
    """Import what needs dulwich, which takes a while."""
    try:
        from connectors import git_remote
    except ImportError as error:
        raise ConnectorError(
            f"The git connector needs {error.name}; install it with: "
            "pip install 'enterprise-assistant[connectors]'."
        ) from error
    return git_remote
