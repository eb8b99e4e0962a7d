"""Asking: the box, questions to begin with, and the answer as it arrives."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import components
from ui.client import ApiError, SignedOut
from ui.model import Citation, Delta, Done, Event, Status
from ui.safety import label
from ui.session import Exchange, Visit
from ui.text import Speech
from ui.views import filters

MAX_QUESTION = 4000


def box(visit: Visit, say: Speech) -> str:
    """Show the box for a question with the filters below; returns a question to answer now."""
    with st.bottom, st.container(key="ask"):
        typed = st.chat_input(
            say("Ask about your documents"),
            key="question",
            max_chars=MAX_QUESTION,
            submit_mode="stop",
        )
        with st.container(horizontal=True, vertical_alignment="center", key="below"):
            filters.show(visit, say)
            components.line(
                "hint", [say("Every sentence is checked against its source before you see it.")]
            )
    asked, visit.asked = visit.asked, ""
    return (typed or asked).strip()


def welcome(visit: Visit, say: Speech) -> None:
    """Greet the person and offer questions that their documents answer."""
    first = visit.me.person.name.split()[0] if visit.me.person.name else ""
    components.heading(say("Hello, {name}. What would you like to know?", name=first))
    if not visit.me.readable.n_documents:
        components.line(
            "note",
            [say("No document is shared with you yet. Ask your administrator for access.")],
        )
        return
    with st.container(key="suggestions"):
        for number, question in enumerate(visit.me.suggestions):
            st.button(
                label(question),
                key=f"suggestion-{number}",
                icon=":material/subdirectory_arrow_right:",
                width="stretch",
                on_click=_ask(visit, question),
            )


def answer(visit: Visit, say: Speech, question: str) -> None:
    """Ask and show what arrives; when it is complete, the page is run again."""
    one = Exchange(question)
    visit.exchanges.append(one)
    components.question(question)
    progress = Progress(say, visit.me.readable.n_documents, one, st.empty(), st.empty())
    with st.container(key="stopping"):
        st.button(say("Stop"), icon=":material/stop_circle:", type="tertiary", key="stop")
    try:
        with closing(visit.client.ask(question, visit.conversation_id, visit.filters)) as events:
            for event in events:
                if isinstance(event, Done):
                    visit.answered(one, event.answer)
                else:
                    progress.show(event)
    except SignedOut:
        raise
    except ApiError as error:
        one.problem = error
    # The run that follows draws the answer elsewhere; what was written here would stay beside it.
    progress.status.empty()
    progress.body.empty()
    st.rerun()


@dataclass(slots=True)
class Progress:
    """What is shown of an answer that is being written."""

    say: Speech
    n_documents: int
    exchange: Exchange
    status: DeltaGenerator
    body: DeltaGenerator
    steps: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def show(self, event: Event | None) -> None:
        """Show one event; None shows only that time passes."""
        match event:
            case Status():
                self._step(event)
            case Citation():
                self.exchange.citations.append(event)
            case Delta():
                self.exchange.sentences.append(event)
                written = components.sentences_html(
                    self.say, self.exchange.sentences, self.exchange.citations
                )
                self.body.html(f'<div class="assistant-answer">{written}</div>')
        passed = self.say.seconds(time.monotonic() - self.started)
        words = [*self.steps, self.say("{seconds} s", seconds=passed)]
        self.status.html(components.line_html("progress", words))

    def _step(self, status: Status) -> None:
        say = self.say
        match status.step:
            case "condensed":
                question = str(status.detail.get("question", ""))
                self.steps = [say("Understood as: {question}", question=question)]
            case "searching":
                self.steps.append(
                    say.plural(
                        "Searching the {n} document you can read",
                        "Searching the {n} documents you can read",
                        self.n_documents,
                    )
                )
            case "reading":
                found, used = (int(status.detail.get(name, 0)) for name in ("found", "used"))
                self.steps.append(say.plural("{n} passage", "{n} passages", found))
                self.steps.append(say("{used} used", used=used))


def _ask(visit: Visit, question: str) -> Callable[[], None]:
    def clicked() -> None:
        visit.asked = question

    return clicked
