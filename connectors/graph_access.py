"""Who may read a file of SharePoint or OneDrive, from its permissions in Microsoft Graph.

https://learn.microsoft.com/graph/api/resources/permission: grants to users, groups and site
groups, and sharing links. Inherited permissions are listed with the file like its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Access

_READING = frozenset({"read", "write", "owner"})
_NO_END = "0001-01-01"
_GROUP_CLAIM = re.compile(
    r"c:0[a-z.%]*\.?c?\|[a-z]+\|(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?P<owners>_o)?"
)
"""How SharePoint names an Entra group among its users; `_o` means its owners only."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What grants mean here; `people` are principals by Entra's id of each enabled account."""

    people: Mapping[str, str]
    site_groups: Mapping[str, str] = field(default_factory=dict)
    organization_links: frozenset[str] = frozenset()
    anonymous_links: frozenset[str] = frozenset()

    def access(self, permissions: Iterable[Mapping[str, Any]]) -> Access:
        """Return who may read; what isn't known grants nothing."""
        allow = set[str]()
        for one in permissions:
            if not _READING & set(one.get("roles") or ()) or one.get("hasPassword"):
                continue
            if not _is_over(one.get("expirationDateTime")):
                allow |= self._granted(one)
        return Access(allow=frozenset(allow))

    def _granted(self, one: Mapping[str, Any]) -> set[str]:
        link = one.get("link")
        if link is None:
            return self._principals(one.get("grantedToV2") or one.get("grantedTo") or {})
        scope = link.get("scope", "users")
        if scope == "organization":
            return set(self.organization_links)
        if scope == "anonymous":
            return set(self.anonymous_links)
        if scope != "users":
            return set()
        named = one.get("grantedToIdentitiesV2") or one.get("grantedToIdentities") or ()
        return {principal for who in named for principal in self._principals(who)}

    def _principals(self, who: Mapping[str, Any]) -> set[str]:
        user = str((who.get("user") or {}).get("id", ""))
        group = str((who.get("group") or {}).get("id", ""))
        site_group = str((who.get("siteGroup") or {}).get("displayName", ""))
        claim = _GROUP_CLAIM.fullmatch(str((who.get("siteUser") or {}).get("loginName", "")))
        found = {self.people.get(user), self.site_groups.get(site_group)}
        if group:
            found.add(f"group:{group}")
        elif claim and not claim["owners"]:
            found.add(f"group:{claim['id']}")
        return {principal for principal in found if principal}


def _is_over(until: object) -> bool:
    if not isinstance(until, str) or until.startswith(_NO_END):
        return False
    try:
        return datetime.fromisoformat(until) <= datetime.now(UTC)
    except (ValueError, TypeError):
        return True
