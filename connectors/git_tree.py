"""What two commits of a repository hold, and what lies between them.

Both commits are walked together, depth first in the order of the paths' parts, and whatever looks
the same in both is left out: a folder whose tree and access rule didn't change is not opened. A
path is compared as it would be listed, so a change of an access file alone lists every document it
covers again, with the same version. A listing of everything is a comparison with nothing.

A file that is no document here (a Git LFS pointer, a submodule, one too large) is `Failed` under an
id of its own, `PATH (REASON)`: what was indexed from that path before is gone, not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from pydantic import JsonValue

from connectors import git_blob
from connectors.contract import Failed, Gone, Item
from connectors.enclosure import Parts
from connectors.media import media_type
from connectors.selection import Selection, is_clutter
from connectors.sidecars import MAX_SIDECAR_BYTES, SIDECAR, Rule, closed, judged

if TYPE_CHECKING:
    from dulwich.objects import Commit, ObjectID, Tree
    from dulwich.repo import Repo

FOLDER, FILE, LINK, SUBMODULE = 0o040000, 0o100000, 0o120000, 0o160000

_KIND = 0o170000


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder of a commit; `kind` is one of the constants above."""

    kind: int
    id: ObjectID
    is_utf8: bool = True


@dataclass(frozen=True, slots=True)
class Filing:
    """How the files of a repository become items; `link` has `{path}` in it or is empty."""

    rule: Rule
    selection: Selection
    uses_sidecars: bool
    max_file_bytes: int
    link: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of one commit, with the rule that applies in it before its own sidecar."""

    tree: ObjectID
    rule: Rule


@dataclass(frozen=True, slots=True)
class _Inside:
    """An opened folder: its rule with its sidecar applied, and what that sidecar failed with."""

    entries: Mapping[str, Entry]
    rule: Rule
    failed: Failed | None = None

    def about(self, name: str) -> tuple[object, ...]:
        """Return all that decides how a name is listed."""
        owner = name.removesuffix(SIDECAR)
        around = self.entries.get(name + SIDECAR), self.entries.get(owner)
        return self.entries.get(name), *around, self.rule, self.failed


_NOTHING = _Inside({}, Rule())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares commits of one repository."""

    repo: Repo
    filing: Filing

    def events(
        self, old: ObjectID | None, new: ObjectID, after: Parts = ()
    ) -> Iterator[tuple[Parts, list[Item | Gone | Failed]]]:
        """Yield what to do at each path behind `after` to get from one commit to the other."""
        before = _Folder(self._root(old), self.filing.rule) if old else None
        stack = [self._enter((), before, _Folder(self._root(new), self.filing.rule), after)]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
            elif isinstance(step[1], list):
                yield step[0], step[1]
            else:
                stack.append(self._enter(step[0], *step[1], after))

    def entry(self, commit: ObjectID, parts: Parts) -> Entry | None:
        """Return what lies at a path of a commit, or None."""
        place: Entry | None = Entry(FOLDER, self._root(commit))
        for part in parts:
            if place is None or place.kind != FOLDER:
                return None
            place = self._entries(place.id).get(part)
        return place

    def read(self, blob: ObjectID) -> bytes:
        """Return a blob's content; raises KeyError if the repository doesn't have it."""
        return self.repo.object_store.get_raw(blob)[1]

    def _root(self, commit: ObjectID) -> ObjectID:
        tree: ObjectID = cast("Commit", self.repo.object_store[commit]).tree
        return tree

    def _entries(self, tree: ObjectID) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for name, mode, id_ in cast("Tree", self.repo.object_store[tree]).iteritems():
            shown = name.decode("utf-8", "backslashreplace").replace("/", "\\x2f")
            is_utf8 = shown.encode() == name
            if is_utf8 or shown not in found:
                found[shown] = Entry(mode & _KIND, id_, is_utf8)
        return found

    def _enter(
        self, parts: Parts, old: _Folder | None, new: _Folder | None, after: Parts
    ) -> Iterator[tuple[Parts, list[Item | Gone | Failed] | tuple[_Folder | None, _Folder | None]]]:
        before, now = self._opened(parts, old), self._opened(parts, new)
        for name in sorted(before.entries.keys() | now.entries.keys()):
            place = (*parts, name)
            if before.about(name) != now.about(name) and place > after:
                was, listed = self._view(place, before), self._view(place, now)
                if events := _between(was, listed):
                    yield place, events
            folders = self._folder(place, before), self._folder(place, now)
            if folders[0] != folders[1] and place >= after[: len(place)]:
                yield place, folders

    def _opened(self, parts: Parts, folder: _Folder | None) -> _Inside:
        if folder is None:
            return _NOTHING
        entries = self._entries(folder.tree)
        if not self.filing.uses_sidecars or SIDECAR not in entries:
            return _Inside(entries, folder.rule)
        rule, failed = self._applied(folder.rule, (*parts, SIDECAR), entries[SIDECAR])
        return _Inside(entries, rule.below(), failed)

    def _folder(self, place: Parts, inside: _Inside) -> _Folder | None:
        entry = inside.entries.get(place[-1])
        if entry is None or entry.kind != FOLDER or not entry.is_utf8 or is_clutter(place[-1]):
            return None
        if self.filing.selection.prunes("/".join(place)):
            return None
        return _Folder(entry.id, inside.rule.below())

    def _view(self, place: Parts, inside: _Inside) -> list[Item | Failed]:
        """Return how a path of a commit is listed."""
        entry, path = inside.entries.get(place[-1]), "/".join(place)
        if entry is None:
            return []
        if self.filing.uses_sidecars and place[-1].endswith(SIDECAR):
            return self._sidecar(place, entry, inside)
        if is_clutter(place[-1]):
            return []
        if not entry.is_utf8:
            return [Failed(id=path, error=f"The name of {path} is not valid UTF-8; rename it.")]
        if entry.kind in (LINK, FOLDER) or not self.filing.selection.takes(path):
            return []
        if reason := self._skipped(path, entry):
            return [reason]
        return [self._item(place, entry, inside)]

    def _sidecar(self, place: Parts, entry: Entry, inside: _Inside) -> list[Item | Failed]:
        if place[-1] == SIDECAR:
            return [inside.failed] if inside.failed else []
        owner = inside.entries.get(place[-1].removesuffix(SIDECAR))
        if owner is None or owner.kind == FOLDER:
            path = "/".join(place)
            name = place[-1].removesuffix(SIDECAR)
            why = f"{path} applies to nothing: there is no file {name} beside it."
            return [Failed(id=path, error=why)]
        failed = self._applied(inside.rule, place, entry)[1]
        return [failed] if failed else []

    def _applied(self, rule: Rule, place: Parts, entry: Entry) -> tuple[Rule, Failed | None]:
        path = "/".join(place)
        if entry.kind != FILE:
            return closed(rule, path, f"{path} is not a regular file.")
        if git_blob.size(self.repo, entry.id) > MAX_SIDECAR_BYTES:
            return closed(rule, path, f"{path} is larger than {MAX_SIDECAR_BYTES} bytes.")
        return judged(rule, path, self.read(entry.id))

    def _skipped(self, path: str, entry: Entry) -> Failed | None:
        if entry.kind == SUBMODULE:
            why = f"{path} is a submodule; add the repository it names as a source of its own."
            return Failed(id=f"{path} (submodule)", error=why)
        n_bytes, limit = git_blob.size(self.repo, entry.id), self.filing.max_file_bytes
        if n_bytes > limit:
            why = f"{path} has {n_bytes:,} bytes, more than the limit of {limit:,}; raise the limit"
            return Failed(id=f"{path} (too large)", error=f"{why} or exclude it.")
        if n_bytes <= git_blob.LFS_POINTER_BYTES and git_blob.is_lfs_pointer(self.read(entry.id)):
            why = f"{path} is a Git LFS pointer, not the file; connect the place that holds it."
            return Failed(id=f"{path} (Git LFS)", error=why)
        return None

    def _item(self, place: Parts, entry: Entry, inside: _Inside) -> Item:
        path, rule = "/".join(place), inside.rule
        sidecar = inside.entries.get(place[-1] + SIDECAR)
        if sidecar and self.filing.uses_sidecars:
            rule, _ = self._applied(rule, (*place[:-1], place[-1] + SIDECAR), sidecar)
        meta: dict[str, JsonValue] = {**self.filing.meta, **rule.meta}
        return Item(
            id=path,
            version=entry.id.decode(),
            uri=self.filing.link.replace("{path}", quote(path)) or path,
            title=str(meta.pop("title", "")),
            media_type=media_type(path),
            access=rule.granted(),
            meta=meta,
        )


def _between(old: list[Item | Failed], new: list[Item | Failed]) -> list[Item | Gone | Failed]:
    listed = {event.id for event in new}
    gone = [Gone(id=event.id) for event in old if event.id not in listed]
    return [*gone, *(event for event in new if event not in old)]
