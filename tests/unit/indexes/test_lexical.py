"""BM25 in two languages, and questions that try to be more than words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from indexes.lexical import Lexical
from indexes.model import AccessFilter, MetadataFilter, SearchIndexError
from indexes.scribe import Text
from indexes.selection import Selection

TEXTS = {
    1: ("en", "The regulations apply to every supplier of Itaú Steel since 2019."),
    2: ("pt", "As regulamentações aplicáveis à Itaú Steel mudaram em 2021."),
    3: ("en", "Suppliers deliver pumps; the pump model is XR-2200/B."),
    4: ("", "Bomba XR-2200/B: a manutenção é anual."),
    5: ("pt-BR", "O que é isso? A informação é do não."),
}


def admitting(cells: set[int], metadata: MetadataFilter | None = None) -> Selection:
    admitted = np.isin(np.arange(10), list(cells))
    mask, nobody = np.ones(10, np.bool_), AccessFilter(frozenset())
    return Selection(nobody, metadata or MetadataFilter(), mask, 10, admitted=admitted)


EVERYTHING = admitting({1, 2})


@pytest.fixture
def lexical() -> Lexical:
    index = Lexical()
    index.add(Text(n, 1, 0, lang, text) for n, (lang, text) in TEXTS.items())
    index.commit()
    return index


def found(index: Lexical, text: str, lang: str = "") -> set[int]:
    return set(index.search(text, lang, EVERYTHING, 10).serials.tolist())


def test_words_meet_in_every_inflection_of_their_language(lexical: Lexical) -> None:
    assert found(lexical, "regulation of a supplier", "en") == {1, 3}
    assert found(lexical, "regulamentação aplicável", "pt") == {2}
    assert found(lexical, "pumps", "en") == {3}


def test_accents_and_case_may_be_left_out(lexical: Lexical) -> None:
    assert found(lexical, "ITAU", "pt") == {1, 2}
    assert found(lexical, "INFORMACOES", "pt") == {5}
    assert found(lexical, "regulamentacao aplicavel", "pt") == {2}


def test_composed_and_decomposed_accents_are_the_same(lexical: Lexical) -> None:
    assert found(lexical, "informac\u0327a\u0303o", "pt") == {5}


def test_names_and_numbers_cross_languages(lexical: Lexical) -> None:
    assert found(lexical, "What did Itaú Steel change in 2021?", "en") == {1, 2}
    assert found(lexical, "Qual é o modelo XR-2200/B?", "pt") == {3, 4}


def test_stop_words_count_only_when_nothing_else_is_asked(lexical: Lexical) -> None:
    assert found(lexical, "O que é a bomba?", "pt") == {4}
    assert found(lexical, "O que é isso?", "pt") == {4, 5}
    assert found(lexical, "what is the pump", "") == {3}


def test_rarer_words_weigh_more(lexical: Lexical) -> None:
    first = lexical.search("steel 2021", "en", EVERYTHING, 10).serials[0]
    assert first == 2


def test_the_words_of_a_question_are_counted_once_and_without_stop_words(lexical: Lexical) -> None:
    matches = lexical.search("Which pump, and what pump of Antarctica?", "en", EVERYTHING, 10)
    assert [len(word.texts) for word in matches.words] == [1, 2]


@pytest.mark.parametrize(
    "question",
    [
        'say "pump" to me',
        '"pump',
        "text:pump",
        "serial:[0 TO 9] pump",
        "pump AND NOT pump",
        "-pump +nothing",
        "(pump OR",
        "pump^1000000",
        "pump~9 \\",
        "{pump} /pump/ <pump>",
        "pump\x00\ud800\U0001f600",
        "pump " + "antidisestablishmentarianism" * 50,
        "pump " + " ".join(f"w{i}" for i in range(3000)),
    ],
)
def test_a_question_is_only_words(lexical: Lexical, question: str) -> None:
    assert found(lexical, question, "en") == {3}


@pytest.mark.parametrize(
    "question", ["", " ", "*", '"', "(", "???", "\x00", "NOT", "AND OR", "/.*/"]
)
def test_a_question_without_known_words_finds_nothing(lexical: Lexical, question: str) -> None:
    assert found(lexical, question, "en") == set()


def test_only_admitted_cells_and_days_are_found() -> None:
    index = Lexical()
    index.add(Text(n, cell=n % 3, day=n, lang="en", text="pump") for n in range(1, 10))
    index.commit()
    two = admitting({2})
    days = MetadataFilter(since=date.fromordinal(4), until=date.fromordinal(7))
    early = admitting({1, 2}, days)
    assert set(index.search("pump", "en", two, 10).serials.tolist()) == {2, 5, 8}
    assert set(index.search("pump", "en", early, 10).serials.tolist()) == {4, 5, 7}


def test_what_is_pending_takes_nobodys_place(lexical: Lexical) -> None:
    lexical.add(Text(n, 1, 0, "en", "pump") for n in range(6, 9))
    lexical.commit()
    best = lexical.search("pump", "en", EVERYTHING, 2).serials.tolist()
    lexical.delete(best[:1])
    lexical.move(best[1:], [7])
    assert not lexical.must_commit
    found = lexical.search("pump", "en", EVERYTHING, 2).serials.tolist()
    assert found[:2] == best
    assert len(found) == 4
    assert set(lexical.search("pump", "en", admitting({7}), 3).serials.tolist()) == {best[1]}


def test_moves_and_deletes_before_and_after_a_commit(lexical: Lexical) -> None:
    lexical.add([Text(6, 1, 0, "en", "a third pump")])
    lexical.move([3, 6], [2, 2])
    lexical.move([4], [7])
    lexical.delete([4])
    lexical.commit()
    moved = admitting({2})
    gone = admitting({7})
    assert set(lexical.search("pump", "en", moved, 10).serials.tolist()) == {3, 6}
    assert lexical.search("bomba", "pt", gone, 10).serials.tolist() == []
    lexical.delete([3])
    lexical.commit()
    assert set(lexical.search("pump", "en", moved, 10).serials.tolist()) == {6}
    assert len(lexical) == 4


def test_a_folder_starts_empty_and_is_used_by_one(tmp_path: Path) -> None:
    first = Lexical(tmp_path / "words")
    first.add([Text(1, 1, 0, "en", "pump")])
    first.commit()
    assert found(first, "pump") == {1}
    with pytest.raises(SearchIndexError, match="Stop the process that uses it"):
        Lexical(tmp_path / "words")
    first.close()
    assert found(Lexical(tmp_path / "words"), "pump") == set()


def manuals() -> Lexical:
    """Two devices with the same sections, the first in two languages."""
    lexical = Lexical()
    texts = [
        Text(
            1, 1, 0, "en", "Kestrel 40 manual 3T22\nReplace the filter.", "Kestrel 40 manual 3T22"
        ),
        Text(2, 1, 0, "pt", "Kestrel 40 › Filtro\nTroque o filtro.", "Kestrel 40 › Filtro"),
        Text(3, 1, 0, "en", "Heron 7 manual 2022\nReplace the filter.", "Heron 7 manual 2022"),
        Text(4, 1, 0, "en", "Notes\nA filter fits the pump, and the pump fits.", "Notes"),
    ]
    lexical.add(texts)
    lexical.commit()
    return lexical


def shares(lexical: Lexical, text: str, serials: list[int]) -> tuple[list[float], list[float]]:
    words = lexical.search(text, "en", EVERYTHING, 10).words
    coverage, named = lexical.shares(text, words, np.array(serials))
    return coverage.tolist(), named.tolist()


def test_a_chunk_covers_what_it_holds_of_the_question() -> None:
    coverage, _ = shares(manuals(), "Replace the filter, please replace the filter", [4, 3, 2, 1])
    assert coverage[1] == coverage[3] == pytest.approx(1)
    assert 0 < coverage[0] < 0.5 > coverage[2]


def test_unknown_words_are_covered_by_none() -> None:
    coverage, _ = shares(manuals(), "filter zeppelin", [1, 2, 3, 4])
    assert 0 < max(coverage) < 0.5


def test_a_name_counts_in_titles_of_every_language() -> None:
    _, named = shares(manuals(), "Which filter has the Kestrel?", [1, 2, 3, 4])
    assert named[0] == named[1] > 0
    assert named[2] == named[3] == 0


def test_what_texts_speak_of_is_no_name() -> None:
    assert shares(manuals(), "Which pump?", [1, 2, 3, 4])[1] == [0, 0, 0, 0]


def test_periods_meet_however_they_are_written() -> None:
    _, named = shares(manuals(), "results of the third quarter of 2022", [1, 2, 3, 4])
    assert named[0] > named[2] > named[1] == named[3] == 0


def test_a_moved_chunk_keeps_its_title() -> None:
    lexical = manuals()
    lexical.move([1], [2])
    lexical.commit()
    _, named = shares(lexical, "Kestrel in Q3 2022", [1, 2, 3, 4])
    assert named[0] > named[1] > 0 < named[2]
    assert named[3] == 0


def test_of_no_chunk_nothing_is_told() -> None:
    assert shares(manuals(), "filter", []) == ([], [])
    assert shares(Lexical(), "filter", [1]) == ([0], [0])
