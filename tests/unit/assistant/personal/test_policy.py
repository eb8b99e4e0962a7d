"""A collection's policy: which kinds it keeps, masks and refuses, and how masked text reads."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from assistant.personal.find import find
from assistant.personal.finding import KINDS, Kind
from assistant.personal.policy import Policy, policy_of
from tests.support.personal_data import VALUES, written


def test_a_collections_own_rules_come_before_those_of_all() -> None:
    table = {"hr": {"card": "refuse", "any": "mask"}, "*": {"cpf": "mask", "any": "keep"}}
    hr, other = policy_of(table, "hr"), policy_of(table, "sales")  # type: ignore[arg-type]
    assert (hr.outcome("card"), hr.outcome("phone")) == ("refuse", "mask")
    assert (other.outcome("cpf"), other.outcome("card")) == ("mask", "keep")
    assert policy_of({}, "hr").digest == "keep"
    assert hr.digest != other.digest != "keep"


def test_masked_text_reads_well() -> None:
    policy = Policy(dict.fromkeys(KINDS, "mask"))
    text = "Ana, CPF 529.982.247-25, e-mail ana@x.com, tel. (11) 98765-4321."
    assert policy.apply(text, "pt") == "Ana, CPF [CPF], e-mail [e-mail], tel. [telefone]."
    assert policy.apply(text, "en") == "Ana, CPF [CPF], e-mail [e-mail], tel. [phone]."


@given(
    kinds=st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    lang=st.sampled_from(["en", "pt"]),
)
def test_nothing_masked_is_left(kinds: list[Kind], seed: int, lang: str) -> None:
    random = Random(seed)
    examples = [written(kind, random) for kind in kinds]
    masked = Policy(dict.fromkeys(KINDS, "mask")).apply("\n\n".join(e.text for e in examples), lang)
    for example in examples:
        assert example.value not in masked
    assert find(masked) == []
