"""Who may read what, a second time: sets and a fix-point, nothing of the product's."""

from __future__ import annotations

from dataclasses import dataclass, field

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Lists:
    """A document's three lists of principals."""

    allow: frozenset[str]
    deny: frozenset[str] = frozenset()
    all_of: frozenset[str] = frozenset()


@dataclass(slots=True)
class Written:
    """A live document: its canary, lists and collection."""

    canary: str
    lists: Lists
    collection: str


@dataclass
class World:
    """Memberships as (member, group), live documents by name, `only` and `deny` by collection."""

    memberships: set[tuple[str, str]] = field(default_factory=set)
    documents: dict[str, Written] = field(default_factory=dict)
    rules: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)

    def held(self, user: str) -> set[str]:
        """Return what a user holds: add groups until nothing changes."""
        held = {user, EVERYONE}
        while more := {group for member, group in self.memberships if member in held} - held:
            held |= more
        return held

    def may_read(self, user: str, document: Written) -> bool:
        """Whether a user may read a document."""
        held, lists = self.held(user), document.lists
        only, deny = self.rules.get(document.collection, (frozenset(), frozenset()))
        return (
            user not in self.disabled
            and bool(held & lists.allow)
            and not held & (lists.deny | deny)
            and lists.all_of <= held
            and (not only or bool(held & only))
        )

    def canaries(self, user: str) -> set[str]:
        """Return the canaries that a user may see."""
        return {one.canary for one in self.documents.values() if self.may_read(user, one)}
