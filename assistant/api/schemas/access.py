"""Who may read what, as administrators are told: by id and number, never by title or content."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Connection

from assistant.access.simulation import Change, acl_of, membership
from assistant.api.schemas.questions import Request
from assistant.store.readable import Target

Word = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Words = Annotated[tuple[Word, ...], Field(max_length=1000)]


class GroupNameBody(BaseModel):
    """A group that is spoken of: what people call it, if that isn't its name, and who tells it.

    Without `source` an identity provider does; `source_title` names the one that pushes it.
    """

    name: str
    title: str
    source: str
    source_title: str
    as_of: datetime | None


class Named(BaseModel):
    """What speaks of groups, with what is known of each."""

    names: list[GroupNameBody]


class EntryBody(BaseModel):
    """An entry of an ACL; `path` leads from the person to it, empty if they don't hold it."""

    list: Literal["allow", "deny", "all_of"]
    principal: str
    held: bool
    path: tuple[str, ...]
    decisive: bool


class ExplanationBody(Named):
    """Why a person may read a document or not."""

    login: str
    document_id: str
    source: str
    collection: str
    allowed: bool
    rule: str
    entries: tuple[EntryBody, ...]
    access_id: int
    access_as_of: datetime | None
    access_age_s: float | None
    max_age_s: float
    policy_epoch: int


class AmountBody(BaseModel):
    """How many documents of a collection, with the ids of a few."""

    collection: str
    n_documents: int
    examples: tuple[str, ...]


class SideBody(BaseModel):
    """What one person has and the other lacks."""

    login: str
    only: tuple[AmountBody, ...]
    only_principals: tuple[str, ...]


class ComparisonBody(Named):
    """What two people read alone and together."""

    one: SideBody
    other: SideBody
    both: tuple[AmountBody, ...]


class ShelfBody(BaseModel):
    """Documents of one source and collection that one rule opens; `path` leads to what it names."""

    source: str
    collection: str
    rule: str
    path: tuple[str, ...]
    n_documents: int
    examples: tuple[str, ...]
    access_as_of: datetime | None


class ReadingBody(Named):
    """What a person may read, and how much stays closed to them.

    Without `may_open` the person is disabled or has no role that opens documents.
    """

    login: str
    may_open: bool
    n_documents: int
    n_closed: int
    shelves: tuple[ShelfBody, ...]


class ReaderBody(BaseModel):
    """Somebody who may read a document, and by which rule."""

    login: str
    name: str
    rule: str
    path: tuple[str, ...]


class ReadersBody(Named):
    """Who of all `n_people` may read a document, and its ACL."""

    document_id: str
    source: str
    collection: str
    access_as_of: datetime | None
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    all_of: tuple[str, ...]
    n_people: int
    readers: tuple[ReaderBody, ...]


class MembershipBody(Request):
    """A login or a principal, and the group that it joins or leaves."""

    member: Word
    group: Word


class TargetBody(Request):
    """A document by its id, or the documents of a source beneath a prefix of their paths."""

    document_id: Annotated[str, StringConstraints(max_length=100)] = ""
    source: Annotated[str, StringConstraints(max_length=100)] = ""
    prefix: Annotated[str, StringConstraints(max_length=2000)] = ""


class AclBody(Request):
    """Three lists of principals, written in full; an empty `allow` is nobody."""

    allow: Words = ()
    deny: Words = ()
    all_of: Words = ()


class ChangeBody(Request):
    """A proposed change of groups, or of the ACL of a document or folder, or both."""

    joins: Annotated[tuple[MembershipBody, ...], Field(max_length=1000)] = ()
    leaves: Annotated[tuple[MembershipBody, ...], Field(max_length=1000)] = ()
    target: TargetBody | None = None
    acl: AclBody | None = None

    def change(self, conn: Connection) -> Change:
        """Return what is proposed; raises `InvalidRequest` and `NotFound` for its names."""
        return Change(
            joins=frozenset(membership(conn, one.member, one.group) for one in self.joins),
            leaves=frozenset(membership(conn, one.member, one.group) for one in self.leaves),
            target=Target(**self.target.model_dump()) if self.target else None,
            acl=acl_of(self.acl.allow, self.acl.deny, self.acl.all_of) if self.acl else None,
        )


class EffectBody(BaseModel):
    """What one person would gain and lose."""

    login: str
    gained: tuple[AmountBody, ...]
    lost: tuple[AmountBody, ...]


class SimulationBody(BaseModel):
    """Whom a change would concern; `n_gained` and `n_lost` count people × documents."""

    effects: tuple[EffectBody, ...]
    n_gained: int
    n_lost: int
    n_targeted: int


class ContactBody(BaseModel):
    """A source of which the reader sees something."""

    source: str
    title: str
    synced_at: datetime | None


class InvisibilityBody(BaseModel):
    """Whether the reader sees a document; missing, deleted and forbidden ones read the same."""

    visible: bool
    contacts: tuple[ContactBody, ...]
