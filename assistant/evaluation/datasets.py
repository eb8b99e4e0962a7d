"""Evaluation sets: a folder with a corpus and questions whose answers are known.

`corpus.jsonl` has a document a line (`doc_id`, `title`, `text`, optionally `lang`, `parent_id`,
`page`, `industry`, `acl_hint`), `queries.jsonl` a question a line (`qid`, `question`, `answers`,
`gold_doc_ids`, optionally `lang`, `answerable`, `gold_level`, `acl_hints`), `queries_pt.jsonl`
the same questions in Portuguese (`translated_from` names the original) and `qrels.tsv` graded
judgements (`qid`, `doc_id`, `grade`). Each may be compressed (`.jsonl.gz`).
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from assistant.domain import Lang
from assistant.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Document:
    """A document or page of a corpus; `page` counts from 1, `parent` is the file it belongs to."""

    id: str
    title: str
    text: str
    lang: Lang
    parent: str
    page: int | None = None
    industry: str = ""
    acl_hint: str = ""


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question with what a good system finds.

    `grades` holds the relevant documents (or parents, if `by_parent`) with their gain, `gold`
    those that answer it. `acl_hints` are the kinds of document the asker may read; None is all.
    """

    id: str
    text: str
    lang: Lang
    answers: tuple[str, ...]
    gold: frozenset[str]
    grades: Mapping[str, float]
    answerable: bool = True
    by_parent: bool = False
    acl_hints: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """An evaluation set in one language of questions."""

    name: str
    lang: str
    documents: tuple[Document, ...]
    questions: tuple[GoldenQuestion, ...] = field(default=())


Row = dict[str, Any]


def load(
    folder: Path,
    *,
    lang: str | None = None,
    limit: int | None = None,
    question_field: str = "question",
    needs_questions: bool = True,
) -> Dataset:
    """Read a set; `lang` picks the questions' language, `limit` spreads a sample over them.

    Questions without the `question_field` fall back to `question`. Raises `InvalidRequest` if
    the folder has no corpus or, where it `needs_questions`, no such questions, or a line of it
    can't be read.
    """
    documents = tuple(_document(row) for row in _rows(folder, "corpus"))
    grades = _grades(folder / "qrels.tsv")
    questions: Sequence[GoldenQuestion] = [
        _question(row, question_field, grades) for row in _question_rows(folder, lang)
    ]
    if lang is not None:
        questions = [question for question in questions if question.lang == lang]
    if not documents or (needs_questions and not questions):
        raise InvalidRequest(
            f"{folder} has no {'documents' if not documents else f'questions in {lang}'}: "
            "choose another set or language."
        )
    if limit is not None:
        questions = spread(questions, limit)
    spoken = Counter(question.lang for question in questions).most_common(1)
    return Dataset(
        folder.resolve().name, spoken[0][0] if spoken else "", documents, tuple(questions)
    )


def spread(questions: Sequence[GoldenQuestion], limit: int) -> Sequence[GoldenQuestion]:
    """Return at most `limit` questions at equal distances, since sets are sorted by origin."""
    if limit < 1:
        raise InvalidRequest("The limit is less than one question: ask for at least one.")
    step = max(len(questions) / limit, 1.0)
    return [questions[int(i * step)] for i in range(min(limit, len(questions)))]


def _question_rows(folder: Path, lang: str | None) -> Iterator[Row]:
    """Return the translated questions where the set has them in the wanted language."""
    if lang is not None and _existing(folder, f"queries_{lang}") is not None:
        return _rows(folder, f"queries_{lang}")
    return _rows(folder, "queries")


def _existing(folder: Path, name: str) -> Path | None:
    candidates = (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz")
    return next((path for path in candidates if path.is_file()), None)


def _rows(folder: Path, name: str) -> Iterator[Row]:
    path = _existing(folder, name)
    if path is None:
        raise InvalidRequest(
            f"{folder} has no {name}.jsonl or {name}.jsonl.gz: name a folder with a corpus and "
            "queries."
        )
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _row(line, f"{path}:{number}")
    except (gzip.BadGzipFile, EOFError) as error:
        raise InvalidRequest(f"{path} is damaged ({error}): get it again.") from error


def _row(line: bytes, place: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InvalidRequest(f"{place} is not JSON ({error}): correct the line.") from error
    if not isinstance(row, dict):
        raise InvalidRequest(f"{place} is not a JSON object: correct the line.")
    return row


def _required(row: Row, name: str) -> str:
    if not isinstance(row.get(name), str):
        raise InvalidRequest(f"A line has no text `{name}`: {json.dumps(row)[:120]}")
    return cast(str, row[name])


def _lang(value: object) -> Lang:
    return "pt" if str(value).lower().startswith("pt") else "en"


def _document(row: Row) -> Document:
    identity = _required(row, "doc_id")
    page = row.get("page")
    return Document(
        id=identity,
        title=row.get("title") or "",
        text=_required(row, "text"),
        lang=_lang(row.get("lang", "en")),
        parent=row.get("parent_id") or identity,
        page=page + 1 if isinstance(page, int) else None,
        industry=row.get("industry") or "",
        acl_hint=row.get("acl_hint") or "",
    )


def _question(
    row: Row, question_field: str, grades: Mapping[str, Mapping[str, float]]
) -> GoldenQuestion:
    identity = _required(row, "qid")
    gold = frozenset(row.get("gold_doc_ids") or ())
    judged = grades.get(identity) or grades.get(row.get("translated_from", ""))
    hints = row.get("acl_hints")
    return GoldenQuestion(
        id=identity,
        text=row.get(question_field) or _required(row, "question"),
        lang=_lang(row.get("lang", "en")),
        answers=tuple(row.get("answers") or ()),
        gold=gold,
        grades=judged or dict.fromkeys(gold, 1.0),
        answerable=bool(row.get("answerable", True)),
        by_parent=row.get("gold_level") == "parent",
        acl_hints=None if hints is None else frozenset(hints),
    )


def _grades(path: Path) -> dict[str, dict[str, float]]:
    """Read graded judgements; those of grade 0 are left out."""
    grades: dict[str, dict[str, float]] = {}
    if not path.is_file():
        return grades
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        columns = line.split("\t")
        if number == 1 and columns[-1] == "grade":
            continue
        if len(columns) != 3 or not columns[2].lstrip("-").isdigit():
            raise InvalidRequest(f"{path}:{number} is not `qid`, `doc_id`, `grade`: correct it.")
        if int(columns[2]) > 0:
            grades.setdefault(columns[0], {})[columns[1]] = float(columns[2])
    return grades
