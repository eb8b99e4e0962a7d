"""SCIM 2.0 (RFC 7644): an identity provider pushes people and groups, each audited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from assistant.access.scim import directory as pushed
from assistant.access.scim import discovery, groups, persons
from assistant.access.scim.directory import Asked, Directory, directory_of
from assistant.access.scim.resource import Group, User, listing, read, selected
from assistant.api.deps import AssistantOf, Provisioner
from assistant.api.problems import SCIM_MEDIA_TYPE, SCIM_PATHS
from assistant.api.schemas.scim import PatchBody, Resource
from assistant.audit import event as audit
from assistant.audit.provisioning import GroupPushed, PersonPushed
from assistant.errors import NotFound

MAX_IN_EVENT = 1000


class ScimResponse(JSONResponse):
    """JSON as SCIM calls it."""

    media_type = SCIM_MEDIA_TYPE


router = APIRouter(prefix=SCIM_PATHS, tags=["scim"], default_response_class=ScimResponse)

Id = Annotated[str, Path(max_length=100)]
Names = Annotated[str, Query(max_length=1000)]
Sent = Annotated[Resource, Body(media_type=SCIM_MEDIA_TYPE)]
Changes = Annotated[PatchBody, Body(media_type=SCIM_MEDIA_TYPE)]
Number = Annotated[int, Query(ge=-(2**31), lt=2**31)]


@dataclass(frozen=True, slots=True)
class Shown:
    """Which attributes of a resource a client wants, by name, with commas between."""

    attributes: Names = ""
    excludedAttributes: Names = ""  # noqa: N815  SCIM's name

    def of(self, resource: Resource) -> Resource:
        """Return what is wanted of a resource."""
        wanted, unwanted = (
            [name for name in names.split(",") if name.strip()]
            for names in (self.attributes, self.excludedAttributes)
        )
        return selected(resource, wanted, unwanted)

    @property
    def has_members(self) -> bool:
        """Whether the members of groups are wanted."""
        return "members" in self.of({"members": []})


@dataclass(frozen=True, slots=True)
class Listed:
    """Which resources of a listing a client wants, and what of them."""

    shown: Annotated[Shown, Depends()]
    filter: Annotated[str, Query(max_length=2000)] = ""
    startIndex: Number = 1  # noqa: N815  SCIM's name
    count: Number = 100

    @property
    def asked(self) -> Asked:
        """Return the part of the listing."""
        return Asked(self.filter, self.startIndex, self.count, self.shown.has_members)

    def of(self, page: Resource) -> Resource:
        """Return a page with what is wanted of each resource."""
        return {**page, "Resources": [self.shown.of(one) for one in page["Resources"]]}


ShownOf = Annotated[Shown, Depends()]
ListedOf = Annotated[Listed, Depends()]


def base_of(request: Request) -> str:
    """Return the address of the endpoint as the client knows it."""
    return f"{str(request.base_url).rstrip('/')}{SCIM_PATHS}"


Base = Annotated[str, Depends(base_of)]


@dataclass(frozen=True, slots=True)
class Directories:
    """Opens the directory of the service whose key was sent."""

    assistant: AssistantOf
    caller: Provisioner
    base: Base

    @contextmanager
    def mine(self) -> Iterator[Directory]:
        """Yield the directory; what is done to it is committed with its audit events."""
        identity, audit_log = self.assistant.settings.identity, self.assistant.audit
        actor = audit.actor_of(self.caller)
        with self.assistant.database.begin() as conn:
            directory = directory_of(conn, self.caller, identity, self.base)
            yield directory
            for one in directory.news:
                for event in _events(one):
                    audit_log.append(conn, audit.Event(actor, event))


DirectoriesOf = Annotated[Directories, Depends()]


@router.get("/ServiceProviderConfig")
def configuration(caller: Provisioner, base: Base) -> Resource:
    """Say what the SCIM endpoint can do."""
    del caller
    return discovery.configuration(base)


@router.get("/ResourceTypes")
def resource_types(caller: Provisioner, base: Base) -> Resource:
    """List the kinds of resources."""
    del caller
    return _whole(discovery.resource_types(base))


@router.get("/ResourceTypes/{kind_id}")
def resource_type(caller: Provisioner, base: Base, kind_id: Id) -> Resource:
    """Describe a kind of resource."""
    del caller
    return _named(discovery.resource_types(base), kind_id)


@router.get("/Schemas")
def schemas(assistant: AssistantOf, caller: Provisioner, base: Base) -> Resource:
    """List the attributes of users and groups that are kept."""
    del caller
    return _whole(discovery.schemas(assistant.settings.identity.scim, base))


@router.get("/Schemas/{schema_id}")
def schema(assistant: AssistantOf, caller: Provisioner, base: Base, schema_id: Id) -> Resource:
    """Describe the attributes of users or of groups."""
    del caller
    return _named(discovery.schemas(assistant.settings.identity.scim, base), schema_id)


@router.get("/Users")
def find_users(directories: DirectoriesOf, listed: ListedOf) -> Resource:
    """List the people that this key's service pushed, filtered."""
    with directories.mine() as directory:
        return listed.of(persons.find(directory, listed.asked))


