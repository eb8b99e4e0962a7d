"""SharePoint libraries and OneDrives as a source, through Microsoft Graph.

Each drive is listed by `delta`; the delta links are the cursor of the next run, which sees only
what changed, deletions included. A folder that changed hands down other permissions, and a set
of drives that changed can't be told by a delta: then everything is listed afresh, without
fetching what kept its cTag. So is it after `relist_hours`, as not every change of rights shows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, Field, JsonValue, SecretStr, ValidationError, model_validator

from connectors.confinement import PathFields
from connectors.contract import (
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Frozen,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from connectors.egress import Gate, parse
from connectors.graph_access import Grants
from connectors.graph_session import CLOUDS, Application, Cloud, GraphSession, Missing
from connectors.http import Client, Limits
from connectors.media import media_type
from connectors.selection import Selection, is_clutter
from connectors.sidecars import Principals

USER_AGENT = "enterprise-assistant"
_DELTA = {
    "deltaExcludeParent": "true",
    "Prefer": "hierarchicalsharing, deltashowremovedasdeleted, deltashowsharingchanges",
}


class GraphConfig(PathFields):
    """Which libraries, who signs in, and what their permissions mean."""

    reach: ClassVar[frozenset[str]] = frozenset(
        {"tenant", "client_id", "certificate", "key", "cloud"}
    )
    tenant: str = Field(title="Tenant", pattern=r"^[\w.-]+$", description="id or domain")
    client_id: str = Field(title="Application", pattern=r"^[\w.-]+$", description="its client id")
    client_secret: SecretStr | None = Field(default=None, title="Secret")
    certificate: Path | None = Field(default=None, title="Certificate", description="PEM, instead")
    key: Path | None = Field(default=None, title="Key", description="of the certificate, PEM")
    cloud: str = Field(
        default="global", pattern="^(global|us|us_dod|china)$", description="national cloud"
    )
    sites: tuple[str, ...] = Field(
        default=(), title="Sites", description="such as contoso.sharepoint.com/sites/hr"
    )
    users: tuple[str, ...] = Field(
        default=(), title="OneDrives of", description="user principal names"
    )
    drives: tuple[str, ...] = Field(default=(), title="Drives", description="by id")
    login: str = Field(
        default="userPrincipalName",
        pattern="^(id|mail|userPrincipalName)$",
        description="which property of people is their login here",
    )
    issuer: str = Field(
        default="", pattern=r"^[^|\s]*$", description="of people who sign in elsewhere"
    )
    site_groups: dict[str, str] = Field(
        default_factory=dict,
        title="Site groups",
        description="principals by the name of SharePoint groups, which Graph has no members of",
    )
    organization_links: Principals = Field(
        default=frozenset(), title="Links for the organisation", description="grant these"
    )
    anonymous_links: Principals = Field(
        default=frozenset(), title="Links for anyone", description="grant these"
    )
    collection: str = Field(default="", title="Collection", description="what to file under")
    industry: str = Field(default="", title="Industry", description="industry of the documents")
    include: tuple[str, ...] = Field(default=(), title="Only these", description="such as *.pdf")
    exclude: tuple[str, ...] = Field(default=(), title="Not these", description="written alike")
    relist_hours: float = Field(default=24.0, ge=0, title="Hours until all is listed again")
    max_file_bytes: int = Field(default=250_000_000, ge=1)
    timeout_s: float = Field(default=60.0, gt=0, le=600)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        has_certificate = self.certificate is not None and self.key is not None
        if has_certificate == bool(self.client_secret and self.client_secret.get_secret_value()):
            raise ValueError("give either a client_secret, or certificate and key")
        if not (self.sites or self.users or self.drives):
            raise ValueError("give sites, users or drives")
        return self


class _Cursor(Frozen):
    """Where a listing is: how many drives are done, and the links to go on with in each."""

    whole: bool
    links: dict[str, str]
    n_drives: int = 0
    done: int = 0
    listed_at: datetime


class Graph:
    """Lists and reads drives; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = GraphConfig

    def __init__(self, config: GraphConfig, cloud: Cloud | None = None) -> None:
        self._config = config
        self._cloud = cloud or CLOUDS[config.cloud]
        secret = config.client_secret.get_secret_value() if config.client_secret else ""
        who = Application(config.tenant, config.client_id, secret, config.certificate, config.key)
        self._graph = GraphSession(self._cloud, who, config.timeout_s)
        self._selection = Selection(config.include, config.exclude)

    async def check(self) -> None:
        """Raise `ConnectorError` if drives, people or groups can't be read."""
        try:
            if not await self._drives():
                raise ConnectorError("The sites have no document library the application sees.")
            await self._graph.get("/users?$top=1&$select=id", "the people")
            await self._graph.get("/groups?$top=1&$select=id", "the groups")
        except RetryLater as error:
            raise ConnectorError("Microsoft Graph is busy; try again later.") from error

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Yield what changed in each drive, with a `Mark` for each of Graph's pages."""
        drives = sorted(await self._drives())
        cursor = self._position(since, drives)
        grants = Grants(
            await self._people(),
            self._config.site_groups,
            self._config.organization_links,
            self._config.anonymous_links,
        )
        for n, drive in enumerate(drives[cursor.n_drives :], cursor.n_drives):
            following: str | None = cursor.links[drive]
            while following:
                page = await self._graph.get(following, f"the changes of {drive}", _DELTA)
                latest = {str(one.get("id")): one for one in page.get("value") or ()}
                for one in latest.values():
                    async for event in self._look_at(drive, one, grants, cursor.whole):
                        is_item = isinstance(event, Item)
                        cursor = cursor.model_copy(update={"done": cursor.done + is_item})
                        yield event
                following = page.get("@odata.nextLink")
                link = following or page.get("@odata.deltaLink")
                if not link:
                    raise ConnectorError(f"Graph gave no link to go on in {drive}; try again.")
                update = {"links": {**cursor.links, drive: link}}
                cursor = cursor.model_copy(update={**update, "n_drives": n + (not following)})
                yield Mark(cursor=_stored(cursor), done=cursor.done)
        kind = Complete if cursor.whole else Mark
        last = cursor.model_copy(update={"whole": False, "n_drives": 0, "done": 0})
        yield kind(cursor=_stored(last), done=cursor.done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a file in pieces from its pre-authenticated address, which gets no token."""
        drive, slash, name = item.id.partition("/")
        if not slash:
            raise ConnectorError(f"{item.id!r} is not a file of these drives.")
        place = f"/drives/{quote(drive, safe='')}/items/{quote(name, safe='')}"
        found = await self._graph.get(place, item.title or item.id)
        url = found.get("@microsoft.graph.downloadUrl")
        if not isinstance(url, str) or _version(found) != item.version:
            raise ConnectorError(f"{item.title} changed while it was read; the next run reads it.")
        limits = Limits(max_bytes=self._config.max_file_bytes, timeout_s=self._config.timeout_s)
        client = Client(self._gate(url), limits, USER_AGENT)
        try:
            async with client.ask(url) as answer:
                if answer.status != 200:
                    raise ConnectorError(f"{item.title} can't be downloaded ({answer.status}).")
                async for piece in answer.pieces:
                    yield piece
        finally:
            await client.aclose()

    async def groups(self) -> AsyncIterator[Group]:
        """Yield Entra's groups with their direct members, people and groups."""
        people = await self._people()
        async for group in self._graph.pages(
            "/groups?$select=id,displayName&$top=999", "the groups"
        ):
            name = str(group["id"])
            members = set[str]()
            link = f"/groups/{quote(name, safe='')}/members?$select=id&$top=999"
            async for one in self._graph.pages(link, f"the members of {name}"):
                if one.get("@odata.type") == "#microsoft.graph.group":
                    members.add(f"group:{one['id']}")
                elif (principal := people.get(str(one.get("id")))) is not None:
                    members.add(principal)
            title = str(group.get("displayName") or "")
            yield Group(id=f"group:{name}", members=frozenset(members), title=title)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._graph.aclose()

    def _position(self, since: JsonValue, drives: list[str]) -> _Cursor:
        if since is None:
            links = {one: f"/drives/{quote(one, safe='')}/root/delta" for one in drives}
            return _Cursor(whole=True, links=links, listed_at=datetime.now(UTC))
        try:
            cursor = _Cursor.model_validate(since)
        except ValidationError as error:
            raise CursorExpired("The cursor is not one of Graph; list afresh.") from error
        if set(cursor.links) != set(drives):
            raise CursorExpired("There are other libraries now; everything is listed afresh.")
        age = datetime.now(UTC) - cursor.listed_at
        if not cursor.whole and age >= timedelta(hours=self._config.relist_hours):
            raise CursorExpired("All permissions are due to be read again.")
        return cursor

    async def _drives(self) -> set[str]:
        found = set(self._config.drives)
        for site in self._config.sites:
            host, _, path = site.removeprefix("https://").rstrip("/").partition("/")
            place = f"/sites/{quote(host)}" + (f":/{quote(path)}" if path else "")
            site_id = str((await self._graph.get(place, f"site {site}"))["id"])
            link = f"/sites/{quote(site_id, safe=',')}/drives?$select=id"
            async for one in self._graph.pages(link, f"the libraries of {site}"):
                found.add(str(one["id"]))
        for user in self._config.users:
            drive = await self._graph.get(
                f"/users/{quote(user)}/drive?$select=id", f"OneDrive of {user}"
            )
            found.add(str(drive["id"]))
        return found

    async def _people(self) -> dict[str, str]:
        """Return the principals of enabled accounts by their ids."""
        login, issuer, found = self._config.login, self._config.issuer, dict[str, str]()
        link = "/users?$select=id,mail,userPrincipalName,accountEnabled&$top=999"
        async for one in self._graph.pages(link, "the people"):
            name = one.get(login)
            if one.get("accountEnabled") is True and isinstance(name, str) and "|" not in name:
                found[str(one["id"])] = f"user:{issuer}|{name}" if issuer else f"user:{name}"
        return found

    async def _look_at(
        self, drive: str, one: dict[str, Any], grants: Grants, whole: bool
    ) -> AsyncIterator[Item | Gone | Failed]:
        item_id = f"{drive}/{one.get('id')}"
        if "folder" in one or "package" in one:
            if not whole and "root" not in one:
                raise CursorExpired("A folder changed; what lies in it is listed afresh.")
            return
        if "deleted" in one:
            if not whole:
                yield Gone(id=item_id)
            return
        above = unquote(str((one.get("parentReference") or {}).get("path", "")))
        path = "/".join(filter(None, [above.partition("root:")[2].strip("/"), one.get("name")]))
        hidden = any(is_clutter(part) for part in path.split("/"))
        if "file" not in one or hidden or not self._selection.takes(path):
            if not whole:
                yield Gone(id=item_id)
            return
        place = f"/drives/{quote(drive, safe='')}/items/{quote(str(one['id']), safe='')}"
        try:
            link, what = f"{place}/permissions", f"the permissions of {path}"
            permissions = [grant async for grant in self._graph.pages(link, what)]
        except Missing:
            return
        except (RetryLater, CursorExpired):
            raise
        except ConnectorError as error:
            permissions = []
            yield Failed(id=f"{item_id}:permissions", error=f"{error} Nobody may read {path}.")
        yield self._item(item_id, path, one, grants, permissions)

    def _item(
        self,
        item_id: str,
        path: str,
        one: dict[str, Any],
        grants: Grants,
        permissions: list[dict[str, Any]],
    ) -> Item:
        meta: dict[str, JsonValue] = {
            key: value
            for key in ("collection", "industry")
            if (value := getattr(self._config, key))
        }
        modified = one.get("lastModifiedDateTime")
        return Item(
            id=item_id,
            version=_version(one),
            uri=str(one.get("webUrl") or f"graph:{item_id}"),
            title=str(one["name"]),
            media_type=str(one["file"].get("mimeType") or "") or media_type(path),
            modified_at=datetime.fromisoformat(modified) if modified else None,
            access=grants.access(permissions),
            meta=meta,
        )

    def _gate(self, url: str) -> Gate:
        place = parse(url)
        if not any(f".{place.host}".endswith(end) for end in self._cloud.downloads):
            raise ConnectorError(f"A download leads to {place.host}, which is not Microsoft's.")
        here = frozenset({place.authority})
        if self._cloud.is_internal:
            return Gate(here, frozenset({place.host}), frozenset({urlsplit(url).scheme}))
        return Gate(here, schemes=frozenset({"https"}))


def _version(one: dict[str, Any]) -> str:
    return str(one.get("cTag") or one.get("eTag") or one.get("lastModifiedDateTime") or "unknown")


def _stored(cursor: _Cursor) -> JsonValue:
    found: JsonValue = cursor.model_dump(mode="json")
    return found
