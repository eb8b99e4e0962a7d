"""What each role may do, and which roles exclude each other."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

from assistant.domain import Caller, Role
from assistant.errors import Forbidden, InvalidRequest

Permission = Literal[
    "own_session",
    "ask",
    "read_documents",
    "own_conversations",
    "see_receipts",
    "see_sources",
    "run_syncs",
    "manage_sources",
    "see_people",
    "manage_people",
    "examine_access",
    "approve_access",
    "see_operations",
    "see_life_cycle",
    "manage_holds",
    "erase",
    "read_audit",
    "export_audit",
    "scim",
]

PERMISSIONS: dict[Permission, frozenset[Role]] = {
    "own_session": frozenset(get_args(Role)),
    "ask": frozenset({"employee"}),
    "read_documents": frozenset({"employee"}),
    "own_conversations": frozenset({"employee"}),
    "see_receipts": frozenset({"employee", "auditor"}),
    "see_sources": frozenset({"integrator", "admin"}),
    "run_syncs": frozenset({"integrator", "admin"}),
    "manage_sources": frozenset({"integrator", "admin"}),
    "see_people": frozenset({"admin", "auditor"}),
    "manage_people": frozenset({"admin"}),
    "examine_access": frozenset({"admin"}),
    "approve_access": frozenset({"admin"}),
    "see_operations": frozenset({"integrator", "admin", "auditor"}),
    "see_life_cycle": frozenset({"admin", "auditor"}),
    "manage_holds": frozenset({"auditor"}),
    "erase": frozenset({"admin"}),
    "read_audit": frozenset({"auditor"}),
    "export_audit": frozenset({"auditor"}),
    "scim": frozenset(),
}
"""The roles that have each permission; one without roles is for keys of services alone."""

KEYS_ONLY = frozenset(permission for permission, roles in PERMISSIONS.items() if not roles)

EXCLUDING: tuple[frozenset[Role], ...] = (
    frozenset({"admin", "auditor"}),
    frozenset({"integrator", "auditor"}),
)


def require(caller: Caller, permission: Permission) -> None:
    """Raise `Forbidden` unless a role of the caller, and the scopes of their key, permit it."""
    by_key = permission in KEYS_ONLY and caller.scopes is not None
    if not by_key and not PERMISSIONS[permission] & caller.roles:
        raise Forbidden()
    if caller.scopes is not None and permission not in caller.scopes:
        raise Forbidden(f"The key that was sent has no scope {permission!r}; use another key.")


def check_roles(roles: Collection[str]) -> frozenset[Role]:
    """Return valid roles; raises `InvalidRequest` for unknown and for excluding ones."""
    known: frozenset[Role] = frozenset(role for role in get_args(Role) if role in roles)
    if unknown := set(roles) - known:
        raise InvalidRequest(f"There is no role {min(unknown)!r}; use {', '.join(get_args(Role))}.")
    for pair in EXCLUDING:
        if pair <= known:
            raise InvalidRequest(f"Nobody may be {' and '.join(sorted(pair))} at once.")
    return known
