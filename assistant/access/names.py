"""Names for the groups that a finding about access speaks of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from assistant.domain import Principal
from assistant.store.group_names import GroupName, names_of

_GROUP = "group:"


def names_in(conn: Connection, found: Any) -> dict[Principal, GroupName]:
    """Return what is known of each group in a finding, given as lists and mappings.

    A group stands there as a principal, or at the end of a rule, such as `allow group:ad:staff`.
    """
    return names_of(conn, set(_groups(found)))


def called(names: Mapping[Principal, GroupName], principal: str) -> str:
    """Return a principal with what people call it, for a line of text."""
    known = names.get(Principal(principal))
    return f"{known.title} ({principal})" if known is not None and known.title else principal


def _groups(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        name = found if found.startswith(_GROUP) else found.partition(" ")[2]
        if name.startswith(_GROUP):
            yield name
    elif isinstance(found, Mapping):
        for value in found.values():
            yield from _groups(value)
    elif isinstance(found, list | tuple | set | frozenset):
        for value in found:
            yield from _groups(value)
