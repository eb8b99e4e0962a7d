"""One question of the conversation with its answer, and what can be done with the answer."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ui import components, problems
from ui.client import ApiError, SignedOut
from ui.model import Answer, Withheld
from ui.session import Exchange, Visit
from ui.text import Speech, mark

REASONS = {
    "wrong": mark("The answer is wrong"),
    "wrong_source": mark("The source doesn't say this"),
    "out_of_date": mark("It is out of date"),
    "incomplete": mark("Something is missing"),
    "should_not_see": mark("I should not see this"),
}

VERDICTS = {
    "unsupported": mark("the cited passage doesn't say this"),
    "number_mismatch": mark("a number in it isn't in the cited passage"),
    "no_citation": mark("it named no source"),
    "not_permitted": mark("no longer available to you"),
}


def show(visit: Visit, say: Speech, number: int, one: Exchange) -> None:
    """Show a question with what became of it."""
    components.question(one.question)
    if one.problem is not None:
        st.error(problems.sentence(say, one.problem), icon=":material/error:")
    elif one.answer is None:
        _stopped(say, one)
    else:
        _answered(visit, say, number, one, one.answer)


def _stopped(say: Speech, one: Exchange) -> None:
    if one.sentences:
        components.text(components.sentences_html(say, one.sentences, one.citations))
    components.line("note", [say("Stopped. This answer was not kept; ask again to complete it.")])


def _answered(visit: Visit, say: Speech, number: int, one: Exchange, answer: Answer) -> None:
    if answer.standalone_question and answer.standalone_question != answer.question:
        components.line(
            "understood", [say("Understood as: {question}", question=answer.standalone_question)]
        )
    places = {f"n{c.n}": c for c in answer.citations}
    near = {f"c{i}": c for i, c in enumerate(answer.closest[:3])}
    key = f"answer-{answer.id or number}"

    def opened(name: str) -> None:
        place = places.get(name) or near.get(name)
        if place is not None:
            visit.clicked = (f"{key}/{name}", place)

    current = visit.opened.name if visit.opened is not None else ""
    open_here = current.rpartition("/")[2] if current.startswith(f"{key}/") else ""
    components.show_answer(key, components.answer_html(say, answer), open_here, opened)
    _withheld(say, answer.withheld)
    components.line("disagreement", disagreement(say, answer))
    components.line("verdict", _verdict(say, answer))
    _actions(visit, say, key, one, answer)


def disagreement(say: Speech, answer: Answer) -> list[str]:
    """Say which sources contradict each other, by their numbers and titles."""
    title_of = {citation.n: citation.document for citation in answer.citations}
    return [
        say(
            "The documents disagree on this; compare {sources}",
            sources=", ".join(f"[{n}] {title_of[n]}" for n in one.citations if n in title_of),
        )
        for one in answer.disagreements
    ]


def _verdict(say: Speech, answer: Answer) -> list[str]:
    """Say in words how well the answer is founded."""
    seconds = say("{seconds} s", seconds=say.seconds(answer.seconds))
    if answer.abstained:
        return [say("Not found in the documents you can read"), seconds]
    if not answer.sentences:
        return []
    document_of = {citation.n: citation.document_id for citation in answer.citations}
    supports = [{document_of.get(n) for n in s.citations} for s in answer.sentences]
    n_sources = len(set(document_of.values()))
    if (
        n_sources > 1
        and not answer.disagreements
        and all(len(documents) > 1 for documents in supports)
    ):
        sources = say.plural("{n} source agrees", "{n} sources agree", n_sources)
    else:
        sources = say.plural("{n} source", "{n} sources", n_sources)
    words = [say("Every sentence checked against its source"), sources, seconds]
    if any(citation.superseded for citation in answer.citations):
        words.insert(2, say("one is superseded"))
    return words


def _withheld(say: Speech, withheld: tuple[Withheld, ...]) -> None:
    """Show what was held back, struck, with the reason; and how much is no longer available."""
    n_gone = sum(one.verdict == "not_permitted" for one in withheld)
    if n_gone:
        components.line(
            "gone",
            [
                say.plural(
                    "{n} sentence is no longer available to you",
                    "{n} sentences are no longer available to you",
                    n_gone,
                )
            ],
        )
    failed = [one for one in withheld if one.verdict != "not_permitted"]
    if not failed:
        return
    title = say.plural("{n} sentence was withheld", "{n} sentences were withheld", len(failed))
    with st.expander(title, type="compact"):
        for one in failed:
            reason = VERDICTS.get(one.verdict)
            components.struck(one.text, say(reason) if reason else "")


def _actions(visit: Visit, say: Speech, key: str, one: Exchange, answer: Answer) -> None:
    if answer.id is None:
        return
    with st.container(horizontal=True, key=f"actions-{key}", gap="small"):
        st.button(
            "",
            icon=":material/thumb_up:",
            type="tertiary",
            key=f"good-{key}",
            help=say("Good answer"),
            disabled=one.judgement == "good",
            on_click=_judged(visit, one, answer, "good"),
        )
        with st.popover(
            "",
            icon=":material/thumb_down:",
            type="tertiary",
            key=f"bad-{key}",
            help=say("Something is wrong"),
        ):
            for reason, words in REASONS.items():
                st.button(
                    say(words),
                    key=f"{reason}-{key}",
                    width="stretch",
                    disabled=one.judgement == reason,
                    on_click=_judged(visit, one, answer, reason),
                )
        _receipt(visit, say, key, answer)
        if one.judgement:
            components.line("quiet", [say("Thank you, this is noted.")])


def _judged(visit: Visit, one: Exchange, answer: Answer, reason: str) -> Callable[[], None]:
    def clicked() -> None:
        visit.judged = (one, answer, reason)

    return clicked


def _receipt(visit: Visit, say: Speech, key: str, answer: Answer) -> None:
    if not answer.receipt:
        return

    def body() -> str:
        try:
            return visit.client.receipt(answer.receipt)
        except (SignedOut, ApiError) as error:
            return problems.sentence(say, error)

    with st.popover(
        say("Receipt"), icon=":material/receipt_long:", type="tertiary", key=f"receipt-{key}"
    ):
        components.line(
            "note",
            [say("The receipt proves later what was asked, read and answered.")],
        )
        st.code(answer.receipt, language=None)
        st.download_button(
            say("Download as JSON"),
            body,
            file_name=f"receipt-{answer.receipt}.json",
            mime="application/json",
            key=f"download-{key}",
            on_click="ignore",
            icon=":material/download:",
        )
