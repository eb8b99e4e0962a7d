"""Which version of a document a name speaks of: "Travel policy v2", "Tarifas 2025", "P-101 rev B".

Names of one family differ in nothing else. Versions are compared within one scheme only: numbers
with numbers, years with years; a name without a version comes before those with a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.text.words import fold

_NUMBER = re.compile(
    r"(?<![a-z0-9])(?:v|ver|vers|version|versao|rev|revision|revisao|r(?=[. ]?\d+$))[. ]{0,2}"
    r"(\d{1,3}(?:\.\d{1,3}){0,3}|[a-z](?![a-z0-9]))(?![a-z0-9])"
)
_EDITION = re.compile(
    r"(?<![a-z0-9])(\d{1,2})(?:st|nd|rd|th|a|o)? (?:ed|edition|edicao|revisao|versao)(?![a-z])"
)
_YEAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:[. ]?(0[1-9]|1[0-2])(?:[. ]?(0[1-9]|[12]\d|3[01]))?)?(?!\d)"
)
_SEPARATORS = re.compile(r"[\s_\-–—/()\[\]]+")
_EXTENSION = re.compile(r"\.[a-z][a-z0-9]{1,4}$")

_BY_NUMBER, _BY_YEAR = 1, 2


@dataclass(frozen=True, slots=True)
class Version:
    """A name without its version, and the version: its scheme, then its parts; () for none."""

    family: str
    rank: tuple[int, ...] = ()

    @property
    def scheme(self) -> int:
        """Return what the version is made of."""
        return self.rank[0] if self.rank else 0

    @property
    def is_yearly(self) -> bool:
        """Say whether only a year or day tells the versions apart: reports may look alike."""
        return self.scheme == _BY_YEAR

    def precedes(self, other: Version) -> bool:
        """Say whether this is an earlier version of the same document."""
        if self.family != other.family or self.rank == other.rank:
            return False
        if not self.rank:
            return other.scheme == _BY_NUMBER
        return self.scheme == other.scheme and self.rank < other.rank


def version_of(name: str) -> Version:
    """Return the version that a file's name or title speaks of."""
    rest = _SEPARATORS.sub(" ", _EXTENSION.sub("", fold(name))).strip()
    scheme, parts = 0, []
    for pattern, code in ((_YEAR, _BY_YEAR), (_NUMBER, _BY_NUMBER), (_EDITION, _BY_NUMBER)):
        match = pattern.search(rest)
        if match is None or scheme & code:
            continue
        scheme |= code
        parts += [_part(text) for group in match.groups() if group for text in group.split(".")]
        rest = rest[: match.start()] + " " + rest[match.end() :]
    family = " ".join(rest.split())
    return Version(family, (scheme, *parts) if parts and family else ())


def _part(text: str) -> int:
    return int(text) if text.isdigit() else ord(text) - ord("a") + 1
