"""People, groups and API keys: seen by administrators and auditors, changed by administrators."""

from __future__ import annotations

import dataclasses
import secrets
from collections import Counter
from typing import Annotated, get_args

from fastapi import APIRouter, Query, status
from sqlalchemy import Connection

from assistant.access.identity import change_roles, create_person
from assistant.access.key import give_key, service
from assistant.access.names import names_in
from assistant.access.principals import seeds_of
from assistant.access.rights import by_member, paths
from assistant.access.roles import Permission
from assistant.api.deps import AssistantOf, PeopleManager, PeopleViewer
from assistant.api.schemas.access import GroupNameBody
from assistant.api.schemas.accounts import (
    AccountPerson,
    GroupBody,
    GroupList,
    HeldGroup,
    KeyAdded,
    KeyBody,
    KeyList,
    MemberBody,
    Members,
    NewKey,
    NewPerson,
    PasswordBody,
    PeopleList,
    PersonAdded,
    PersonDetail,
    RolesBody,
)
from assistant.audit.event import Event, KeyChanged, PersonChanged, actor_of
from assistant.domain import Caller, Principal
from assistant.errors import Conflict, InvalidRequest, NotFound
from assistant.store import groups as group_rows
from assistant.store import keys, memberships, people
from assistant.store.people import Person
from assistant.store.sources import clock
from assistant.wiring import Assistant

router = APIRouter(tags=["people"])

GroupAsked = Annotated[str, Query(min_length=1, max_length=500)]


@router.get("/v1/people")
def everybody(assistant: AssistantOf, caller: PeopleViewer) -> PeopleList:
    """List everybody who may sign in, and the services."""
    del caller
    with assistant.database.begin() as conn:
        found = people.list_people(conn)
        return PeopleList(people=_bodies(conn, found))


@router.post("/v1/people", status_code=status.HTTP_201_CREATED)
def add(assistant: AssistantOf, caller: PeopleManager, new: NewPerson) -> PersonAdded:
    """Add somebody with a password that is shown this once; 409 for a login that is taken."""
    password = secrets.token_urlsafe(12)
    with assistant.database.begin() as conn:
        person = create_person(
            conn,
            new.login,
            new.name or new.login,
            new.roles,
            password=password,
            email=new.email or None,
            lang=new.lang,
            company=new.company,
        )
        _changed(conn, assistant, caller, person, "added")
        return PersonAdded(person=_bodies(conn, [person])[0], password=password)


@router.get("/v1/people/{person_id}")
def one(assistant: AssistantOf, caller: PeopleViewer, person_id: str) -> PersonDetail:
    """Show somebody with all their groups and the way to each, and their keys."""
    del caller
    with assistant.database.begin() as conn:
        person = _person(conn, person_id)
        ways = paths(seeds_of(person), by_member(memberships.memberships_of(conn)))
        names = names_in(conn, list(ways.values()))
        return PersonDetail(
            person=_bodies(conn, [person])[0],
            names=[GroupNameBody(**dataclasses.asdict(name)) for name in names.values()],
            groups=[
                HeldGroup(**dataclasses.asdict(group), path=list(ways[group.name]))
                for group in group_rows.groups(conn, list(ways))
            ],
            keys=[KeyBody.of(k) for k in keys.list_keys(conn) if k.person_id == person.id],
        )


@router.put("/v1/people/{person_id}/roles")
def put_roles(
    assistant: AssistantOf, caller: PeopleManager, person_id: str, wanted: RolesBody
) -> AccountPerson:
    """Give somebody other roles, in force with their next request; nobody changes their own."""
    with assistant.database.begin() as conn:
        person = _other(conn, caller, person_id)
        change_roles(conn, person.login, wanted.roles)
        return _changed(conn, assistant, caller, person, "roles")


@router.post("/v1/people/{person_id}/disable")
def disable(assistant: AssistantOf, caller: PeopleManager, person_id: str) -> AccountPerson:
    """Lock somebody out at once: sessions, tokens, keys, and answers under way."""
    with assistant.database.begin() as conn:
        person = _other(conn, caller, person_id)
        people.disable(conn, person.login)
        return _changed(conn, assistant, caller, person, "disabled")


@router.post("/v1/people/{person_id}/enable")
def enable(assistant: AssistantOf, caller: PeopleManager, person_id: str) -> AccountPerson:
    """Let somebody sign in again; sessions that were ended stay so."""
    with assistant.database.begin() as conn:
        person = _other(conn, caller, person_id)
        if person.login == f"erased:{person.id}":
            raise Conflict("This person was erased; add a new one.")
        people.enable(conn, person.login)
        return _changed(conn, assistant, caller, person, "enabled")


