"""The golden questions of the sample companies, asked as people of those companies."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.domain import Answer, Citation
from assistant.errors import InvalidRequest

Ask = Callable[[str, str], Answer]
"""Answers a question as the person with a login."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage that answers: its document's path, and strings that all occur in it."""

    document: str
    contains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question of somebody at a company; `gold` of a forbidden one must never be seen."""

    qid: str
    question: str
    lang: str
    asker: str
    company: str
    kind: str
    answers: tuple[str, ...]
    gold: tuple[Evidence, ...]
    answerable: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question went; `leaked` counts citations of what the asker may not read."""

    question: GoldenQuestion
    abstained: bool
    cited_first: bool
    cited: bool
    contained: bool
    verified: bool
    leaked: int
    seconds: float
    answer: str


@dataclass(frozen=True, slots=True)
class GoldenFigures:
    """Shares over the questions they apply to, from 0 to 1; `leaks` and `n_…` are counts."""

    n_questions: int
    n_answerable: int
    cited_first: float
    cited: float
    containment: float
    abstained_unanswerable: float
    false_abstention: float
    citation_valid: float
    leaks: int
    seconds_median: float


def load(folder: Path) -> list[GoldenQuestion]:
    """Read every `*.jsonl` of a folder; raises `InvalidRequest` naming a line that is wrong."""
    questions = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                gold = tuple(Evidence(g["document"], tuple(g["contains"])) for g in row["gold"])
                questions.append(
                    GoldenQuestion(
                        **{k: row[k] for k in ("qid", "question", "lang", "asker", "company")},
                        kind=row["kind"],
                        answers=tuple(row["answers"]),
                        gold=gold,
                        answerable=row["answerable"],
                    )
                )
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidRequest(f"{path}:{number} is no golden question: {error!r}") from error
    if not questions:
        raise InvalidRequest(f"{folder} holds no golden questions (*.jsonl); name another folder.")
    return questions


def judge(question: GoldenQuestion, answer: Answer) -> Outcome:
    """Compare an answer with what the question's gold says."""
    hits = [_is_gold(citation, question) for citation in answer.citations]
    text = " ".join((answer.text, *(c.quote for c in answer.citations)))
    return Outcome(
        question=question,
        abstained=answer.abstained,
        cited_first=bool(hits) and hits[0],
        cited=any(hits),
        contained=any(_flat(wanted) in _flat(text) for wanted in question.answers),
        verified=all(
            c.verdict == "verified" and c.passage.text[c.start : c.end] == c.quote
            for c in answer.citations
        ),
        leaked=_leaks(question, answer),
        seconds=answer.seconds,
        answer=answer.text,
    )


def figures(outcomes: Sequence[Outcome]) -> GoldenFigures:
    """Sum up; unanswerable and forbidden questions should be abstained from."""
    answerable = [o for o in outcomes if o.question.answerable]
    others = [o for o in outcomes if not o.question.answerable]
    shown = [o for o in outcomes if not o.abstained]
    return GoldenFigures(
        n_questions=len(outcomes),
        n_answerable=len(answerable),
        cited_first=_share([o.cited_first for o in answerable]),
        cited=_share([o.cited for o in answerable]),
        containment=_share([o.contained for o in answerable]),
        abstained_unanswerable=_share([o.abstained for o in others]),
        false_abstention=_share([o.abstained for o in answerable]),
        citation_valid=_share([o.verified for o in shown]),
        leaks=sum(o.leaked for o in outcomes),
        seconds_median=sorted(o.seconds for o in outcomes)[len(outcomes) // 2],
    )


def _is_gold(citation: Citation, question: GoldenQuestion) -> bool:
    passage = citation.passage
    within = _flat(" ".join((*passage.heading, passage.text)))
    return passage.collection == question.company and any(
        passage.uri == evidence.document and all(_flat(c) in within for c in evidence.contains)
        for evidence in question.gold
    )


def _leaks(question: GoldenQuestion, answer: Answer) -> int:
    """Count passages of other companies, and of the gold of a question forbidden to its asker."""
    seen = [*(c.passage for c in answer.citations), *answer.closest]
    secret = {e.document for e in question.gold} if question.kind == "forbidden" else set()
    return sum(passage.collection != question.company or passage.uri in secret for passage in seen)


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _flat(text: str) -> str:
    return " ".join(text.split()).casefold()
