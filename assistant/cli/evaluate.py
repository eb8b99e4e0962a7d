"""Measuring quality on sets of questions with known answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant import wiring
from assistant.access.identity import caller_with_login
from assistant.answering.answer import answer_from
from assistant.answering.verify import similarity_of
from assistant.cli.console import AsJson, Data, err, out, print_json, print_table, settings
from assistant.cli.models import embedder_progress
from assistant.domain import Answer, Done, Lang, Passage, Question
from assistant.errors import AssistantError, InvalidRequest
from assistant.evaluation import datasets, golden, personal, report
from assistant.evaluation.corpus import RERANKED, SYSTEMS, System
from assistant.evaluation.run import AnswerFunction, evaluate
from assistant.personal.finding import Kind
from assistant.retrieval.rerank import Reranking
from assistant.settings import Settings

ANSWERS = "answers"
PERSONAL_DATA = "personal-data"
ATTACKS = "attacks"

app = typer.Typer(help="Measure quality on questions with known answers.", no_args_is_help=True)


@app.callback()
def about() -> None:
    """Measure quality on questions with known answers."""


@app.command()
def run(
    folders: Annotated[list[Path], typer.Argument(help="Folders with corpus and queries.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only N questions a set.")] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(help="bm25, dense, hybrid, reranked, answers, personal-data, attacks."),
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Questions in this language.")] = None,
    question_field: Annotated[
        str, typer.Option(help="Which field holds the question.")
    ] = "question",
    mixed: Annotated[bool, typer.Option("--mixed", help="One index of all sets.")] = False,
    n_answers: Annotated[
        int, typer.Option("--answers", min=0, help="Answer at most N questions a set.")
    ] = 100,
    generator: Annotated[
        str, typer.Option(help="Who answers attacks: obedient (follows all orders) or quotes.")
    ] = "obedient",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate sets, or the golden questions of synced companies, and print the figures."""
    if system and PERSONAL_DATA in system:
        _run_personal(folders, as_json)
        return
    chosen = settings(data)
    _check(folders)
    if system and ATTACKS in system:
        _run_attacks(chosen, folders, generator, as_json)
        return
    if len(folders) == 1 and not list(folders[0].glob("corpus.jsonl*")):
        _run_golden(chosen, folders[0], limit, as_json)
        return
    sets = _loaded(folders, lang, limit, question_field, needs_questions=not mixed)
    if not any(dataset.questions for dataset in sets):
        raise InvalidRequest(f"None of the folders has questions in {lang}; choose another one.")
    reranker = wiring.reranker(chosen)
    systems, answering = _systems(system, has_reranker=reranker is not None)
    embedder = wiring.embedder(chosen, embedder_progress())
    with report.progress_bars() as progress:
        found = evaluate(
            sets,
            embedder,
            chosen.data_dir / "eval-cache",
            systems=systems,
            answer=_answers(chosen) if answering and n_answers else None,
            reranking=Reranking(reranker, chosen.retrieval.n_reranked) if reranker else None,
            n_passages=chosen.retrieval.n_passages,
            n_answers=n_answers,
            mixed=mixed,
            progress=progress,
        )
    if as_json:
        print_json(report.all_as_json(found, mixed=mixed))
        return
    for table in report.tables(found):
        out.print(table)


def _loaded(
    folders: list[Path],
    lang: str | None,
    limit: int | None,
    question_field: str,
    *,
    needs_questions: bool,
) -> list[datasets.Dataset]:
    return [
        datasets.load(
            folder,
            lang=lang,
            limit=limit,
            question_field=question_field,
            needs_questions=needs_questions,
        )
        for folder in folders
    ]


def _check(folders: list[Path]) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise InvalidRequest(f"There is no folder {folder}; check the path.")


def _run_personal(paths: list[Path], as_json: bool) -> None:
    """Say how well personal data is found in files with labelled spans."""
    found = {path.name: personal.evaluate(path) for path in paths}
    if as_json:
        print_json({name: _tallies(tallies) for name, tallies in found.items()})
        return
    for name, tallies in found.items():
        rows = [(kind, *figures.values()) for kind, figures in _tallies(tallies).items()]
        print_table(name, ("kind", "spans", "findings", "recall", "precision"), rows)


