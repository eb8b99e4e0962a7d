"""Which of several alike passages stay."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.retrieval.diversity import Found, distinct

POLICY = (
    "Purchases may be returned within 30 days of delivery. The customer keeps the receipt and "
    "the original packaging, and the branch pays back the full price to the card that was used "
    "for the purchase. Items that were opened are checked by the workshop before the refund is "
    "released to the customer, and the branch keeps a signed form of every return in its files."
)


def texts(*passages: Found) -> list[str]:
    return [passages[i].text for i in distinct(passages)]


def test_a_text_with_small_changes_is_found_once() -> None:
    changed = POLICY.replace("keeps a signed form", "keeps signed form")
    assert distinct([Found(POLICY, 1), Found("The canteen opens at noon.", 2), Found(changed, 3)])
    assert texts(Found(POLICY, 1), Found(changed, 2)) == [POLICY]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("30 days", "15 days"),
        ("30 days", "thirty days"),
        ("may be returned", "may not be returned"),
        ("the workshop", "the Recife workshop"),
        ("the workshop", "the laboratory"),
        ("the full price", "the full price in May"),
        ("The customer keeps", "The customer in Lisbon keeps"),
    ],
)
def test_another_figure_name_date_or_word_is_no_duplicate(old: str, new: str) -> None:
    changed = POLICY.replace(old, new)
    assert changed != POLICY
    assert texts(Found(POLICY, 1), Found(changed, 2)) == [POLICY, changed]


def test_rows_whose_figures_changed_places_both_stay() -> None:
    rows = [f"account {n} of the branch pays {n} percent a year" for n in range(2, 30)]
    one = "\n".join(rows)
    other = "\n".join([*rows[:5], rows[6], rows[5], *rows[7:]])
    assert texts(Found(one, 1), Found(other, 2)) == [one, other]


def test_the_current_document_stays_at_the_place_of_the_best() -> None:
    old, new = Found(POLICY, "old", superseded=True), Found(POLICY + " ", "new")
    assert distinct([old, Found("Something else.", 3), new]) == [2, 1]


def test_of_current_documents_the_newest_stays() -> None:
    days = (date(2024, 1, 1), date(2026, 1, 1), date(2025, 1, 1), None)
    assert distinct([Found(POLICY, n, newest=day) for n, day in enumerate(days)]) == [1]


def test_a_successor_may_be_worded_otherwise_but_not_with_other_figures() -> None:
    reworded = POLICY.replace("the workshop", "the laboratory")
    old = Found(POLICY, "v1", superseded=True, successor="v2")
    assert distinct([old, Found(reworded, "v2")]) == [1]
    assert distinct([old, Found(reworded.replace("30", "15"), "v2")]) == [0, 1]


def test_chunks_of_one_document_stay_unless_one_holds_the_other() -> None:
    start, rest = POLICY[:220], POLICY[150:]
    assert distinct([Found(start, 1), Found(rest, 1)]) == [0, 1]
    assert distinct([Found(start, 1), Found("Else.", 2), Found(POLICY, 1)]) == [2, 1]


SOME = st.builds(
    Found,
    text=st.lists(st.sampled_from(POLICY.split()[:12]), max_size=14).map(" ".join),
    document=st.integers(0, 3),
    superseded=st.booleans(),
    newest=st.none() | st.dates(),
)


@given(st.lists(SOME, max_size=20))
def test_what_stays_is_distinct_and_stays_again(found: list[Found]) -> None:
    kept = distinct(found)
    stayed = [found[i] for i in kept]
    assert len({passage.text for passage in stayed}) == len(stayed) == len(set(kept))
    assert distinct(stayed) == list(range(len(stayed)))
    assert bool(kept) == bool(found)


@given(st.lists(SOME, max_size=20))
def test_a_text_only_goes_for_the_same_document_or_one_as_current(found: list[Found]) -> None:
    kept = [found[i] for i in distinct(found)]
    for passage in found:
        same = [k for k in kept if k.text == passage.text]
        assert all(passage.superseded or not k.superseded for k in same)


@given(st.lists(SOME, max_size=12, unique_by=lambda f: f.document))
def test_figures_keep_passages_apart(found: list[Found]) -> None:
    apart = [Found(f"{p.text} {n}", p.document, p.superseded) for n, p in enumerate(found)]
    assert distinct(apart) == list(range(len(apart)))
