"""An identity provider that pushes: the documented requests of Entra ID and Okta, over HTTP.

Entra ID: learn.microsoft.com, "Tutorial: Develop and plan provisioning for a SCIM endpoint".
Okta: developer.okta.com, "SCIM 2.0 protocol reference".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from assistant.access.key import give_key, service
from assistant.settings import Settings
from assistant.store.database import Database

Json = dict[str, Any]

MEDIA_TYPE = "application/scim+json"
ISSUER = "https://login.example.com/tenant"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def scim_key(database: Database, settings: Settings, name: str, company: str = "") -> str:
    """Return the key of a service that may only push."""
    with database.begin() as conn:
        owner, _ = service(conn, name, (), company)
        return give_key(conn, settings, owner, "", ("scim",), 1)[1]


@dataclass(frozen=True)
class Pusher:
    """Sends SCIM requests with a key."""

    client: httpx.Client

    def call(self, method: str, path: str, body: Json | None = None, **params: str) -> Json:
        """Send a request that must succeed; returns its body."""
        response = self.send(method, path, body, **params)
        assert response.is_success, response.text
        if response.content:
            assert response.headers["content-type"].startswith(MEDIA_TYPE)
        return dict(response.json()) if response.content else {}

    def send(
        self, method: str, path: str, body: Json | None = None, **params: str
    ) -> httpx.Response:
        """Send a request."""
        headers = {"Content-Type": MEDIA_TYPE}
        address = f"/scim/v2{path}"
        return self.client.request(method, address, json=body, params=params, headers=headers)

    def user(self, name: str, external_id: str = "", **more: Any) -> str:
        """Push a person; returns their id."""
        body = {
            "schemas": [USER],
            "userName": name,
            "externalId": external_id or f"id-{name}",
            "active": True,
            **more,
        }
        return str(self.call("POST", "/Users", body)["id"])

    def group(self, name: str, *members: str) -> str:
        """Push a group; returns its id."""
        held = [{"value": one} for one in members]
        body = {"schemas": [GROUP], "displayName": name, "members": held}
        return str(self.call("POST", "/Groups", body)["id"])

    def patch(self, path: str, *operations: Json) -> Json:
        """Change something."""
        return self.call("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    def members(self, group_id: str) -> set[str]:
        """Return the ids of a group's members."""
        return {one["value"] for one in self.call("GET", f"/Groups/{group_id}")["members"]}
