"""Who may read a mailbox, from its IMAP access control list (RFC 4314)."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.contract import Access

READ = "r"
_EVERYONE = frozenset({"anyone", "authenticated"})
_GROUP_PREFIXES = ("group:", "group=", "$", "!$")


def access(
    rights: Iterable[tuple[str, str]] | None, owner: str, also: frozenset[str] = frozenset()
) -> Access:
    """Return who may read, from pairs of an identifier and its rights.

    `None` is a list that the server doesn't tell: then the `owner` (a principal: whoever logs in)
    may read, and `also`. An identifier that begins with `-` takes rights away. A person or group
    that is listed without the right to read is denied, too: servers disagree whether a wider entry
    counts for them, and Dovecot says that it doesn't.
    """
    if rights is None:
        return Access(allow=also | {owner})
    allow, deny = set(also), set[str]()
    for identifier, letters in rights:
        taken = identifier.startswith("-")
        principal = _principal(identifier.removeprefix("-").removeprefix("#"), owner)
        reads = READ in letters
        if taken and reads:
            deny.add(principal)
        elif not taken and reads:
            allow.add(principal)
        elif not taken and principal != "everyone":
            deny.add(principal)
    return Access(allow=frozenset(allow), deny=frozenset(deny))


def _principal(identifier: str, owner: str) -> str:
    if identifier.lower() in _EVERYONE:
        return "everyone"
    if identifier.lower() == "owner":
        return owner
    for prefix in _GROUP_PREFIXES:
        if identifier.startswith(prefix) and len(identifier) > len(prefix):
            return f"group:{identifier.removeprefix(prefix)}"
    return f"user:{identifier.removeprefix('user=')}"
