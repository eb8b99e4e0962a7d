from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.access.acl import may_read
from assistant.access.principals import EVERYONE, own_group, principals_sha256, qualify
from assistant.domain import Principal
from assistant.store.acls import Acl

NAMES = [EVERYONE, *(Principal(f"group:s:{c}") for c in "abc"), Principal("user:local|ana")]
names = st.frozensets(st.sampled_from(NAMES))


@given(names, names, names, names)
def test_a_decision_is_what_the_rules_say(
    allow: frozenset[Principal],
    deny: frozenset[Principal],
    all_of: frozenset[Principal],
    held: frozenset[Principal],
) -> None:
    decision = may_read(Acl(allow, deny, all_of), held)
    named = any(name in allow for name in held)
    refused = any(name in deny for name in held)
    lacking = any(name not in held for name in all_of)
    assert decision.allowed == (named and not refused and not lacking)
    assert decision.rule


@given(names, names, names)
def test_more_denies_never_allow_more(
    allow: frozenset[Principal], deny: frozenset[Principal], held: frozenset[Principal]
) -> None:
    for name in NAMES:
        if may_read(Acl(allow, deny | {name}), held).allowed:
            assert may_read(Acl(allow, deny), held).allowed


def test_rules_name_the_entry_that_decided() -> None:
    ana, a, b = NAMES[4], NAMES[1], NAMES[2]
    assert may_read(Acl(frozenset({a})), frozenset({a, ana})).rule == "allow group:s:a"
    assert may_read(Acl(frozenset({a}), frozenset({ana})), frozenset({a, ana})).rule == (
        "deny user:local|ana"
    )
    lacking = Acl(frozenset({a}), all_of=frozenset({b}))
    assert may_read(lacking, frozenset({a})).rule == "missing group:s:b"
    assert may_read(Acl(frozenset()), frozenset(NAMES)).rule == "nobody"


def test_what_is_not_understood_allows_nobody_and_denies_everybody() -> None:
    odd = qualify("bank", "S-1-5-21-7")
    assert not may_read(Acl(frozenset({odd})), frozenset(NAMES)).allowed
    assert not may_read(Acl(frozenset({EVERYONE}), frozenset({odd})), frozenset(NAMES)).allowed


def test_principals_are_qualified_by_their_source() -> None:
    assert qualify("bank", "group:finance") == "group:bank:finance"
    assert qualify("bank", "group://people/hr") == "group:people:hr"
    assert qualify("bank", "group://people/cn=a/b,dc=x:y") == "group:people:cn=a/b,dc=x:y"
    assert own_group("bank", "group://people/hr") == "group:bank://people/hr"
    assert qualify("bank", "user:ana") == "user:local|ana"
    assert qualify("bank", "user:https://idp.example|17") == "user:https://idp.example|17"
    assert qualify("bank", "everyone") == "everyone"
    for odd in ("", "group:", "user:", "Everyone", "finance"):
        assert qualify("bank", odd).startswith("unknown:")


@given(st.lists(st.sampled_from(NAMES)))
def test_a_set_of_principals_has_one_name(held: list[Principal]) -> None:
    assert principals_sha256(set(held)) == principals_sha256(sorted(set(held), reverse=True))
    assert principals_sha256({*held, Principal("group:s:z")}) != principals_sha256(set(held))
