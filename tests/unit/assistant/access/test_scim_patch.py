from __future__ import annotations

from typing import Any

import pytest

from assistant.access.scim.patch import Operation, patched
from assistant.access.scim.problem import ScimProblem
from assistant.access.scim.resource import KEPT, Group, User, read

Json = dict[str, Any]

ANA: Json = {
    "userName": "ana",
    "active": True,
    "name": {"givenName": "Ana"},
    "emails": [{"type": "work", "value": "a@w"}, {"type": "home", "value": "a@h"}],
}
TEAM: Json = {"displayName": "Team", "members": [{"value": "a"}, {"value": "b"}]}


def user(*operations: Operation) -> Json:
    return patched(ANA, operations, KEPT[User])


def members(*operations: Operation) -> list[str]:
    changed = read(Group, patched(TEAM, operations, KEPT[Group]))
    return [one.value for one in changed.members]


def test_the_resource_given_stays_as_it_is() -> None:
    user(Operation("replace", "name.givenName", "Bea"), Operation("remove", "emails"))
    assert ANA["name"] == {"givenName": "Ana"}
    assert len(ANA["emails"]) == 2


@pytest.mark.parametrize(
    ("operation", "path", "value", "expected"),
    [
        ("add", "displayName", "Ana S.", {"displayName": "Ana S."}),
        ("replace", "DISPLAYNAME", "Ana S.", {"displayName": "Ana S."}),
        ("replace", "name.familyName", "S", {"name": {"givenName": "Ana", "familyName": "S"}}),
        ("replace", "name", {"familyName": "S"}, {"name": {"givenName": "Ana", "familyName": "S"}}),
        ("remove", "name.givenName", None, {"name": {}}),
        ("remove", "emails", None, {"emails": None}),
        ("remove", 'emails[type eq "home"]', None, {"emails": ANA["emails"][:1]}),
        (
            "add",
            'emails[type eq "other"].value',
            "a@o",
            {"emails": [*ANA["emails"], {"type": "other", "value": "a@o"}]},
        ),
        ("replace", "", {"name.givenName": "B", "active": False}, {"name": {"givenName": "B"}}),
        ("replace", "urn:x:User:department", "X", {}),
        ("replace", "", {"urn:x:User": {"department": "X"}, "id": "x"}, {}),
        ("add", "name.nickname", "X", {}),
    ],
)
def test_people_change(operation: Any, path: str, value: Any, expected: Json) -> None:
    changed = user(Operation(operation, path, value))
    for name, wanted in expected.items():
        assert changed.get(name) == wanted
    assert changed.keys() <= KEPT[User].keys()
    if not expected:
        assert changed == ANA


@pytest.mark.parametrize(
    ("operation", "path", "value", "expected"),
    [
        ("add", "members", [{"value": "b"}, {"value": "c"}], ["a", "b", "c"]),
        ("add", "members", {"value": "c"}, ["a", "b", "c"]),
        ("add", "", {"members": [{"value": "c"}]}, ["a", "b", "c"]),
        ("replace", "members", [{"value": "c"}], ["c"]),
        ("replace", "", {"members": []}, []),
        ("remove", "members", None, []),
        ("remove", "members", [], ["a", "b"]),
        ("remove", "members", [{"value": "a", "$ref": None}], ["b"]),
        ("remove", "members", {"value": "a"}, ["b"]),
        ("remove", 'members[value eq "b"]', None, ["a"]),
        ("remove", 'members[value eq "z"]', None, ["a", "b"]),
        ("remove", 'members[value eq "a" or value eq "b"]', None, []),
    ],
)
def test_members_change(operation: Any, path: str, value: Any, expected: list[str]) -> None:
    assert members(Operation(operation, path, value)) == expected


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (Operation("replace", "", "x"), "invalidValue"),
        (Operation("replace", "emails[", "x"), "invalidPath"),
        (Operation("replace", "]", "x"), "invalidPath"),
        (Operation("replace", "displayName.value", "x"), None),
        (Operation("replace", 'name[type eq "x"]', {}), "invalidPath"),
        (Operation("replace", 'emails[type eq "work"]', "x"), "invalidValue"),
        (Operation("replace", 'emails[value eq "none"].type', "x"), "noTarget"),
        (Operation("replace", 'emails[type co "none"].value', "x"), "noTarget"),
        (Operation("replace", 'emails[type eq work"].value', "x"), "invalidFilter"),
    ],
)
def test_what_makes_no_sense_is_refused(operation: Operation, kind: str | None) -> None:
    if kind is None:
        assert user(operation) == ANA
        return
    with pytest.raises(ScimProblem) as refused:
        user(operation)
    assert refused.value.scim_type == kind
