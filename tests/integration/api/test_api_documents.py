"""Documents and the pictures of their pages."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from assistant.api.pages import DPI
from assistant.store.document import Original
from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of, pdf


def test_a_document_is_shown_with_its_passages_and_that_is_recorded(
    sign_in: SignIn, company: Company, assistant: Assistant
) -> None:
    paper = company.document(
        "paper", "First line.", "Second line.", original=pdf("First line.", "Second page.")
    )
    shown = sign_in("ana").get(f"/v1/documents/{paper}").json()
    assert shown["title"] == "Paper"
    assert (shown["version"], shown["n_pages"], shown["n_passages"]) == (1, 2, 2)
    assert [passage["text"] for passage in shown["passages"]] == ["First line.", "Second line."]
    opened = events_of(assistant.database)[-1]
    assert opened["type"] == "doc.opened"
    assert opened["data"] == {"document_id": paper, "version": 1, "part": "document"}


def test_a_page_is_drawn_with_the_passage_marked(
    sign_in: SignIn, company: Company, assistant: Assistant
) -> None:
    box = (1, 60.0, 58.0, 300.0, 80.0)
    paper = company.document("paper", "A line.", original=pdf("A line.", "More."), boxes=(box,))
    ana = sign_in("ana")
    chunk = ana.get(f"/v1/documents/{paper}").json()["passages"][0]["chunk_id"]
    page = f"/v1/documents/{paper}/pages/1"
    marked, plain = ana.get(page, params={"chunk": chunk}), ana.get(page)
    assert marked.headers["content-type"] == "image/png"
    assert marked.headers["cache-control"] == "no-store"
    picture = np.asarray(Image.open(io.BytesIO(marked.content)))
    assert picture.shape[:2] == (round(842 * DPI / 72), round(595 * DPI / 72) + 0) or (
        abs(picture.shape[0] - 842 * DPI / 72) < 2 and abs(picture.shape[1] - 595 * DPI / 72) < 2
    )
    bare = np.asarray(Image.open(io.BytesIO(plain.content)))
    ys, xs = np.nonzero((picture != bare).any(axis=2))
    found = np.array([xs.min(), ys.min(), xs.max(), ys.max()]) * 72 / DPI
    np.testing.assert_allclose(found, box[1:], atol=4)
    yellow = picture[round(70 * DPI / 72), round(290 * DPI / 72)]
    assert yellow[0] > 240
    assert yellow[2] < 200
    ink = bare[ys.min() : ys.max(), xs.min() : xs.max()].min()
    assert ink < 100, "the box lies over the words"
    other = ana.get(f"/v1/documents/{paper}/pages/2", params={"chunk": chunk})
    assert other.content == ana.get(f"/v1/documents/{paper}/pages/2").content
    assert [e["data"]["part"] for e in events_of(assistant.database)][1] == "page 1"


def test_pages_that_are_not_there_are_not_found(sign_in: SignIn, company: Company) -> None:
    paper = company.document("paper", "A line.", original=pdf("A line."))
    text = company.document("text", "A line.")
    sheet = company.document("sheet", "A line.", original=Original("text/csv", b"a,b"))
    ana = sign_in("ana")
    for path in (f"{paper}/pages/2", f"{text}/pages/1", f"{sheet}/pages/1"):
        assert ana.get(f"/v1/documents/{path}").status_code == 404
    for path in (f"{paper}/pages/0", f"{paper}/pages/one", f"{paper}/pages/1?chunk=x"):
        assert ana.get(f"/v1/documents/{path}").status_code == 422
    assert ana.get(f"/v1/documents/{text}").json()["n_pages"] is None


def test_a_damaged_file_is_a_problem_with_the_next_step(sign_in: SignIn, company: Company) -> None:
    broken = company.document("b", "A line.", original=Original("application/pdf", b"%PDF-1.7 x"))
    ana = sign_in("ana")
    drawn = ana.get(f"/v1/documents/{broken}/pages/1")
    assert drawn.status_code == 422
    assert drawn.json()["type"] == "urn:assistant:problem:page-unreadable"
    assert ana.get(f"/v1/documents/{broken}").json()["n_pages"] is None


def test_a_chunk_of_another_document_marks_nothing(sign_in: SignIn, company: Company) -> None:
    box = ((1, 60.0, 58.0, 300.0, 80.0),)
    one = company.document("one", "A line.", original=pdf("A line."), boxes=box)
    two = company.document("two", "B line.", original=pdf("A line."), boxes=box)
    ana = sign_in("ana")
    foreign = ana.get(f"/v1/documents/{two}").json()["passages"][0]["chunk_id"]
    page = f"/v1/documents/{one}/pages/1"
    assert ana.get(page, params={"chunk": foreign}).content == ana.get(page).content


def test_a_long_document_is_shown_around_the_passage_that_was_asked_for(
    sign_in: SignIn, company: Company
) -> None:
    long = company.document("long", *(f"Line number {n}." for n in range(1200)))
    ana = sign_in("ana")
    start = ana.get(f"/v1/documents/{long}").json()
    assert (start["n_passages"], len(start["passages"])) == (1200, 500)
    wanted = start["passages"][0]["chunk_id"] + 1000
    shown = ana.get(f"/v1/documents/{long}", params={"chunk": wanted}).json()["passages"]
    assert len(shown) == 500
    assert wanted in [passage["chunk_id"] for passage in shown]
