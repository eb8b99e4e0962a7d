"""A folder of files as a source.

An item's id is its path relative to the folder, with `/`. Inode numbers would survive a rename,
but not a restore from a backup, a copy to another disk, or the way office programs save (write
a new file, rename it over the old one), which happens every day; a rename does not. A rename
shows as one item gone and one new: the content hash is known, so nothing is embedded again.

The folder has no delete feed, so `changes` always lists everything, in the order of the paths'
parts. Its cursor is the last listed path, from which an interrupted listing goes on; at the end
it is None. `Failed("reports/")`, with a slash at the end, is a folder that could not be listed:
everything beneath is to be kept as it was. A sidecar that can't be understood is a `Failed` of its
own path, next to the items it covers, which then nobody may read (see `connectors.sidecars`).

`version` is the SHA-256 of the content up to 1 MB, else size, modification and change time. A file
that is there but can't be opened is still listed, with a version of its own: its access follows
the sidecars, and `fetch` says why it can't be read.

Symbolic links are left out. With `follow_symlinks` those that end inside the folder are followed
(one link to a folder a path, so loops end); who may read is decided where the link leads, and
the denies of both places count: whoever can make a link can't publish with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, Field, JsonValue

from connectors.confinement import PathFields
from connectors.contract import (
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
)
from connectors.enclosure import Enclosure, Entry, Parts
from connectors.media import media_type
from connectors.selection import Selection, is_clutter
from connectors.sidecars import (
    GROUPS_FILE,
    MAX_SIDECAR_BYTES,
    SIDECAR,
    Rule,
    SidecarError,
    closed,
    judged,
    parse_groups,
)

ITEMS_PER_MARK = 20
PIECE_BYTES = 65_536
HASHED_BYTES = 1_048_576


class FilesConfig(PathFields):
    """Which folder, and what its documents are filed under."""

    path: Path = Field(description="the folder")
    collection: str = Field(default="", description="collection where no sidecar names one")
    industry: str = Field(default="", description="industry where no sidecar names one")
    include: tuple[str, ...] = Field(
        default=(), description="only these, such as *.pdf or policies/* (* also matches /)"
    )
    exclude: tuple[str, ...] = Field(default=(), description="not these, written like include")
    follow_symlinks: bool = Field(default=False, description="follow links that end inside")


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder as shown (`parts`) and where it really is (`real`), both from the root."""

    parts: Parts
    real: Parts
    rule: Rule
    linked: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    """A file to look at, with the folder's rule and, where there is one, its sidecar's place."""

    parts: Parts
    real: Parts
    rule: Rule
    sidecar: Parts | None


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A place that could not be listed."""

    parts: Parts
    failed: Failed


class Files:
    """Lists, reads and watches over one folder; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = FilesConfig

    def __init__(self, config: FilesConfig) -> None:
        self._config = config
        self._selection = Selection(config.include, config.exclude)
        root = Path(os.path.realpath(config.path))
        self._inside = Enclosure(root, config.follow_symlinks)

    async def check(self) -> None:
        """Raise `ConnectorError` if the folder is missing, unreadable or not mounted."""
        await asyncio.to_thread(self._check)

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List everything from the path in the cursor on, with a `Mark` every 20 files.

        Raises `ConnectorError` if the folder itself can't be listed.
        """
        last, done = _position(since)
        total = done + await asyncio.to_thread(lambda: sum(1 for _ in self._files(last)))
        walk = self._walk(last)
        while steps := await asyncio.to_thread(list, islice(walk, ITEMS_PER_MARK)):
            for parts, events in steps:
                last = max(last, parts)
                for event in events:
                    done += isinstance(event, Item)
                    yield event
            cursor: JsonValue = {"after": "/".join(last), "done": done}
            yield Mark(cursor=cursor, done=done, total=max(total, done))
        yield Complete(cursor=None, done=done, total=done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a file in pieces of 64 KiB; raises `ConnectorError` if it can't be read now."""
        parts = tuple(item.id.split("/"))
        if any(part in ("", "..") or "\0" in part or is_clutter(part) for part in parts):
            raise ConnectorError(f"{item.id!r} is not a document of this folder.")
        try:
            real = await asyncio.to_thread(self._inside.real, parts)
            with os.fdopen(await asyncio.to_thread(self._inside.open_file, real), "rb") as file:
                while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                    yield piece
        except OSError as error:
            raise ConnectorError(_unreadable(item.id, error)) from error

    async def groups(self) -> AsyncIterator[Group]:
        """Yield the groups of `.groups.toml`; raises `ConnectorError` if it can't be understood."""
        for group in await asyncio.to_thread(self._groups):
            yield group

    async def aclose(self) -> None:
        """Release nothing: files are open only while they are read."""

    def _check(self) -> None:
        path = self._config.path
        if not path.exists():
            raise ConnectorError(f"The folder {path} doesn't exist; check the path or mount it.")
        if not path.is_dir():
            raise ConnectorError(f"{path} is not a folder; give the folder that holds the files.")
        try:
            entries = self._inside.entries(())
        except OSError as error:
            raise ConnectorError(_unreadable(str(path), error)) from error
        if not entries:
            raise ConnectorError(
                f"The folder {path} has nothing in it, not even {SIDECAR}; is it mounted?"
            )
        self._groups()

    def _groups(self) -> list[Group]:
        try:
            return parse_groups(self._read_small((GROUPS_FILE,)))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConnectorError(_unreadable(GROUPS_FILE, error)) from error
        except SidecarError as error:
            raise ConnectorError(f"{GROUPS_FILE} is wrong: {error}. Correct the file.") from error

    def _files(self, after: Parts) -> Iterator[_File]:
        return (place for place in self._places(after) if isinstance(place, _File))

    def _walk(self, after: Parts) -> Iterator[tuple[Parts, list[Item | Failed]]]:
        for place in self._places(after):
            yield place.parts, self._look_at(place) if isinstance(place, _File) else [place.failed]

    def _places(self, after: Parts) -> Iterator[_File | _Trouble]:
        """Walk depth first in the order of parts, leaving out what lies before or at `after`."""
        stack = [self._enter(_Folder((), (), Rule()), after)]
        while stack:
            place = next(stack[-1], None)
            if place is None:
                stack.pop()
            elif isinstance(place, _Folder):
                stack.append(self._enter(place, after))
            else:
                yield place

    def _enter(self, folder: _Folder, after: Parts) -> Iterator[_File | _Folder | _Trouble]:
        try:
            entries = self._inside.entries(folder.real)
        except OSError as error:
            if not folder.parts:
                raise ConnectorError(_unreadable(str(self._config.path), error)) from error
            name = "/".join(folder.parts) + "/"
            yield _Trouble(folder.parts, Failed(id=name, error=_unreadable(name, error)))
            return
        rule = folder.rule
        if SIDECAR in entries:
            rule, failed = self._apply(rule, (*folder.real, SIDECAR))
            if failed:
                yield _Trouble(folder.parts, failed)
        here = replace(folder, rule=rule.below())
        for entry in entries.values():
            place = self._place(here, entry, entries)
            if place is not None and _is_due(place, after):
                yield place

    def _place(
        self, folder: _Folder, entry: Entry, siblings: Mapping[str, Entry]
    ) -> _File | _Folder | _Trouble | None:
        parts = (*folder.parts, entry.name)
        if is_clutter(entry.name) or entry.kind == "other":
            return None
        if entry.name.endswith(SIDECAR):
            return _orphan(parts, siblings)
        if entry.kind == "undecodable":
            why = f"The name of {'/'.join(parts)} is not valid UTF-8; rename it."
            return _Trouble(parts, Failed(id="/".join(parts), error=why))
        if entry.kind == "link":
            return self._linked(folder, parts, siblings) if self._config.follow_symlinks else None
        real = (*folder.real, entry.name)
        if entry.kind == "folder":
            pruned = self._selection.prunes("/".join(parts))
            return None if pruned else replace(folder, parts=parts, real=real)
        return self._file(parts, real, folder.rule, siblings)

    def _linked(
        self, folder: _Folder, parts: Parts, siblings: Mapping[str, Entry]
    ) -> _File | _Folder | None:
        link = (*folder.real, parts[-1])
        try:
            real = self._inside.real(link)
            kind = self._inside.kind(real)
            beside = self._inside.entries(real[:-1])
        except OSError:
            return None
        narrow = folder.rule
        if kind == "file":
            if parts[-1] + SIDECAR in siblings:
                narrow, _ = self._apply(narrow, (*link[:-1], parts[-1] + SIDECAR))
            return self._file(parts, real, self._rule_above(real).narrowed(narrow), beside)
        loops = folder.linked or real == folder.real[: len(real)]
        if kind == "other" or loops or self._selection.prunes("/".join(parts)):
            return None
        return _Folder(parts, real, self._rule_above(real).narrowed(narrow), linked=True)

    def _rule_above(self, real: Parts) -> Rule:
        """Return the rule of the folders above a place that was reached by a link."""
        rule = Rule()
        for depth in range(len(real)):
            place = (*real[:depth], SIDECAR)
            with suppress(FileNotFoundError):
                self._inside.kind(place)
                rule = self._apply(rule, place)[0].below()
        return rule

    def _file(
        self, parts: Parts, real: Parts, rule: Rule, siblings: Mapping[str, Entry]
    ) -> _File | None:
        if not self._selection.takes("/".join(parts)):
            return None
        name = real[-1] + SIDECAR
        return _File(parts, real, rule, (*real[:-1], name) if name in siblings else None)

    def _apply(self, rule: Rule, sidecar: Parts) -> tuple[Rule, Failed | None]:
        """Return the rule with a sidecar that exists; what can't be understood closes it."""
        name = "/".join(sidecar)
        try:
            return judged(rule, name, self._read_small(sidecar))
        except OSError as error:
            return closed(rule, name, _unreadable(name, error))

    def _read_small(self, parts: Parts) -> bytes:
        return self._inside.read(self._inside.real(parts), MAX_SIDECAR_BYTES + 1)

    def _look_at(self, file: _File) -> list[Item | Failed]:
        rule, failed = self._apply(file.rule, file.sidecar) if file.sidecar else (file.rule, None)
        events: list[Item | Failed] = [failed] if failed else []
        path = "/".join(file.parts)
        try:
            status, version = self._fingerprint(file.real)
        except OSError as error:
            return [*events, Failed(id=path, error=_unreadable(path, error))]
        meta: dict[str, JsonValue] = {
            key: value
            for key in ("collection", "industry")
            if (value := getattr(self._config, key))
        }
        meta |= rule.meta
        item = Item(
            id=path,
            version=version,
            uri=path,
            title=str(meta.pop("title", "")),
            media_type=media_type(path),
            modified_at=_utc(status.st_mtime),
            access=rule.granted(),
            meta=meta,
        )
        return [*events, item]

    def _fingerprint(self, real: Parts) -> tuple[os.stat_result, str]:
        status = self._inside.status(real)
        times = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
        try:
            with os.fdopen(self._inside.open_file(real), "rb") as file:
                if status.st_size > HASHED_BYTES:
                    return status, f"stat:{times}"
                return status, "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            if self._inside.kind(real) != "file":
                raise
            return status, f"unreadable:{times}"


def _position(since: JsonValue) -> tuple[Parts, int]:
    if since is None:
        return (), 0
    match since:
        case {"after": str(after), "done": int(done)}:
            return tuple(after.split("/")) if after else (), done
    raise CursorExpired("The folder's cursor is not one of its own; it is listed afresh.")


def _is_due(place: _File | _Folder | _Trouble, after: Parts) -> bool:
    if isinstance(place, _Folder):
        return place.parts >= after[: len(place.parts)]
    return place.parts > after


def _orphan(parts: Parts, siblings: Mapping[str, Entry]) -> _Trouble | None:
    name = parts[-1].removesuffix(SIDECAR)
    if name in siblings and siblings[name].kind in ("file", "link"):
        return None
    path = "/".join(parts)
    why = f"{path} applies to nothing: there is no file {name} beside it."
    return _Trouble(parts, Failed(id=path, error=why))


def _unreadable(path: str, error: OSError) -> str:
    return f"{path} can't be read: {error.strerror or 'input/output error'}."


def _utc(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
