"""Groups of a directory: `group:scim:<id>`, with people and groups of the same directory."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from assistant.access.scim.directory import Asked, Directory, GroupPushed, Json, paged
from assistant.access.scim.patch import Operation, patched
from assistant.access.scim.problem import NotUnique, ScimProblem
from assistant.access.scim.resource import KEPT, Group, group_json, read
from assistant.errors import NotFound
from assistant.store import memberships, provisioned
from assistant.store.provisioned import Only, ProvisionedGroup, Slice

_NARROWING = {
    "id": "id",
    "displayname": "name",
    "externalid": "external_id",
    "members": "member_id",
    "members.value": "member_id",
}


def show(directory: Directory, group_id: str) -> Json:
    """Return a group with its members; raises `NotFound`."""
    return _shown(directory, [_known(directory, group_id)], with_members=True)[0]


def find(directory: Directory, asked: Asked) -> Json:
    """Return a page of groups; raises `ScimProblem` for the filter."""
    # A filter may speak of members that the client doesn't want to see.
    with_members = asked.with_members or "members" in asked.filter.lower()

    def load(only: Only, part: Slice | None) -> list[Json]:
        found = provisioned.groups(directory.conn, directory.id, only, part)
        return _shown(directory, found, with_members=with_members)

    def count() -> int:
        return provisioned.n_groups(directory.conn, directory.id)

    return paged(asked, _NARROWING, count, load)


def create(directory: Directory, group: Group) -> Json:
    """Add a group; raises `NotUnique`, and `ScimProblem` for the members."""
    directory.lock()
    _check_name(directory, group, "")
    group_id = str(uuid4())
    joined, _ = _save(directory, group_id, group, frozenset())
    directory.news.append(GroupPushed(group_id, "added", group.display_name, joined))
    return show(directory, group_id)


def change(directory: Directory, group_id: str, group: Group) -> Json:
    """Replace a group with its members; raises `NotFound`, `NotUnique` and `ScimProblem`."""
    directory.lock()
    before = _known(directory, group_id)
    _check_name(directory, group, group_id)
    held = frozenset(one.id for one in _members(directory, group_id))
    joined, left = _save(directory, group_id, group, held)
    same = (group.display_name, group.external_id) == (before.display_name, before.external_id)
    if joined or left or not same:
        pushed = GroupPushed(group_id, "changed", group.display_name, joined, left)
        directory.news.append(pushed)
    return show(directory, group_id)


def patch(directory: Directory, group_id: str, operations: Sequence[Operation]) -> None:
    """Change a name or some members; raises `NotFound`, `NotUnique` and `ScimProblem`."""
    directory.lock()
    before = _known(directory, group_id)
    present: Json = {
        "displayName": before.display_name,
        "externalId": before.external_id,
        "members": [{"value": one.id} for one in _members(directory, group_id)],
    }
    change(directory, group_id, read(Group, patched(present, operations, KEPT[Group])))


def delete(directory: Directory, group_id: str) -> None:
    """Remove a group; nobody is in it any more, nor it in another. Raises `NotFound`."""
    directory.lock()
    before = _known(directory, group_id)
    left = tuple(sorted(one.id for one in _members(directory, group_id)))
    memberships.forget_group(directory.conn, before.principal)
    provisioned.remove_group(directory.conn, group_id)
    directory.news.append(GroupPushed(group_id, "removed", before.display_name, (), left))


def _known(directory: Directory, group_id: str) -> ProvisionedGroup:
    found = provisioned.group(directory.conn, directory.id, group_id)
    if found is None:
        raise NotFound()
    return found


def _members(directory: Directory, group_id: str) -> list[provisioned.Member]:
    return provisioned.members(directory.conn, [group_id]).get(group_id, [])


def _shown(
    directory: Directory, found: Sequence[ProvisionedGroup], *, with_members: bool
) -> list[Json]:
    ids = [one.id for one in found] if with_members else []
    members = provisioned.members(directory.conn, ids)
    return [group_json(one, members.get(one.id, ()), directory.base) for one in found]


def _check_name(directory: Directory, group: Group, group_id: str) -> None:
    """Raise `NotUnique` if another group of the directory has the name."""
    named = Only(name=group.display_name)
    others = provisioned.groups(directory.conn, directory.id, named)
    if any(one.id != group_id for one in others):
        raise NotUnique()


def _save(
    directory: Directory, group_id: str, group: Group, held: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keep a group with its members; returns the ids of who joined and who left."""
    ids = frozenset(one.value for one in group.members)
    found = provisioned.principals(directory.conn, directory.id, ids - {group_id})
    if group_id in ids:
        raise ScimProblem("invalidValue", "A group can't be its own member.")
    if missing := ids - found.keys():
        raise ScimProblem(
            "invalidValue", f"There is no person or group with the id {min(missing)!r} here."
        )
    name, external_id = group.display_name, group.external_id
    provisioned.put_group(directory.conn, group_id, directory.id, name, external_id)
    principal = provisioned.principal_of_group(group_id)
    memberships.replace_members(directory.conn, principal, found.values())
    return tuple(sorted(ids - held)), tuple(sorted(held - ids))