@router.post("/v1/people/{person_id}/password")
def new_password(assistant: AssistantOf, caller: PeopleManager, person_id: str) -> PasswordBody:
    """Replace a password by one that is shown this once; this ends the person's sessions."""
    password = secrets.token_urlsafe(12)
    with assistant.database.begin() as conn:
        person = _person(conn, person_id)
        if person.issuer != people.LOCAL:
            raise Conflict(f"The password of {person.login!r} is not kept here.")
        people.set_password(conn, person.login, password)
        _changed(conn, assistant, caller, person, "password")
    return PasswordBody(password=password)


@router.delete("/v1/people/{person_id}/sessions")
def end_sessions(assistant: AssistantOf, caller: PeopleManager, person_id: str) -> AccountPerson:
    """Sign somebody out everywhere: sessions and the provider's tokens; keys stay."""
    with assistant.database.begin() as conn:
        person = _person(conn, person_id)
        people.sign_out_everywhere(conn, person.id)
        return _changed(conn, assistant, caller, person, "signed out")


@router.get("/v1/groups")
def all_groups(assistant: AssistantOf, caller: PeopleViewer) -> GroupList:
    """List the groups, with where each comes from and since when that is known."""
    del caller
    with assistant.database.begin() as conn:
        found = group_rows.groups(conn)
    return GroupList(groups=[GroupBody(**dataclasses.asdict(group)) for group in found])


@router.get("/v1/groups/members")
def group_members(assistant: AssistantOf, caller: PeopleViewer, group: GroupAsked) -> Members:
    """List the direct members of a group."""
    del caller
    with assistant.database.begin() as conn:
        found = group_rows.members(conn, Principal(group))
        names = names_in(conn, [group, *(one.principal for one in found)])
    if not found:
        raise NotFound(f"There is no group {group!r}.")
    return Members(
        members=[MemberBody(**dataclasses.asdict(member)) for member in found],
        names=[GroupNameBody(**dataclasses.asdict(name)) for name in names.values()],
    )


@router.get("/v1/keys")
def all_keys(assistant: AssistantOf, caller: PeopleViewer) -> KeyList:
    """List the API keys, without their secrets."""
    del caller
    with assistant.database.begin() as conn:
        found = keys.list_keys(conn)
    return KeyList(keys=[KeyBody.of(key) for key in found], scopes=list(get_args(Permission)))


@router.post("/v1/keys", status_code=status.HTTP_201_CREATED)
def add_key(assistant: AssistantOf, caller: PeopleManager, new: NewKey) -> KeyAdded:
    """Add a key and show it, this once; whoever holds it has its owner's rights."""
    if bool(new.login) == bool(new.service):
        raise InvalidRequest("Name whose key it is: either a login or a service.")
    with assistant.database.begin() as conn:
        if new.login:
            owner = people.person_with_login(conn, new.login)
        else:
            owner, is_new = service(conn, new.service, new.roles)
            if is_new:
                _changed(conn, assistant, caller, owner, "added")
        key_id, key = give_key(conn, assistant.settings, owner, new.name, new.scopes, new.days)
        changed = KeyChanged(key_id, owner.id, "added", tuple(sorted(new.scopes)))
        assistant.audit.append(conn, Event(actor_of(caller), changed))
    return KeyAdded(id=key_id, owner=owner.login, key=key)


@router.delete("/v1/keys/{key_id}")
def revoke_key(assistant: AssistantOf, caller: PeopleManager, key_id: str) -> KeyBody:
    """End a key at once, and the answers that are being written for it."""
    with assistant.database.begin() as conn:
        key = keys.revoke_key(conn, key_id)
        changed = KeyChanged(key.id, key.person_id, "revoked")
        ended = dataclasses.replace(key, revoked_at=key.revoked_at or clock(conn))
        assistant.audit.append(conn, Event(actor_of(caller), changed))
    return KeyBody.of(ended)


def _person(conn: Connection, person_id: str) -> Person:
    person = people.person_by_id(conn, person_id)
    if person is None:
        raise NotFound()
    return person


def _other(conn: Connection, caller: Caller, person_id: str) -> Person:
    """Return a person who is not the caller: so there is always another administrator left."""
    person = _person(conn, person_id)
    if person.id == caller.person_id:
        raise Conflict("Nobody does this to their own account; ask another administrator.")
    return person


def _changed(
    conn: Connection, assistant: Assistant, caller: Caller, person: Person, change: str
) -> AccountPerson:
    """Record a change and describe the person after it."""
    now = _person(conn, person.id)
    changed = PersonChanged(now.id, change, tuple(sorted(now.roles)))
    body = _bodies(conn, [now])[0]
    assistant.audit.append(conn, Event(actor_of(caller), changed))
    return body


def _bodies(conn: Connection, found: list[Person]) -> list[AccountPerson]:
    sessions, now = people.n_open_sessions(conn), clock(conn)
    good = Counter(
        key.person_id
        for key in keys.list_keys(conn)
        if key.revoked_at is None and key.expires_at > now
    )
    return [AccountPerson.of(p, sessions.get(p.id, 0), good[p.id]) for p in found]
