"""Readers that other packages bring, by their entry points.

A package adds a reader in its `pyproject.toml`: the media type and how a file of it is told from
others, then the function that reads it::

    [project.entry-points."assistant.readers"]
    "application/x-subrip .srt" = "acme_subtitles:read"
    "application/vnd.acme.recipe+xml <recipe>" = "acme_recipes:read"
    "application/vnd.acme.trace 0x41435452" = "acme_traces:read"

A claim is a suffix of names, a root element of XML (`<{namespace}name>` or `<name>`), or the
first bytes in hex, at least four. What `connectors.readers.media` recognises itself is never
given away: a claim counts only where it would find no more than text, XML, a zip or bytes.
None of a package's code runs before a file is known to be its own, and then in the child.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from connectors.readers.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connectors.readers.model import Reading
    from connectors.readers.source import Source

GROUP = "assistant.readers"

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")
_CLAIM = re.compile(
    r"(?P<suffix>\.[^\s.]+)|<(?P<root>(\{[^\s}]*\})?[\w.-]+)>|0x(?P<magic>([0-9a-f]{2}){4,})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Packaged:
    """All readers of installed packages, and the media types that their claims stand for.

    `problems` are sentences about entry points that don't count.
    """

    entries: dict[str, EntryPoint] = field(default_factory=dict)
    suffixes: dict[str, str] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    magics: dict[bytes, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def by_start(self, head: bytes) -> str | None:
        """Return the media type whose first bytes these are, the longest claim first."""
        found = [magic for magic in self.magics if head.startswith(magic)]
        return self.magics[max(found, key=len)] if found else None

    def by_root(self, root: str) -> str | None:
        """Return the media type of a root element given as `{namespace}name`."""
        return self.roots.get(root) or self.roots.get(root.rpartition("}")[2])


@cache
def installed() -> Packaged:
    """Return what is installed, from the packages' metadata alone: nothing is imported."""
    return gathered(entry_points(group=GROUP))


def gathered(entries: Iterable[EntryPoint]) -> Packaged:
    """Return what entry points say; what two of them claim is nobody's."""
    readers: dict[str, set[EntryPoint]] = defaultdict(set)
    claims: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    problems = []
    for entry in entries:
        media_type, *texts = entry.name.split()
        matches = [_CLAIM.fullmatch(text) for text in texts]
        if not _MEDIA_TYPE.fullmatch(media_type) or None in matches:
            problems.append(
                f"The reader {entry.name!r} of {package(entry)} doesn't count: its name must be "
                "a media type followed by claims like .srt, <recipe> or 0x41435452."
            )
            continue
        readers[media_type].add(entry)
        for match in filter(None, matches):
            kind = str(match.lastgroup)
            claims[kind][match[kind]].add(media_type)
    sole = {key: entries for key, entries in readers.items() if len(entries) == 1}
    for media_type in sorted(readers.keys() - sole.keys()):
        names = ", ".join(sorted(map(package, readers[media_type])))
        problems.append(f"Several packages read {media_type}: {names}. Keep one.")
    return Packaged(
        {media_type: entry for media_type, (entry,) in sole.items()},
        {key.lower(): value for key, value in _sole(claims["suffix"], sole, problems)},
        dict(_sole(claims["root"], sole, problems)),
        {bytes.fromhex(key): value for key, value in _sole(claims["magic"], sole, problems)},
        tuple(problems),
    )


def load(entry: EntryPoint) -> Callable[[Source], Reading]:
    """Import a package's reader; raises `ReadError` if that can't be done."""
    try:
        found: Callable[[Source], Reading] = entry.load()
    except (ImportError, AttributeError) as error:
        raise ReadError(
            "unsupported",
            f"The reader of {package(entry)} can't be loaded ({error}); "
            f"install what it needs (pip install --upgrade {package(entry)}).",
        ) from error
    return found


def package(entry: EntryPoint) -> str:
    """Return the name of the package that brings an entry point."""
    return entry.dist.name if entry.dist else entry.module


def _sole(
    claims: dict[str, set[str]], readers: Iterable[str], problems: list[str]
) -> list[tuple[str, str]]:
    found = []
    for claim, media_types in sorted(claims.items()):
        if len(media_types) > 1:
            names = ", ".join(sorted(media_types))
            problems.append(f"Several media types claim {claim}: {names}. Keep one.")
        else:
            found += [(claim, one) for one in media_types if one in readers]
    return found
