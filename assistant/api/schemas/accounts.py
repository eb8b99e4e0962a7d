"""People, groups and keys, as those are shown them who look after them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from assistant.access.key import DEFAULT_SCOPES
from assistant.api.schemas.access import Named
from assistant.api.schemas.questions import Request
from assistant.domain import Lang, Role
from assistant.store.keys import ApiKey
from assistant.store.people import Person

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Word = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=PRINTABLE)]
Roles = Annotated[list[Role], Field(min_length=1, max_length=4)]


class AccountPerson(BaseModel):
    """Somebody who may sign in, or a program; `n_sessions` and `n_keys` are good at present.

    `provider` is empty for people whose password is kept here.
    """

    id: str
    login: str
    name: str
    email: str | None
    company: str
    roles: list[str]
    provider: str
    is_service: bool
    principal: str
    disabled_at: datetime | None
    created_at: datetime
    n_sessions: int
    n_keys: int

    @classmethod
    def of(cls, person: Person, n_sessions: int, n_keys: int) -> Self:
        """Describe a person."""
        ours = {"local", "service"}
        return cls(
            id=person.id,
            login=person.login,
            name=person.name or person.login,
            email=person.email,
            company=person.company,
            roles=sorted(person.roles),
            provider="" if person.issuer in ours else person.issuer,
            is_service=person.is_service,
            principal=person.principal,
            disabled_at=person.disabled_at,
            created_at=person.created_at,
            n_sessions=n_sessions,
            n_keys=n_keys,
        )


class PeopleList(BaseModel):
    """Everybody by login, the disabled ones too."""

    people: list[AccountPerson]


class NewPerson(Request):
    """Somebody to add, whose password is kept here."""

    login: Word
    name: Text = ""
    roles: Roles = Field(default=["employee"])
    lang: Lang = "en"
    company: Text = ""
    email: Text = ""


class PersonAdded(BaseModel):
    """A person with the password to give them; it is shown this once."""

    person: AccountPerson
    password: str


class RolesBody(Request):
    """All roles that somebody is to have."""

    roles: Roles


class PasswordBody(BaseModel):
    """A new password, shown this once."""

    password: str


class GroupBody(BaseModel):
    """A group with its number of direct members; `title` is what people call it, if known.

    `source` tells them, as of `as_of`; without one an identity provider does, which
    `source_title` names where it pushes.
    """

    name: str
    title: str
    source: str
    source_title: str
    as_of: datetime | None
    n_members: int


class GroupList(BaseModel):
    """The groups of all sources by title or name."""

    groups: list[GroupBody]


class MemberBody(BaseModel):
    """A direct member: a person known here, a group, or a name that only the source knows."""

    principal: str
    person_id: str | None
    login: str
    full_name: str
    disabled: bool


class Members(Named):
    """The direct members of a group by name."""

    members: list[MemberBody]


class HeldGroup(GroupBody):
    """A group that somebody is in; `path` leads to it from the person."""

    path: list[str]


class PersonDetail(Named):
    """A person with their groups, however deep, and their keys."""

    person: AccountPerson
    groups: list[HeldGroup]
    keys: list[KeyBody]


class KeyBody(BaseModel):
    """An API key without its secret."""

    id: str
    owner: str
    person_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Describe a key."""
        return cls(
            id=key.id,
            owner=key.login,
            person_id=key.person_id,
            name=key.name,
            scopes=sorted(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
        )


class KeyList(BaseModel):
    """All keys by owner, the newest first, and the scopes that a key may have."""

    keys: list[KeyBody]
    scopes: list[str]


class NewKey(Request):
    """A key to add: for the person with this login, or for a service, added if it is new."""

    login: Text = ""
    service: Text = ""
    roles: Roles = Field(default=["employee"])
    name: Text = ""
    scopes: Annotated[list[Word], Field(min_length=1, max_length=50)] = Field(
        default=list(DEFAULT_SCOPES)
    )
    days: int = Field(90, ge=1, le=366)


class KeyAdded(BaseModel):
    """A key with its secret, which is shown this once."""

    id: str
    owner: str
    key: str


PersonDetail.model_rebuild()
