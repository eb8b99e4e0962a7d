"""What `assistant ask` shows after the sentences."""

from __future__ import annotations

import pytest

from assistant.cli.question import _print_sources
from assistant.domain import (
    Answer,
    ChunkId,
    Citation,
    Disagreement,
    DocumentId,
    Passage,
    Sentence,
)


def citation(n: int) -> Citation:
    document = DocumentId(f"d{n}")
    passage = Passage(n, ChunkId(n), document, 1, f"Title {n}", f"u/{n}", "x", "", 1.0, "pt", "")
    return Citation(n, passage, "x", 0, 1)


def test_documents_that_disagree_are_said_before_their_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said, other = citation(1), citation(2)
    answer = Answer(
        "",
        "pt",
        abstained=False,
        sentences=(Sentence("Trinta dias.", (said,)),),
        disagreements=(Disagreement((said, other)),),
    )
    _print_sources(answer)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Os documentos não concordam sobre isto; compare [1][2]."
    assert [line.strip()[:3] for line in lines[1:3]] == ["[1]", "[2]"]
