"""Reading the uniform layout."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from assistant.errors import InvalidRequest
from assistant.evaluation import datasets


def test_a_set_is_read_from_plain_and_compressed_files(small_set: Path) -> None:
    loaded = datasets.load(small_set)
    assert (loaded.name, loaded.lang) == ("small", "en")
    assert [document.id for document in loaded.documents] == [
        "bank#p0",
        "bank#p1",
        "policy",
        "devolucao",
    ]
    first, _, third, _ = loaded.documents
    assert (first.parent, first.page, first.industry) == ("bank.pdf", 1, "finance")
    assert (third.parent, third.page, third.acl_hint) == ("policy", None, "internal")
    assert [question.answerable for question in loaded.questions] == [True, True, False]
    plain = small_set / "corpus.jsonl"
    plain.write_bytes(gzip.decompress((small_set / "corpus.jsonl.gz").read_bytes()))
    (small_set / "corpus.jsonl.gz").unlink()
    assert datasets.load(small_set) == loaded


def test_gold_and_grades(small_set: Path) -> None:
    first, second, third = datasets.load(small_set).questions
    assert first.by_parent
    assert first.grades == {"bank.pdf": 1.0}
    assert not second.by_parent
    assert second.gold == {"policy"}
    assert second.grades == {"policy": 3.0, "bank#p1": 1.0}
    assert third.grades == {}


def test_translated_questions_keep_the_judgements_of_their_originals(small_set: Path) -> None:
    loaded = datasets.load(small_set, lang="pt")
    assert loaded.lang == "pt"
    (question,) = loaded.questions
    assert question.text.startswith("Quando")
    assert question.grades == {"policy": 3.0, "bank#p1": 1.0}


def test_a_language_without_a_translation_chooses_among_the_questions(small_set: Path) -> None:
    assert len(datasets.load(small_set, lang="en").questions) == 3
    (small_set / "queries_pt.jsonl").unlink()
    with pytest.raises(InvalidRequest, match="no questions in pt"):
        datasets.load(small_set, lang="pt")


def test_another_question_field_falls_back_to_the_question(small_set: Path) -> None:
    first, second, _ = datasets.load(small_set, question_field="question_scoped").questions
    assert first.text == "Bank: how much was net income in 2024?"
    assert second.text == "When are dormant accounts closed?"


def test_a_limit_spreads_over_the_questions(small_set: Path) -> None:
    rows = [
        {"qid": str(n), "question": f"number {n}?", "gold_doc_ids": ["policy"]} for n in range(100)
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    (small_set / "queries.jsonl").write_text(text)
    chosen = [int(question.id) for question in datasets.load(small_set, limit=4).questions]
    assert chosen == [0, 25, 50, 75]
    assert len(datasets.load(small_set, limit=1000).questions) == 100
    with pytest.raises(InvalidRequest, match="at least one"):
        datasets.load(small_set, limit=0)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("queries.jsonl", None, "no queries.jsonl"),
        ("queries.jsonl", b"", "no questions"),
        ("queries.jsonl", b"{not json", "queries.jsonl:1 is not JSON"),
        ("queries.jsonl", b'{"qid": "q"}', "no text `question`"),
        ("queries.jsonl", b"[1]", "not a JSON object"),
        ("corpus.jsonl.gz", None, "no corpus.jsonl"),
        ("corpus.jsonl.gz", b"\x1f\x8b broken", "damaged"),
        ("corpus.jsonl.gz", gzip.compress(b"", mtime=0), "no documents"),
        ("qrels.tsv", b"q2 policy 3", "qrels.tsv:1 is not"),
    ],
)
def test_a_broken_set_is_one_sentence(
    small_set: Path, file: str, content: bytes | None, message: str
) -> None:
    (small_set / file).unlink()
    if content is not None:
        (small_set / file).write_bytes(content)
    with pytest.raises(InvalidRequest, match=message):
        datasets.load(small_set)


def test_the_development_sets_are_read(shared_data: Path) -> None:
    filings = datasets.load(shared_data / "finance_sec10q")
    assert (len(filings.documents), len(filings.questions)) == (1035, 195)
    assert all(question.by_parent and question.gold for question in filings.questions)
    shop = datasets.load(shared_data / "retail_product_search", lang="pt")
    assert len(shop.questions) == 34
    assert any(set(question.grades.values()) >= {1.0, 3.0} for question in shop.questions)
    assert datasets.load(shared_data / "pt_qa", limit=20).lang == "pt"
