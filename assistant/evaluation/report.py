"""An evaluation for people (a table), for programs (JSON) and for pages (Markdown)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from pydantic import JsonValue
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from assistant.evaluation.corpus import Progress
from assistant.evaluation.run import Answers, Evaluation

COLUMNS = ("set", "questions", "system", "nDCG@10", "R@10", "MRR@10")
ANSWER_ROWS = (
    ("containment", "gold answer contained"),
    ("citation_valid", "citations valid"),
    ("citation_precision", "citations of gold documents"),
    ("abstained_unanswerable", "unanswerable: abstained"),
    ("false_abstention", "answerable: abstained"),
    ("leaks", "leaks"),
)


def as_json(evaluation: Evaluation) -> dict[str, JsonValue]:
    """Return the figures of one set, rounded to four places; `answers` is null if not asked."""
    return {
        "set": evaluation.name,
        "lang": evaluation.lang,
        "n_docs": evaluation.n_docs,
        "n_chunks": evaluation.n_chunks,
        "n_queries": evaluation.n_queries,
        "seconds": evaluation.seconds,
        "systems": {
            system: {
                "ndcg@10": round(ranking.ndcg, 4),
                "recall@10": round(ranking.recall, 4),
                "mrr@10": round(ranking.reciprocal_rank, 4),
            }
            for system, ranking in evaluation.systems.items()
        },
        "answers": None if evaluation.answers is None else _answers(evaluation.answers),
    }


def _answers(answers: Answers) -> dict[str, JsonValue]:
    return {
        name: None if value is None else round(value, 4) for name, value in asdict(answers).items()
    }


def all_as_json(evaluations: Sequence[Evaluation], *, mixed: bool) -> dict[str, JsonValue]:
    """Return one document: a single set's figures, or `{"mixed", "sets"}` for several."""
    if len(evaluations) == 1:
        return as_json(evaluations[0])
    return {"mixed": mixed, "sets": [as_json(evaluation) for evaluation in evaluations]}


def tables(evaluations: Sequence[Evaluation]) -> list[Table]:
    """Return a table of the rankings and one of the answers, where there are any."""
    ranking = Table(*COLUMNS[:3])
    for column in COLUMNS[3:]:
        ranking.add_column(column, justify="right")
    for evaluation in evaluations:
        for row in _ranking_rows(evaluation):
            ranking.add_row(*row)
        ranking.add_section()
    shown = [ranking] if ranking.row_count else []
    answered = [evaluation for evaluation in evaluations if evaluation.answers]
    if answered:
        answers = Table("answers")
        for evaluation in answered:
            answers.add_column(f"{evaluation.name} ({evaluation.lang})", justify="right")
        for name, label in ANSWER_ROWS:
            answers.add_row(label, *(_figure(getattr(e.answers, name)) for e in answered))
        shown.append(answers)
    return shown


def as_markdown(evaluations: Sequence[Evaluation]) -> str:
    """Return the rankings as a Markdown table, and one of the answers if there are any."""
    lines = [_line(COLUMNS), _line(["---"] * 3 + ["--:"] * 3)]
    lines += [_line(row) for evaluation in evaluations for row in _ranking_rows(evaluation)]
    answered = [evaluation for evaluation in evaluations if evaluation.answers]
    if answered:
        names = [f"{evaluation.name} ({evaluation.lang})" for evaluation in answered]
        lines += ["", _line(["answers", *names]), _line(["---"] + ["--:"] * len(names))]
        for name, label in ANSWER_ROWS:
            lines.append(_line([label, *(_figure(getattr(e.answers, name)) for e in answered)]))
    return "\n".join(lines) + "\n"


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Show an evaluation's progress on stderr, a bar for each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bars:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        yield show


def _ranking_rows(evaluation: Evaluation) -> Iterator[list[str]]:
    for system, ranking in evaluation.systems.items():
        figures = (ranking.ndcg, ranking.recall, ranking.reciprocal_rank)
        questions = f"{evaluation.n_queries} {evaluation.lang}"
        yield [evaluation.name, questions, system, *map(_figure, figures)]


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
