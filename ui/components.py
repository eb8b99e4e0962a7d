"""The pieces of a page that show an answer: sentences with their sources, and a source opened.

They are HTML made here, from text that went through `safety`. The answer's component puts it on
the page and reports which source was clicked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image, ImageDraw

from ui.model import Answer, Citation, Delta, Document, Near, Passage, Place, Sentence
from ui.safety import emphasised, label, marked, plain
from ui.text import Speech, mark

ASSETS = Path(__file__).parent / "assets"

_KINDS = {
    "application/pdf": "PDF",
    "text/csv": "CSV",
    "text/markdown": "Markdown",
    "text/plain": mark("Text"),
    "text/html": mark("Web page"),
    "message/rfc822": mark("E-mail"),
    "application/json": "JSON",
    "application/fhir+json": "FHIR",
    "application/xml": "XML",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
}

_answer = st.components.v2.component(
    "assistant.answer",
    html='<div class="assistant-answer"></div>',
    js=(ASSETS / "answer.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@cache
def icon() -> Image.Image:
    """Draw the page's icon; Streamlit's own icons would be fetched from the internet."""
    drawn = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(drawn).rounded_rectangle(
        (4, 4, 60, 60), 16, fill="#0f5f63", corners=(True, True, True, False)
    )
    return drawn


def styles() -> None:
    """Put the page's styles on the page."""
    st.html(f"<style>{(ASSETS / 'page.css').read_text(encoding='utf-8')}</style>")


def show_answer(key: str, body: str, opened: str, on_open: Callable[[str], None]) -> None:
    """Show an answer's HTML; `on_open` is told the name of the source that is clicked."""

    def clicked() -> None:
        state: Mapping[str, Any] = st.session_state.get(key, {})
        if name := state.get("open"):
            on_open(str(name))

    _answer(key=key, data={"html": body, "open": opened}, on_open_change=clicked)


def kind(say: Speech, media_type: str) -> str:
    """Name a media type as people do."""
    named = _KINDS.get(media_type)
    return say(named) if named else media_type.rpartition("/")[2].upper()[:12]


def question_html(question: str) -> str:
    """Return a question as the person wrote it."""
    return f'<div class="question">{plain(question)}</div>'


def answer_html(say: Speech, answer: Answer) -> str:
    """Return an answer with its sources, or what is closest where there is none."""
    if not answer.sentences:
        text = _paragraph(plain(answer.answer)) if answer.answer else ""
        return f'<div lang="{answer.lang}">{text}</div>{_closest(say, answer.closest)}'
    body = sentences_html(say, answer.sentences, answer.citations)
    return f'<div lang="{answer.lang}">{body}</div>{_sources(say, answer.citations)}'


def sentences_html(
    say: Speech, sentences: Sequence[Sentence | Delta], citations: Sequence[Citation]
) -> str:
    """Return sentences with a chip for each source; rows stand on lines of their own."""
    known = {citation.n: citation for citation in citations}
    lines: list[str] = []
    running: list[str] = []
    for sentence in sentences:
        chips = "".join(_chip(say, known[n]) for n in sentence.citations if n in known)
        shown = f'<span class="sentence">{emphasised(sentence.text)}{chips}</span>'
        if sentence.row:
            lines += [_paragraph(" ".join(running))] if running else []
            lines.append(f'<div class="row">{shown}</div>')
            running = []
        else:
            running.append(shown)
    return "".join([*lines, *([_paragraph(" ".join(running))] if running else [])])


def place_words(say: Speech, place: Place) -> str:
    """Say where a passage stands: kind, page, version, day."""
    words = [kind(say, place.media_type)] if place.media_type else []
    if place.page is not None:
        words.append(say("page {page}", page=place.page))
    if place.version > 1:
        words.append(say("version {version}", version=place.version))
    if place.modified_at is not None:
        words.append(say.day(place.modified_at))
    return " · ".join(words)


def warning_words(say: Speech, place: Place) -> str:
    """Say why a source should be read with care; empty if there is no reason."""
    if place.superseded:
        return say("superseded by a newer document")
    if place.outdated:
        return say("changed since this answer")
    return ""


def passage_html(say: Speech, document: Document, place: Citation | Near) -> str:
    """Return the cited passage with its quote highlighted, between its neighbours."""
    chunk_id = place.chunk_id
    at = next((i for i, p in enumerate(document.passages) if p.chunk_id == chunk_id), None)
    if at is None:
        note = say("This passage has changed since the answer. It was quoted like this:")
        quote = place.quote if isinstance(place, Citation) else place.text
        return (
            f'<p class="note">{plain(note)}</p><div class="passage"><mark>{plain(quote)}</mark>'
            "</div>"
        )
    cited = document.passages[at]
    before = document.passages[at - 1] if at else None
    after = document.passages[at + 1] if at + 1 < len(document.passages) else None
    return "".join(
        (
            _neighbour(before, "before"),
            _heading(cited),
            f'<div class="passage" lang="{escape(document.lang)}">{_marked(cited, place)}</div>',
            _neighbour(after, "after"),
        )
    )