def _run_attacks(chosen: Settings, folders: list[Path], writer: str, as_json: bool) -> None:
    """Say what hostile documents, questions, names, URLs and files brought about; 1 if anything."""
    if writer not in ("obedient", "quotes"):
        raise InvalidRequest(f"There is no generator {writer!r}; use obedient or quotes.")
    from assistant.cli import attacks  # the API, which is attacked, takes a second to import

    found = attacks.attack(chosen, folders, "quotes" if writer == "quotes" else "obedient")
    if as_json:
        bodies = {name: outcome.as_json() for name, outcome in found.items()}
        print_json(bodies if len(bodies) > 1 else next(iter(bodies.values())))
    else:
        for name, outcome in found.items():
            rows = [(kind, n["run"], n["violated"]) for kind, n in outcome.by_kind.items()]
            print_table(name, ("kind", "run", "violated"), rows)
            for check, n in outcome.not_run.items():
                err.print(f"not run: {n} × {check}", markup=False)
            for one in outcome.examples:
                err.print(f"✗ {one['id']} {one['invariant']}: {one['what']}", markup=False)
    if any(outcome.violations.total() for outcome in found.values()):
        raise typer.Exit(1)


def _tallies(tallies: Mapping[Kind, personal.Tally]) -> dict[str, dict[str, Any]]:
    return {
        kind: {
            "spans": tally.n_spans,
            "findings": tally.n_right + tally.n_wrong,
            "recall": None if tally.recall is None else round(tally.recall, 4),
            "precision": None if tally.precision is None else round(tally.precision, 4),
        }
        for kind, tally in tallies.items()
    }


def _systems(names: list[str] | None, *, has_reranker: bool) -> tuple[tuple[System, ...], bool]:
    every = (*SYSTEMS, RERANKED)
    usable = every if has_reranker else SYSTEMS
    wanted = set(names or (*usable, ANSWERS))
    if unknown := wanted - {*every, ANSWERS}:
        raise InvalidRequest(
            f"There is no system {min(unknown)!r}; use {', '.join((*every, ANSWERS))}."
        )
    if RERANKED in wanted and not has_reranker:
        raise InvalidRequest("There is no reranker to evaluate: set `models.reranker`.")
    return tuple(s for s in every if s in wanted), ANSWERS in wanted


def _answers(chosen: Settings) -> AnswerFunction:
    embedder = wiring.embedder(chosen)
    generator = wiring.generator(chosen, embedder)
    similarity = similarity_of(embedder)

    def answer(question: str, lang: Lang, passages: tuple[Passage, ...]) -> Answer:
        return asyncio.run(answer_from(passages, question, lang, generator, similarity))

    return answer


def _run_golden(chosen: Settings, folder: Path, limit: int | None, as_json: bool) -> None:
    questions = golden.load(folder)[:limit]
    with wiring.assistant(chosen, embedder_progress()) as assistant:
        outcomes = [
            golden.judge(question, asyncio.run(_ask(assistant, question))) for question in questions
        ]
    found = golden.figures(outcomes)
    if as_json:
        print_json({"figures": asdict(found), "questions": [_outcome(o) for o in outcomes]})
        return
    for outcome in outcomes:
        _explain(outcome)
    print_table("Golden questions", ("figure", "value"), list(_rounded(asdict(found)).items()))


async def _ask(assistant: wiring.Assistant, question: golden.GoldenQuestion) -> Answer:
    with assistant.database.begin() as conn:
        caller = caller_with_login(conn, question.asker)
    asked = Question(question.question, caller)
    async with aclosing(assistant.answerer.answer(asked)) as events:  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, Done):
                return event.answer
    raise AssistantError("The answer ended without a result; ask again.")


def _explain(outcome: golden.Outcome) -> None:
    """Name a question that did not go as it should."""
    question = outcome.question
    wrong = outcome.leaked or not outcome.verified
    wrong = wrong or (not outcome.cited_first if question.answerable else not outcome.abstained)
    if wrong:
        err.print(
            f"✗ {question.qid} ({question.kind}): {question.question}\n    {outcome.answer[:200]}",
            markup=False,
        )


def _outcome(outcome: golden.Outcome) -> dict[str, Any]:
    body = asdict(outcome)
    return {"qid": outcome.question.qid, "kind": outcome.question.kind, **body}


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}
