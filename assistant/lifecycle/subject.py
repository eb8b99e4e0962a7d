"""Who is to be erased, as words that a text can be searched for, in clear or as keyed hashes."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assistant.errors import InvalidRequest

_WORDS = re.compile(r"[^\W_]+")
_MIN_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """Names and numbers as salted BLAKE2b hashes by length: found in a text, not read from here.

    Case, accents and punctuation don't count, so `123.456.789-09` is `12345678909`. Who holds the
    salt can still try out numbers of a short format.
    """

    salt: bytes
    hashes: Mapping[int, frozenset[str]]

    def named_in(self, text: str) -> bool:
        """Tell whether a text names the subject, as whole words."""
        words = _words(text)
        longest = max(self.hashes, default=0)
        for start in range(len(words)):
            joined = ""
            for word in words[start:]:
                joined += word
                if len(joined) > longest:
                    break
                if len(joined) in self.hashes and self._hash(joined) in self.hashes[len(joined)]:
                    return True
        return False

    def as_json(self) -> dict[str, list[str]]:
        """Return the hashes for the database."""
        return {str(length): sorted(found) for length, found in self.hashes.items()}

    def _hash(self, joined: str) -> str:
        return _hash(self.salt, joined)


def terms(names: Iterable[str]) -> Terms:
    """Return names and numbers under a new salt; raises `InvalidRequest` for too short ones."""
    salt = os.urandom(16)
    hashes: dict[int, set[str]] = {}
    for name in names:
        joined = "".join(_words(name))
        if len(joined) < _MIN_CHARACTERS:
            raise InvalidRequest(
                f"{name!r} is too short to be searched for: it would hit what is not meant."
            )
        hashes.setdefault(len(joined), set()).add(_hash(salt, joined))
    return Terms(salt, {length: frozenset(found) for length, found in hashes.items()})


def read_terms(salt: bytes, value: Mapping[str, list[str]]) -> Terms:
    """Return terms as `as_json` wrote them."""
    return Terms(salt, {int(length): frozenset(found) for length, found in value.items()})


def _words(text: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return _WORDS.findall("".join(ch for ch in bare if not unicodedata.combining(ch)))


def _hash(salt: bytes, joined: str) -> str:
    return hashlib.blake2b(joined.encode(), key=salt, digest_size=16).hexdigest()
