"""The text and annotations of a completion."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.transcript import is_row, joined
from assistant.api.completion import Text
from assistant.domain import (
    Answer,
    ChunkId,
    Citation,
    Disagreement,
    DocumentId,
    Passage,
    Sentence,
)


def citation(n: int, kind: str) -> Citation:
    passage = Passage(
        n, ChunkId(n), DocumentId(f"d{n}"), 1, f"Title {n}", f"u/{n}", "x", "", 1.0, "en", kind
    )
    return Citation(n, passage, "x", 0, 1)


SENTENCES = st.lists(
    st.builds(
        lambda text, numbers, kind: Sentence(text, tuple(citation(n, kind) for n in numbers)),
        st.text(min_size=1, max_size=30),
        st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True),
        st.sampled_from(["paragraph", "table", "list"]),
    ),
    max_size=6,
)


@given(SENTENCES)
def test_the_pieces_make_up_the_answers_text_and_annotations_span_its_markers(
    sentences: list[Sentence],
) -> None:
    text = Text()
    pieces = [text.add(sentence) for sentence in sentences]
    written = [
        {"text": s.text, "citations": [c.n for c in s.citations], "row": is_row(s)}
        for s in sentences
    ]
    assert "".join(pieces) == text.content
    assert text.content.split() == joined(written, [], "en").split()
    numbers = [c.n for s in sentences for c in s.citations]
    assert len(text.annotations) == len(numbers)
    for n, annotation in zip(numbers, text.annotations, strict=True):
        place = annotation["url_citation"]
        assert text.content[place["start_index"] : place["end_index"]] == f"[{n}]"
        assert place["title"] == f"Title {n}"


def test_an_abstention_stands_alone() -> None:
    text = Text()
    nothing = Answer("Nothing was found.", "en", abstained=True)
    assert text.close(nothing) == text.content == "Nothing was found."


def test_documents_that_disagree_are_said_and_marked() -> None:
    text = Text()
    sentence = Sentence("Thirty days.", (citation(1, "paragraph"),))
    text.add(sentence)
    disputed = Disagreement((citation(1, "paragraph"), citation(2, "paragraph")))
    answer = Answer("", "en", abstained=False, sentences=(sentence,), disagreements=(disputed,))
    assert text.close(answer) == "\nThe documents disagree on this; compare [1][2]."
    assert len(text.annotations) == 3
