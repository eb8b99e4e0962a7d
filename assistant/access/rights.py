"""What everybody may read, worked out at once: the ground of comparisons and simulations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection

from assistant.access.acl import Subject, confirmed_since, decide
from assistant.access.policy import Policy, policy_now
from assistant.access.principals import seeds_of
from assistant.access.roles import PERMISSIONS
from assistant.domain import Principal
from assistant.store.acls import Acl, acls_by_id
from assistant.store.memberships import memberships_of
from assistant.store.people import Person, list_people
from assistant.store.readable import N_EXAMPLES, Share, Target, shares

Membership = tuple[Principal, Principal]
"""A member, and the group it is directly in."""

_NOBODY = Acl(frozenset())


@dataclass(frozen=True, slots=True)
class Amount:
    """How many documents of a collection, with the ids of a few; never titles or content."""

    collection: str
    n_documents: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Rights:
    """Groups, people and documents of one moment; `access_id` of a share names one of `acls`.

    `proposed` replaces the ACL of the targeted shares; `oldest` is since when a source must have
    confirmed its access, None if that doesn't matter.
    """

    people: tuple[Person, ...]
    memberships: frozenset[Membership]
    shares: tuple[Share, ...]
    acls: Mapping[int, Acl]
    policy: Policy
    oldest: datetime | None = None
    proposed: Acl | None = None

    def principals(self, person: Person) -> frozenset[Principal]:
        """Return what a person holds for reading: nothing if disabled or without such a role."""
        if not may_open(person):
            return frozenset()
        return frozenset(paths(seeds_of(person), self._groups))

    def readable(self, principals: frozenset[Principal]) -> frozenset[int]:
        """Return the places in `shares` of what a holder of these principals may read."""
        return frozenset(
            place for place, share in enumerate(self.shares) if self._may(share, principals)
        )

    def amounts(self, places: Collection[int]) -> tuple[Amount, ...]:
        """Count the documents of these shares by collection."""
        found: defaultdict[str, list[Share]] = defaultdict(list)
        for place in sorted(places):
            found[self.shares[place].collection].append(self.shares[place])
        return tuple(
            Amount(name, sum(one.n_documents for one in some), _examples(some))
            for name, some in sorted(found.items())
        )

    @cached_property
    def _groups(self) -> Mapping[Principal, Sequence[Principal]]:
        return by_member(self.memberships)

    def _may(self, share: Share, principals: frozenset[Principal]) -> bool:
        acl = self.acls.get(share.access_id, _NOBODY)
        if share.targeted and self.proposed is not None:
            acl = self.proposed
        subject = Subject(acl, share.collection, share.access_as_of)
        return decide(subject, self.policy, principals, self.oldest).allowed


def rights(conn: Connection, max_age_s: float = 0.0, target: Target | None = None) -> Rights:
    """Read the rights of everybody as they are now; what `target` names stands apart."""
    found = shares(conn, target)
    return Rights(
        people=tuple(list_people(conn)),
        memberships=memberships_of(conn),
        shares=tuple(found),
        acls=acls_by_id(conn, {share.access_id for share in found}),
        policy=policy_now(conn),
        oldest=confirmed_since(conn, max_age_s),
    )


def may_open(person: Person) -> bool:
    """Whether a person is not disabled and has a role that opens documents at all."""
    return person.disabled_at is None and bool(PERMISSIONS["read_documents"] & person.roles)


def by_member(memberships: Iterable[Membership]) -> dict[Principal, list[Principal]]:
    """Return the groups that each member is directly in, in order."""
    groups: defaultdict[Principal, list[Principal]] = defaultdict(list)
    for member, group in sorted(memberships):
        groups[member].append(group)
    return dict(groups)


def paths(
    seeds: Iterable[Principal], groups: Mapping[Principal, Sequence[Principal]]
) -> dict[Principal, tuple[Principal, ...]]:
    """Return every principal held with a shortest way to it, from a seed through nested groups."""
    found: dict[Principal, tuple[Principal, ...]] = {seed: (seed,) for seed in seeds}
    waiting = list(found)
    for member in waiting:  # grows while it is walked: breadth first
        for group in groups.get(member, ()):
            if group not in found:
                found[group] = (*found[member], group)
                waiting.append(group)
    return found


def _examples(some: Sequence[Share]) -> tuple[str, ...]:
    return tuple(name for share in some for name in share.examples)[:N_EXAMPLES]
