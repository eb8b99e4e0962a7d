"""Who reads what another doesn't."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from assistant.access.rights import Amount, rights
from assistant.domain import Principal
from assistant.store.people import person_with_login


@dataclass(frozen=True, slots=True)
class Side:
    """What one person has and the other lacks, documents by collection and principals."""

    login: str
    only: tuple[Amount, ...]
    only_principals: tuple[Principal, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two people's rights: what both read, and what each reads alone."""

    one: Side
    other: Side
    both: tuple[Amount, ...]


def compare(conn: Connection, login: str, other: str, max_age_s: float = 0.0) -> Comparison:
    """Compare what two people may read now; raises `NotFound` for either."""
    first, second = person_with_login(conn, login), person_with_login(conn, other)
    now = rights(conn, max_age_s)
    held, held_there = now.principals(first), now.principals(second)
    read, read_there = now.readable(held), now.readable(held_there)
    return Comparison(
        Side(login, now.amounts(read - read_there), tuple(sorted(held - held_there))),
        Side(other, now.amounts(read_there - read), tuple(sorted(held_there - held))),
        now.amounts(read & read_there),
    )
