"""How far the comparison of two commits got, as it is kept between runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue

from connectors.contract import CursorExpired
from connectors.enclosure import Parts

if TYPE_CHECKING:
    from dulwich.objects import ObjectID

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Place:
    """On the way from `old` (None: from nothing) to `new`, with all paths up to `after` listed.

    Without `new`, nothing is on its way and `old` was listed last.
    """

    old: ObjectID | None = None
    new: ObjectID | None = None
    after: Parts = ()
    done: int = 0

    @classmethod
    def of(cls, cursor: JsonValue) -> Place:
        """Return the place of a cursor; raises `CursorExpired` if it is none of this source."""
        match cursor:
            case None:
                return cls()
            case {"commit": str(commit)} if _COMMIT.fullmatch(commit):
                return cls(_id(commit))
            case {"from": old, "to": str(new), "after": str(after), "done": int(done)} if (
                _COMMIT.fullmatch(new) and (old is None or _COMMIT.fullmatch(str(old)))
            ):
                parts = tuple(after.split("/")) if after else ()
                return cls(_id(str(old)) if old else None, _id(new), parts, done)
        raise CursorExpired("The repository's cursor is not one of its own; it is listed afresh.")

    @property
    def cursor(self) -> JsonValue:
        """Return what a run that stops here goes on from."""
        old = self.old.decode() if self.old else None
        if self.new is None:
            return {"commit": old}
        new, after = self.new.decode(), "/".join(self.after)
        return {"from": old, "to": new, "after": after, "done": self.done}


def _id(commit: str) -> ObjectID:
    return cast("ObjectID", commit.encode())
