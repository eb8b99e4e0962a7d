from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from assistant.access.roles import KEYS_ONLY, PERMISSIONS, Permission, check_roles, require
from assistant.domain import Caller, Role
from assistant.errors import Forbidden, InvalidRequest


def caller(*roles: Role) -> Caller:
    return Caller("p", "P", frozenset(roles), frozenset())


def test_every_permission_has_roles() -> None:
    assert set(PERMISSIONS) == set(get_args(Permission))
    assert {name for name, roles in PERMISSIONS.items() if not roles} == KEYS_ONLY == {"scim"}


def test_nobody_without_the_role_passes() -> None:
    for permission, allowed in PERMISSIONS.items():
        for role in get_args(Role):
            if role in allowed:
                require(caller(role), permission)
            else:
                with pytest.raises(Forbidden):
                    require(caller(role), permission)
        with pytest.raises(Forbidden):
            require(caller(), permission)


def test_no_role_has_what_is_for_keys_alone() -> None:
    everything = caller(*get_args(Role))
    keyed = replace(caller(), scopes=frozenset({"scim"}))
    require(keyed, "scim")
    for one in (everything, replace(everything, scopes=frozenset({"ask"}))):
        with pytest.raises(Forbidden):
            require(one, "scim")
    with pytest.raises(Forbidden):
        require(keyed, "ask")


def test_admins_read_no_chats_and_auditors_change_nothing() -> None:
    changing = {"run_syncs", "manage_sources", "manage_people"}
    for permission, allowed in PERMISSIONS.items():
        if permission in changing:
            assert "auditor" not in allowed
        if permission in {"ask", "read_documents", "own_conversations"}:
            assert allowed == {"employee"}


@pytest.mark.parametrize("roles", [["admin", "auditor"], ["employee", "auditor", "integrator"]])
def test_excluding_roles_are_refused(roles: list[str]) -> None:
    with pytest.raises(InvalidRequest, match="at once"):
        check_roles(roles)


def test_roles_must_exist() -> None:
    with pytest.raises(InvalidRequest, match="'boss'"):
        check_roles(["employee", "boss"])
    assert check_roles(["employee", "admin", "integrator"]) == {"employee", "admin", "integrator"}
