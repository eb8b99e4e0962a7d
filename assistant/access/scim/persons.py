"""People of a directory: linked to whom the identity provider signs in, never by e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.access.roles import check_roles
from assistant.access.scim.directory import (
    Asked,
    Directory,
    Json,
    PersonPushed,
    paged,
    same_subject,
)
from assistant.access.scim.patch import Operation, patched
from assistant.access.scim.problem import NotUnique, ScimProblem
from assistant.access.scim.resource import KEPT, User, read, user_json, user_of
from assistant.errors import NotFound
from assistant.store import memberships, people, provisioned
from assistant.store.people import Person
from assistant.store.provisioned import GROUPS, Only, ProvisionedPerson, Slice

_NARROWING = {"id": "id", "username": "name", "externalid": "external_id"}


def show(directory: Directory, person_id: str) -> Json:
    """Return a person; raises `NotFound`."""
    _, found = _known(directory, person_id)
    return _shown(directory, [found])[0]


def find(directory: Directory, asked: Asked) -> Json:
    """Return a page of people; raises `ScimProblem` for the filter."""

    def load(only: Only, part: Slice | None) -> list[Json]:
        found = provisioned.persons(directory.conn, directory.id, only, part)
        return _shown(directory, found)

    def count() -> int:
        return provisioned.n_persons(directory.conn, directory.id)

    return paged(asked, _NARROWING, count, load)


def create(directory: Directory, user: User) -> Json:
    """Add a person, or take over one whom the identity provider has signed in before.

    Raises `NotUnique`, and `ScimProblem` without the attribute that links to the sign-in.
    """
    directory.lock()
    subject = directory.subject(user)
    if subject is None:
        raise ScimProblem(
            "invalidValue", "externalId is missing: it links a person to their sign-in."
        )
    _check_name(directory, user, "")
    person = people.person_with_subject(directory.conn, directory.issuer, subject)
    before = provisioned.person(directory.conn, person.id) if person is not None else None
    change = "linked"
    if person is None:
        person, change = _added(directory, user, subject), "added"
    elif _is_taken(directory, person, before):
        raise NotUnique()
    after = _save(directory, person, user, before)
    _tell(directory, after, change, tuple(sorted(after.attributes)))
    return show(directory, person.id)


def change(directory: Directory, person_id: str, user: User) -> Json:
    """Replace what is kept of a person; raises `NotFound`, `NotUnique` and `ScimProblem`."""
    directory.lock()
    person, before = _known(directory, person_id)
    same_subject(directory.subject(user), person.subject)
    if user.external_id is None:
        user = user.model_copy(update={"external_id": before.external_id})
    _check_name(directory, user, person_id)
    after = _save(directory, person, user, before)
    changed = _differing(before, after)
    if changed:
        word = "changed"
        if "active" in changed:
            word = "enabled" if after.active else "disabled"
        _tell(directory, after, word, changed)
    return show(directory, person_id)


def patch(directory: Directory, person_id: str, operations: Sequence[Operation]) -> Json:
    """Change some attributes of a person; raises `NotFound`, `NotUnique` and `ScimProblem`."""
    directory.lock()
    _, before = _known(directory, person_id)
    new = patched(user_of(before).as_json(), operations, KEPT[User])
    return change(directory, person_id, read(User, new))


def delete(directory: Directory, person_id: str) -> None:
    """Lock a person out, take them out of all groups and forget what was pushed of them.

    Their conversations and what the log tells of them stay; raises `NotFound`.
    """
    directory.lock()
    person, before = _known(directory, person_id)
    _set_active(directory, person, before, active=False)
    provisioned.remove_person(directory.conn, person_id)
    memberships.replace_groups_of(directory.conn, before.principal, GROUPS, ())
    _tell(directory, before, "removed", ())


def _known(directory: Directory, person_id: str) -> tuple[Person, ProvisionedPerson]:
    person = people.person_by_id(directory.conn, person_id)
    found = provisioned.person(directory.conn, person_id)
    if person is None or found is None or found.deleted_at is not None:
        raise NotFound()
    if found.directory_id != directory.id:
        raise NotFound()
    return person, found


def _shown(directory: Directory, found: Sequence[ProvisionedPerson]) -> list[Json]:
    groups = provisioned.groups_of(directory.conn, [one.principal for one in found])
    return [user_json(one, groups.get(one.principal, ()), directory.base) for one in found]


def _check_name(directory: Directory, user: User, person_id: str) -> None:
    """Raise `NotUnique` if another person of the directory has the name."""
    named = Only(name=user.user_name)
    others = provisioned.persons(directory.conn, directory.id, named)
    if any(one.id != person_id for one in others):
        raise NotUnique()


def _is_taken(directory: Directory, person: Person, before: ProvisionedPerson | None) -> bool:
    """Whether a person is pushed already, or belongs to another tenant."""
    is_pushed = before is not None and before.deleted_at is None
    return is_pushed or person.company not in {"", directory.service.company}


def _added(directory: Directory, user: User, subject: str) -> Person:
    if not subject.isprintable():
        raise ScimProblem("invalidValue", "What links a person to their sign-in must be printable.")
    return people.add_person(
        directory.conn,
        f"{directory.issuer}|{subject}",
        user.called,
        check_roles(directory.identity.oidc.default_roles),
        issuer=directory.issuer,
        subject=subject,
        email=user.email,
        company=directory.service.company,
    )


def _save(
    directory: Directory, person: Person, user: User, before: ProvisionedPerson | None
) -> ProvisionedPerson:
    """Keep what was pushed of a person, and let them in or lock them out."""
    conn = directory.conn
    was_active = before.active if before is not None and before.deleted_at is None else True
    active = user.active if user.active is not None else was_active
    values = {
        "user_name": user.user_name,
        "external_id": user.external_id,
        "active": active,
        "attributes": user.attributes,
    }
    if before is None or before.deleted_at is not None or values != _values(before):
        provisioned.put_person(conn, person.id, directory.id, values)
    amended = replace(
        person,
        name=user.called or person.name,
        email=user.email,
        lang=user.preferred_language or user.locale or person.lang,
        company=directory.service.company,
    )
    people.amend(conn, amended)
    _set_active(directory, person, before, active=active)
    return _known(directory, person.id)[1]


def _set_active(
    directory: Directory, person: Person, before: ProvisionedPerson | None, *, active: bool
) -> None:
    """Lock a person out, or let them in again if nobody but the directory locked them out."""
    conn = directory.conn
    if not active and person.disabled_at is None:
        people.disable(conn, person.login)
        provisioned.mark_locked(conn, person.id, locked=True)
    elif active and before is not None and before.locked:
        people.enable(conn, person.login)
        provisioned.mark_locked(conn, person.id, locked=False)


def _values(person: ProvisionedPerson) -> Json:
    return {
        "user_name": person.user_name,
        "external_id": person.external_id,
        "active": person.active,
        "attributes": person.attributes,
    }


def _differing(before: ProvisionedPerson, after: ProvisionedPerson) -> tuple[str, ...]:
    """Return the names of the attributes that changed."""
    old, new = user_of(before).as_json(), user_of(after).as_json()
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def _tell(
    directory: Directory, person: ProvisionedPerson, word: str, attributes: tuple[str, ...]
) -> None:
    directory.news.append(PersonPushed(person.id, word, person.user_name, attributes))
