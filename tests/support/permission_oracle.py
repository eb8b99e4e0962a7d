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
    """Memberships as (member, group), live documents by name, `only` and `deny` by collection.

    `told` are the canaries that a user was told of a document since it is there, older versions'
    too.
    """

    memberships: set[tuple[str, str]] = field(default_factory=set)
    documents: dict[str, Written] = field(default_factory=dict)
    rules: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    told: dict[tuple[str, str], set[str]] = field(default_factory=dict)

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

    def tell(self, user: str) -> None:
        """Let a user be told all that they may see."""
        for name, one in self.documents.items():
            if self.may_read(user, one):
                self.told.setdefault((user, name), set()).add(one.canary)

    def delete(self, name: str) -> None:
        """Delete a document, and with it what was ever told of it."""
        self.documents.pop(name, None)
        self.told = {key: some for key, some in self.told.items() if key[1] != name}

    def remembered(self, user: str) -> set[str]:
        """Return what a user's history may hold: what they were told of what they may read."""
        return self.canaries(user).union(
            *(
                self.told.get((user, name), ())
                for name, one in self.documents.items()
                if self.may_read(user, one)
            )
        )
