from __future__ import annotations

from typing import Any

import pytest

from assistant.access.scim.filter import equalities, matches, parse
from assistant.access.scim.problem import ScimProblem

ANA: dict[str, Any] = {
    "id": "Ab",
    "userName": "ana@example.com",
    "externalId": "X1",
    "active": True,
    "name": {"familyName": "Souza"},
    "emails": [
        {"type": "work", "value": "ana@example.com"},
        {"type": "home", "value": "ana@home.example"},
    ],
    "members": [{"value": "m1"}, {"value": "M2"}],
}


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ANA@example.com"',
        'USERNAME Eq "ana@example.com"',
        'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ana"',
        'externalId eq "X1"',
        "active eq true",
        'active eq "True"',
        'name.familyName co "ouz"',
        'emails ew "home.example"',
        'emails.type eq "home"',
        'emails[type eq "work" and value co "@example.com"]',
        'members eq "m1" and id eq "Ab"',
        'members[value eq "M2"]',
        'not (userName eq "bo") and (active eq false or externalId pr)',
        'title ne "boss"',
        r'not(userName eq "a\"b")',
    ],
)
def test_it_matches(text: str) -> None:
    assert matches(parse(text), ANA)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "bo"',
        'externalId eq "x1"',
        'id eq "ab"',
        'members eq "m2"',
        "active eq false",
        'emails[type eq "home" and value co "@example.com"]',
        "title pr",
        'title eq ""',
        'userName eq "bo" or active eq false and id eq "Ab"',
        'active co "true"',
        "userName eq 1",
    ],
)
def test_it_does_not_match(text: str) -> None:
    assert not matches(parse(text), ANA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        "userName eq",
        'userName like "a"',
        "userName eq ana",
        'userName eq "a',
        'userName eq "a" and',
        'userName eq "a" "b"',
        '(userName eq "a"',
        'emails[type eq "work"',
        'not userName eq "a"',
        '"a" eq userName',
        r'userName eq "\u0000"',
        r'userName eq "\ud800"',
        "(" * 500,
        "x" * 3000,
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ScimProblem) as refused:
        parse(text)
    assert refused.value.scim_type == "invalidFilter"


def test_equalities_narrow_only_what_must_hold() -> None:
    both = parse('userName eq "a" and (externalId eq "b" or active eq true) and id ne "c"')
    assert equalities(both) == {"username": "a"}
    assert equalities(parse('userName eq "a" or id eq "b"')) == {}
    assert equalities(parse('members[value eq "m"]')) == {"members": "m"}
    assert equalities(parse('not (userName eq "a")')) == {}