@router.post("/Users", status_code=201)
def create_user(
    directories: DirectoriesOf, sent: Sent, shown: ShownOf, response: Response
) -> Resource:
    """Add a person, or take over one whom the identity provider has signed in before."""
    with directories.mine() as directory:
        return _created(persons.create(directory, read(User, sent)), shown, response)


@router.get("/Users/{user_id}")
def show_user(directories: DirectoriesOf, user_id: Id, shown: ShownOf) -> Resource:
    """Return a person."""
    with directories.mine() as directory:
        return shown.of(persons.show(directory, user_id))


@router.put("/Users/{user_id}")
def replace_user(directories: DirectoriesOf, user_id: Id, sent: Sent, shown: ShownOf) -> Resource:
    """Replace what is kept of a person; without `active` that stays."""
    with directories.mine() as directory:
        return shown.of(persons.change(directory, user_id, read(User, sent)))


@router.patch("/Users/{user_id}")
def patch_user(
    directories: DirectoriesOf, user_id: Id, changes: Changes, shown: ShownOf
) -> Resource:
    """Change some attributes of a person; `active` false locks them out at once."""
    with directories.mine() as directory:
        return shown.of(persons.patch(directory, user_id, changes.operations()))


@router.delete("/Users/{user_id}", status_code=204, response_class=Response)
def delete_user(directories: DirectoriesOf, user_id: Id) -> None:
    """Lock a person out, take them out of all groups, and forget what was pushed of them."""
    with directories.mine() as directory:
        persons.delete(directory, user_id)


@router.get("/Groups")
def find_groups(directories: DirectoriesOf, listed: ListedOf) -> Resource:
    """List the groups that this key's service pushed, filtered."""
    with directories.mine() as directory:
        return listed.of(groups.find(directory, listed.asked))


@router.post("/Groups", status_code=201)
def create_group(
    directories: DirectoriesOf, sent: Sent, shown: ShownOf, response: Response
) -> Resource:
    """Add a group; access files call it `group://scim/<id>`."""
    with directories.mine() as directory:
        return _created(groups.create(directory, read(Group, sent)), shown, response)


@router.get("/Groups/{group_id}")
def show_group(directories: DirectoriesOf, group_id: Id, shown: ShownOf) -> Resource:
    """Return a group with its members."""
    with directories.mine() as directory:
        return shown.of(groups.show(directory, group_id))


@router.put("/Groups/{group_id}")
def replace_group(directories: DirectoriesOf, group_id: Id, sent: Sent, shown: ShownOf) -> Resource:
    """Replace a group with its members; without `members` it has none."""
    with directories.mine() as directory:
        return shown.of(groups.change(directory, group_id, read(Group, sent)))


@router.patch("/Groups/{group_id}", status_code=204, response_class=Response)
def patch_group(directories: DirectoriesOf, group_id: Id, changes: Changes) -> None:
    """Change the name of a group, or some of its members."""
    with directories.mine() as directory:
        groups.patch(directory, group_id, changes.operations())


@router.delete("/Groups/{group_id}", status_code=204, response_class=Response)
def delete_group(directories: DirectoriesOf, group_id: Id) -> None:
    """Remove a group; whoever read by it no longer does."""
    with directories.mine() as directory:
        groups.delete(directory, group_id)


def _created(resource: Resource, shown: Shown, response: Response) -> Resource:
    response.headers["Location"] = resource["meta"]["location"]
    return shown.of(resource)


def _whole(found: list[Resource]) -> Resource:
    return listing(found, len(found), 1)


def _named(found: list[Resource], name: str) -> Resource:
    for one in found:
        if one["id"] == name:
            return one
    raise NotFound()


def _events(one: pushed.PersonPushed | pushed.GroupPushed) -> Iterator[audit.EventData]:
    """Yield the events of a change; those of very many members name a thousand each."""
    if isinstance(one, pushed.PersonPushed):
        yield PersonPushed(one.person_id, one.change, one.user_name, one.attributes)
        return
    for at in range(0, max(len(one.joined), len(one.left), 1), MAX_IN_EVENT):
        joined, left = (ids[at : at + MAX_IN_EVENT] for ids in (one.joined, one.left))
        yield GroupPushed(one.group_id, one.change, one.name, joined, left)
