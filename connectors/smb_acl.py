"""Who may read a file of a Windows share, from its security descriptor ([MS-DTYP] 2.4.6).

What counts of an access control list: entries that allow or deny reading data, inherited ones
too, but none that only waits to be inherited. Windows lets an entry that allows win over a
denying one further down its list; here a deny always wins, which is never wider. A list that is
missing would mean everybody and one that can't be understood anybody: both mean nobody.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.contract import Access

READ = 0x0000_0001
"""FILE_READ_DATA of a file, FILE_LIST_DIRECTORY of a folder."""
ENTER = 0x0000_0020
"""FILE_TRAVERSE of a folder."""
_SYNCHRONIZE = 0x0010_0000
_GENERIC_ALL = 0x1000_0000
_ALLOWS = {READ: READ | 0x8000_0000 | _GENERIC_ALL, ENTER: ENTER | 0x2000_0000 | _GENERIC_ALL}
"""The right itself, GENERIC_READ or GENERIC_EXECUTE, and GENERIC_ALL."""
_DENIES = {right: mask | _SYNCHRONIZE for right, mask in _ALLOWS.items()}
"""Nothing can be opened without SYNCHRONIZE."""

_DACL_PRESENT = 0x0004
_INHERIT_ONLY = 0x08
_KINDS: dict[int, Literal["allow", "deny"]] = {0: "allow", 1: "deny", 10: "deny"}
_CONDITIONAL_ALLOW = 9
_OWNER_RIGHTS = "S-1-3-4"
_UNIX_USER, _UNIX_GROUP = "S-1-22-1-", "S-1-22-2-"
_EVERYBODY = ("S-1-1-0", "S-1-5-11")
"""Everyone and Authenticated Users."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An access control entry that counts for the object itself."""

    kind: Literal["allow", "deny"]
    mask: int
    sid: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A security descriptor; `entries` is None where there is no access control list."""

    owner: str
    entries: tuple[Entry, ...] | None


@dataclass(frozen=True, slots=True)
class Sids:
    """What security identifiers mean here: `known` principals, and groups of another source.

    A SID below one of `prefixes` is the group `group://DIRECTORY/SID`, which the source
    `directory` (see `connectors.ldap`) has for each of its people and groups.
    """

    known: Mapping[str, str]
    directory: str = ""
    prefixes: tuple[str, ...] = ()

    def principal(self, sid: str) -> str | None:
        """Return who a SID is, None if that isn't known."""
        if sid in self.known:
            return self.known[sid]
        if self.directory and any(sid.startswith(f"{one}-") for one in self.prefixes):
            return f"group://{self.directory}/{sid}"
        return "everyone" if sid in _EVERYBODY else None


def descriptor(data: bytes) -> Descriptor:
    """Take a self-relative security descriptor apart; raises ValueError if it is malformed."""
    try:
        revision, control, owner_at, _, _, dacl_at = struct.unpack_from("<BxHIIII", data)
        if revision != 1:
            raise ValueError("a security descriptor of an unknown revision")
        owner = _sid(data, owner_at)[0] if owner_at else ""
        if not control & _DACL_PRESENT or not dacl_at:
            return Descriptor(owner, None)
        return Descriptor(owner, _entries(data, dacl_at))
    except struct.error as error:
        raise ValueError("a security descriptor that is cut off") from error


def access(found: Descriptor, right: int, sids: Sids) -> Access:
    """Return who has a right (`READ` or `ENTER`); a denied SID that isn't known denies everyone.

    On a Unix server (SIDs below S-1-22) the nearest entry decides: a user who is listed without
    the right is denied, and so is a group if all others have it.
    """
    entries = found.entries or ()
    is_open = any(entry.sid == _EVERYBODY[0] and _allows(entry, right) for entry in entries)
    allow, deny = set[str](), set[str]()
    for entry in entries:
        sid = found.owner if entry.sid == _OWNER_RIGHTS else entry.sid
        principal = sids.principal(sid)
        if _allows(entry, right):
            allow |= {principal} if principal else set()
        elif entry.kind == "deny":
            deny |= {principal or "everyone"} if entry.mask & _DENIES[right] else set()
        elif sid.startswith(_UNIX_USER) or (is_open and sid.startswith(_UNIX_GROUP)):
            deny.add(principal or "everyone")
    return Access(allow=frozenset(allow), deny=frozenset(deny))


def narrowed(inner: Access, outer: Access) -> Access:
    """Return who has both: the file's right, and that to enter a folder above it.

    Exact where one of the lists holds the other or has a single name; else only those count whom
    both lists name, which is never wider.
    """
    deny = inner.deny | outer.deny
    all_of = inner.all_of | outer.all_of
    allow = inner.allow
    if "everyone" in outer.allow or inner.allow <= outer.allow:
        pass
    elif "everyone" in inner.allow:
        allow = outer.allow
    elif len(outer.allow) == 1:
        all_of |= outer.allow
    elif len(inner.allow) == 1 and outer.allow:
        allow, all_of = outer.allow, all_of | inner.allow
    else:
        allow = inner.allow & outer.allow
    return Access(allow=allow, deny=deny, all_of=all_of)


def _allows(entry: Entry, right: int) -> bool:
    return entry.kind == "allow" and bool(entry.mask & _ALLOWS[right])


def _entries(data: bytes, at: int) -> tuple[Entry, ...]:
    size, n_entries = struct.unpack_from("<2xHH", data, at)
    end, at = at + size, at + 8
    found = []
    for _ in range(n_entries):
        kind, flags, n_bytes = struct.unpack_from("<BBH", data, at)
        if n_bytes < 8 or at + n_bytes > min(end, len(data)):
            raise ValueError("an access control list whose entries overlap")
        if not flags & _INHERIT_ONLY and kind != _CONDITIONAL_ALLOW:
            if kind not in _KINDS:
                raise ValueError(f"an access control entry of the unknown kind {kind}")
            (mask,) = struct.unpack_from("<I", data, at + 4)
            sid, sid_end = _sid(data, at + 8)
            if sid_end > at + n_bytes:
                raise ValueError("an access control entry whose SID is cut off")
            found.append(Entry(_KINDS[kind], mask, sid))
        at += n_bytes
    return tuple(found)


def _sid(data: bytes, at: int) -> tuple[str, int]:
    revision, n_parts, high, low = struct.unpack_from(">BBHI", data, at)
    if revision != 1 or n_parts > 15:
        raise ValueError("a security identifier of an unknown form")
    parts = struct.unpack_from(f"<{n_parts}I", data, at + 8)
    return "-".join(map(str, ("S-1", (high << 32) + low, *parts))), at + 8 + 4 * n_parts