def _marked(passage: Passage, place: Citation | Near) -> str:
    if not isinstance(place, Citation):
        return plain(passage.text)
    start, end = place.start, place.end
    if passage.text[start:end] != place.quote:
        start = passage.text.find(place.quote)
        end = start + len(place.quote)
    return marked(passage.text, start, end) if start >= 0 else plain(passage.text)


def _neighbour(passage: Passage | None, where: str) -> str:
    if passage is None:
        return ""
    return f'<div class="neighbour {where}">{plain(passage.text)}</div>'


def _heading(passage: Passage) -> str:
    if not passage.heading:
        return ""
    return f'<div class="heading">{plain(" › ".join(passage.heading))}</div>'


def _paragraph(body: str) -> str:
    return f"<p>{body}</p>"


def _chip(say: Speech, citation: Citation) -> str:
    title, where = plain(citation.document), plain(place_words(say, citation))
    warning = warning_words(say, citation)
    care = f'<span class="care">{plain(warning)}</span>' if warning else ""
    quote = plain(citation.quote if len(citation.quote) < 400 else citation.quote[:400] + "…")
    spoken = escape(say("Source {n}: {title}", n=citation.n, title=citation.document), quote=True)
    return (
        f'<button type="button" class="chip{" stale" if warning else ""}"'
        f' data-open="n{citation.n}" aria-label="{spoken}">{citation.n}'
        f'<span class="tip" aria-hidden="true"><b>{title}</b><i>{where}</i>{care}'
        f"<q>{quote}</q></span></button>"
    )


def _sources(say: Speech, citations: Sequence[Citation]) -> str:
    return _cards(
        say("Sources"),
        [_card(say, f"n{c.n}", str(c.n), c, "") for c in citations],
    )


def _closest(say: Speech, closest: Sequence[Near]) -> str:
    if not closest:
        return ""
    cards = [_card(say, f"c{i}", "", near, near.text) for i, near in enumerate(closest[:3])]
    return _cards(say("The closest passages you can read"), cards)


def _cards(title: str, cards: Sequence[str]) -> str:
    return (
        f'<div class="sources"><div class="over">{plain(title)}</div>'
        f'<div class="cards">{"".join(cards)}</div></div>'
    )


def _card(say: Speech, name: str, number: str, place: Place, excerpt: str) -> str:
    warning = warning_words(say, place)
    shown = f'<span class="excerpt">{plain(excerpt[:200])}</span>' if excerpt else ""
    badge = f'<span class="number">{number}</span>' if number else ""
    care = f'<span class="care">{plain(warning)}</span>' if warning else ""
    return (
        f'<button type="button" class="card{" stale" if warning else ""}" data-open="{name}">'
        f'{badge}<span class="facts"><span class="title">{plain(place.document)}</span>'
        f'<span class="where">{plain(place_words(say, place))}{care}</span>'
        f"{shown}</span></button>"
    )


def document_head_html(say: Speech, document: Document, place: Place) -> str:
    """Return a document's title with what one should know before trusting it."""
    warning = warning_words(say, place)
    care = f'<div class="care">{plain(warning)}</div>' if warning else ""
    words = [
        kind(say, document.media_type),
        say("version {version}", version=document.version),
    ]
    if document.modified_at is not None:
        words.append(say.day(document.modified_at))
    if place.page is not None:
        words.append(say("page {page}", page=place.page))
    return (
        f'<div class="document"><h2>{plain(document.title)}</h2>'
        f'<div class="where">{plain(" · ".join(words))}</div>{care}</div>'
    )


def line_html(name: str, words: Sequence[str]) -> str:
    """Return a short line of words."""
    return f'<div class="{name}">{plain(" · ".join(words))}</div>'


def line(name: str, words: Sequence[str]) -> None:
    """Show a short line of words in the style `name`."""
    if words:
        st.html(line_html(name, words))


def heading(words: str) -> None:
    """Show the page's heading."""
    st.html(f"<h1>{plain(words)}</h1>")


def question(words: str) -> None:
    """Show a question as the person wrote it."""
    st.html(question_html(words))


def text(body: str) -> None:
    """Show HTML made here outside an answer's component."""
    st.html(f'<div class="assistant-answer">{body}</div>')


def sentences(words: Sequence[str]) -> str:
    """Return sentences, perhaps with text of others, for a widget that reads Markdown."""
    return label(" ".join(words))


def struck(words: str, reason: str) -> None:
    """Show a withheld sentence with the reason."""
    shown = f"<s>{emphasised(words)}</s> " if words else ""
    st.html(f'<div class="withheld">{shown}<span class="quiet">{plain(reason)}</span></div>')
