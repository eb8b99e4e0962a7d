"""Users and groups of SCIM's core schema (RFC 7643), as far as they are kept, from and to JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from assistant.access.scim.filter import attribute
from assistant.access.scim.problem import ScimProblem
from assistant.store.provisioned import Member, ProvisionedGroup, ProvisionedPerson

Json = dict[str, Any]

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

_KEPT_APART = {"user_name", "external_id", "active"}
"""Fields with a column of their own."""


def _flag(value: object) -> object:
    """Read "True" and "False", as Entra ID writes booleans."""
    words: dict[object, bool] = {"true": True, "false": False}
    return words.get(value.lower(), value) if isinstance(value, str) else value


Text = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Named = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1)]
Flag = Annotated[bool, BeforeValidator(_flag)]


class _Part(BaseModel):
    """Attributes by name in whatever case; unknown and empty ones are left out."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=False
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        known = {to_camel(name).lower(): to_camel(name) for name in cls.model_fields}
        found = {known.get(attribute(str(key))): one for key, one in value.items()}
        return {key: one for key, one in found.items() if key is not None and one is not None}

    def as_json(self) -> Json:
        """Return the attributes that are set, by SCIM's names."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Name(_Part):
    """A person's name."""

    formatted: Text | None = None
    family_name: Text | None = None
    given_name: Text | None = None
    middle_name: Text | None = None
    honorific_prefix: Text | None = None
    honorific_suffix: Text | None = None


class Email(_Part):
    """An e-mail address."""

    value: Text | None = None
    type: Text | None = None
    primary: Flag | None = None


class User(_Part):
    """A person as pushed; without `active`, that stays as it is."""

    user_name: Named
    external_id: Named | None = None
    display_name: Text | None = None
    name: Name | None = None
    emails: Annotated[tuple[Email, ...], Field(max_length=20)] = ()
    preferred_language: Text | None = None
    locale: Text | None = None
    active: Flag | None = None

    @property
    def called(self) -> str:
        """Return the name to show."""
        name = self.name or Name()
        parts = (name.given_name, name.family_name)
        return self.display_name or name.formatted or " ".join(filter(None, parts))

    @property
    def email(self) -> str | None:
        """Return the primary address, or the first."""
        listed = sorted(self.emails, key=lambda one: not one.primary)
        return next((one.value for one in listed if one.value), None)

    @property
    def attributes(self) -> Json:
        """Return what is kept as it came."""
        return self.model_dump(
            mode="json",
            by_alias=True,
            exclude_none=True,
            exclude_defaults=True,
            exclude=_KEPT_APART,
        )


class Reference(_Part):
    """A member of a group."""

    value: Named


class Group(_Part):
    """A group as pushed; without members it has none."""

    display_name: Named
    external_id: Named | None = None
    members: tuple[Reference, ...] = ()


KEPT: dict[type[User] | type[Group], dict[str, frozenset[str]]] = {
    kind: {
        to_camel(name): frozenset(to_camel(part) for part in parts.get(name, ()))
        for name in kind.model_fields
    }
    for kind, parts in (
        (User, {"name": Name.model_fields, "emails": Email.model_fields}),
        (Group, {"members": {"value": None, "display": None, "type": None}}),
    )
}
"""The attributes of each kind that can be changed, with their parts."""

_Kind = TypeVar("_Kind", User, Group)


def read(kind: type[_Kind], value: object) -> _Kind:
    """Read a resource that a client sent; raises `ScimProblem` (invalidValue)."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the resource'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)[:5]
        )
        raise ScimProblem("invalidValue", f"The resource is not valid. {wrong}.") from error


def user_of(person: ProvisionedPerson) -> User:
    """Return a person as they were pushed."""
    return User.model_validate(
        {
            **person.attributes,
            "userName": person.user_name,
            "externalId": person.external_id,
            "active": person.active,
        }
    )


def user_json(person: ProvisionedPerson, groups: Sequence[Member], base: str) -> Json:
    """Return a person as a resource; `base` is the address of the endpoint."""
    shown = {**person.attributes, "userName": person.user_name, "active": person.active}
    if person.external_id is not None:
        shown["externalId"] = person.external_id
    return {
        "schemas": [USER],
        "id": person.id,
        **shown,
        "groups": [{**_reference(one, base), "type": "direct"} for one in groups],
        "meta": _meta("User", f"{base}/Users/{person.id}", person.created_at, person.updated_at),
    }


def group_json(group: ProvisionedGroup, members: Sequence[Member], base: str) -> Json:
    """Return a group as a resource; `base` is the address of the endpoint."""
    shown: Json = {"displayName": group.display_name}
    if group.external_id is not None:
        shown["externalId"] = group.external_id
    return {
        "schemas": [GROUP],
        "id": group.id,
        **shown,
        "members": [
            {**_reference(one, base), "type": "Group" if one.is_group else "User"}
            for one in members
        ],
        "meta": _meta("Group", f"{base}/Groups/{group.id}", group.created_at, group.updated_at),
    }


def selected(resource: Json, attributes: Collection[str], excluded: Collection[str]) -> Json:
    """Return the attributes that a client wants; `id` and `schemas` always."""
    wanted, unwanted = ({_top(name) for name in names} for names in (attributes, excluded))
    return {
        name: value
        for name, value in resource.items()
        if name in {"id", "schemas"}
        or (name.lower() in wanted if wanted else name.lower() not in unwanted)
    }


def listing(found: Sequence[Json], total: int, start: int) -> Json:
    """Return a page of resources, of which the first is number `start`."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(found),
        "Resources": list(found),
    }


def _top(name: str) -> str:
    return attribute(name.strip()).partition(".")[0]


def _reference(one: Member, base: str) -> Json:
    place = "Groups" if one.is_group else "Users"
    shown = {"display": one.display} if one.display else {}
    return {"value": one.id, **shown, "$ref": f"{base}/{place}/{one.id}"}


def _meta(kind: str, location: str, created_at: datetime, updated_at: datetime) -> Json:
    times = {"created": created_at, "lastModified": updated_at}
    shown = {
        name: at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for name, at in times.items()
    }
    return {"resourceType": kind, **shown, "location": location}
