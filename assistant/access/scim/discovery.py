"""What the SCIM endpoint can do, as it tells clients (RFC 7643, sections 5 to 7)."""

from __future__ import annotations

from typing import Any

from assistant.access.scim.directory import MAX_RESULTS
from assistant.access.scim.resource import GROUP, USER
from assistant.settings import ScimSettings

Json = dict[str, Any]

_CORE = "urn:ietf:params:scim:schemas:core:2.0"


def configuration(base: str) -> Json:
    """Return the ServiceProviderConfig."""
    return {
        "schemas": [f"{_CORE}:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MAX_RESULTS},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": False},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "API key",
                "description": "A key with the scope `scim`, sent as a bearer token.",
                "primary": True,
            }
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base}/ServiceProviderConfig",
        },
    }


def resource_types(base: str) -> list[Json]:
    """Return the two kinds of resources."""
    return [
        {
            "schemas": [f"{_CORE}:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }
        for name, schema in (("User", USER), ("Group", GROUP))
    ]


def schemas(scim: ScimSettings, base: str) -> list[Json]:
    """Return the attributes of both kinds."""
    links = scim.subject == "externalId"
    user = [
        _attribute("userName", required=True, uniqueness="server"),
        _linking("externalId") if links else _attribute("externalId", exact=True),
        _attribute("displayName"),
        _attribute("name", parts=[_attribute(part) for part in _NAMES]),
        _attribute(
            "emails",
            many=True,
            parts=[_attribute("value"), _attribute("type"), _attribute("primary", "boolean")],
        ),
        _attribute("preferredLanguage"),
        _attribute("locale"),
        _attribute("active", "boolean"),
        _attribute("groups", many=True, mutability="readOnly", parts=_references(("Group",))),
    ]
    group = [
        _attribute("displayName", required=True, uniqueness="server"),
        _attribute("externalId", exact=True),
        _attribute("members", many=True, parts=_references(("User", "Group"))),
    ]
    return [
        _schema(base, USER, "User", "A person", user),
        _schema(base, GROUP, "Group", "A group", group),
    ]


_NAMES = (
    "formatted",
    "familyName",
    "givenName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
)


def _linking(name: str) -> Json:
    return _attribute(name, required=True, exact=True, mutability="immutable", uniqueness="server")


def _schema(base: str, urn: str, name: str, about: str, attributes: list[Json]) -> Json:
    return {
        "schemas": [f"{_CORE}:Schema"],
        "id": urn,
        "name": name,
        "description": about,
        "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{urn}"},
    }


def _attribute(
    name: str,
    kind: str = "string",
    *,
    required: bool = False,
    many: bool = False,
    exact: bool = False,
    mutability: str = "readWrite",
    uniqueness: str = "",
    parts: list[Json] | None = None,
) -> Json:
    shown: Json = {
        "name": name,
        "type": "complex" if parts else kind,
        "multiValued": many,
        "required": required,
        "caseExact": exact,
        "mutability": mutability,
        "returned": "default",
        "uniqueness": uniqueness or "none",
    }
    return {**shown, "subAttributes": parts} if parts else shown


def _references(kinds: tuple[str, ...]) -> list[Json]:
    return [
        _attribute("value", exact=True, mutability="immutable"),
        _attribute("display", mutability="readOnly"),
        {
            **_attribute("$ref", "reference", exact=True, mutability="immutable"),
            "referenceTypes": list(kinds),
        },
        {**_attribute("type", mutability="readOnly"), "canonicalValues": list(kinds)},
    ]
