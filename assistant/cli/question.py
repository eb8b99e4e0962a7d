"""Asking and searching from the command line, without a running server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Annotated, Any

import typer

from assistant import wiring
from assistant.access.identity import caller_with_login
from assistant.answering.transcript import answer_json, disputed, passage_json
from assistant.cli.console import AsJson, Data, err, out, print_json, print_table, settings
from assistant.cli.models import embedder_progress
from assistant.domain import Answer, Delta, Done, Question, Status
from assistant.errors import AssistantError, InvalidRequest
from assistant.text.language import question_language
from indexes.model import MetadataFilter

As = Annotated[str, typer.Option("--as", help="Login of the person who asks.")]
Collections = Annotated[
    list[str] | None, typer.Option("--collection", help="Search only here; repeatable.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(ask)
    app.command()(search)


def ask(
    question: Annotated[str, typer.Argument(help="The question, in English or Portuguese.")],
    login: As,
    collection: Collections = None,
    lang: Annotated[str | None, typer.Option(help="Answer in `en` or `pt`.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question with verified citations, from what a person may read."""
    if lang not in {None, "en", "pt"}:
        raise InvalidRequest(f"There are no answers in {lang!r}; use `--lang en` or `--lang pt`.")
    if not question.strip():
        raise InvalidRequest("The question is empty; write what you want to know.")
    with wiring.assistant(settings(data), embedder_progress()) as assistant:
        with assistant.database.begin() as conn:
            caller = caller_with_login(conn, login)
        asked = Question(
            text=question,
            caller=caller,
            metadata=MetadataFilter(collections=frozenset(collection or ())),
            lang=lang,  # type: ignore[arg-type]
        )
        answer = asyncio.run(_answer(assistant, asked, quiet=as_json))
    if as_json:
        print_json(_answer_document(answer, question))
    else:
        _print_sources(answer)


async def _answer(assistant: wiring.Assistant, question: Question, *, quiet: bool) -> Answer:
    async with aclosing(assistant.answerer.answer(question)) as events:  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, Done):
                return event.answer
            if not quiet:
                _show(event)
    raise AssistantError("The answer ended without a result; ask again.")


def _show(event: object) -> None:
    if isinstance(event, Status) and event.step == "condensed":
        err.print(f"Understood as: {event.detail['question']}")
    if isinstance(event, Status) and event.step == "reading":
        err.print(f"{event.detail['found']} passages found, {event.detail['used']} read")
    if isinstance(event, Delta):
        markers = "".join(f"[{c.n}]" for c in event.sentence.citations)
        out.print(f"{event.sentence.text} {markers}", markup=False)


def _print_sources(answer: Answer) -> None:
    if answer.abstained:
        out.print(answer.text, markup=False)
        for passage in answer.closest:
            out.print(f"  closest: {passage.title} — {passage.uri}", markup=False)
    for one in answer.disagreements:
        out.print(disputed([c.n for c in one.citations], answer.lang), markup=False)
    for citation in answer.citations:
        passage = citation.passage
        page = f", page {passage.page}" if passage.page else ""
        line = f"  [{citation.n}] {passage.title} (v{passage.version}{page}) — {passage.uri}"
        out.print(line, markup=False, style="dim")
    out.print(f"  receipt {answer.receipt} · {answer.seconds:.2f} s", markup=False, style="dim")


def _answer_document(answer: Answer, question: str) -> dict[str, Any]:
    """Return the command's JSON: the API's answer, and what scripts read first."""
    body = answer_json(answer, question)
    citations = [
        {**citation, "document": citation["uri"], "title": citation["document"]}
        for citation in body["citations"]
    ]
    return {**body, "citations": citations}


def search(
    query: Annotated[str, typer.Argument(help="Words or a question.")],
    login: As,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Passages to show.")] = 10,
    collection: Collections = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the passages a person would be answered from."""
    with wiring.assistant(settings(data), embedder_progress()) as assistant:
        with assistant.database.begin() as conn:
            caller = caller_with_login(conn, login)
        found = assistant.retriever.retrieve(
            query,
            caller,
            k=k,
            lang=question_language(query),
            metadata=MetadataFilter(collections=frozenset(collection or ())),
        )
    if as_json:
        print_json({"hits": [passage_json(p) for p in found.passages]})
        return
    rows = [
        (p.n, f"{p.score:.3f}", p.title, p.page, " ".join(p.text.split())[:90])
        for p in found.passages
    ]
    print_table(f"{found.n_found} passages", ("", "score", "document", "page", "text"), rows)
