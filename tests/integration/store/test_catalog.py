from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from sqlalchemy import Connection

from assistant.domain import Chunk, DocumentId
from assistant.store import catalog, feed, heads, passages
from assistant.store.acls import acl_id, acls_by_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument, Original
from assistant.store.sources import Source, put_source
from indexes.model import NOBODY

MODEL = "test@1"


def chunk(text: str, number: int = 0) -> NewChunk:
    vector = np.zeros(8, dtype=np.float32)
    vector[number % 8] = 1
    boxes = ((1, 0.0, 1.5, 2.0, 3.0),)
    return NewChunk(
        Chunk(text, ("Top", "Sub"), "paragraph", "en", 3, 3 + len(text), 1, boxes), vector, MODEL
    )


def new(source: Source, name: str, text: str = "hello", **changes: object) -> NewDocument:
    base = NewDocument(source.id, name, "v1", f"sha of {text}", NOBODY, Facts(title=name))
    return replace(base, **changes)  # type: ignore[arg-type]


def add(conn: Connection, source: Source, name: str, text: str = "hello") -> DocumentId:
    access_id = acl_id(conn, ["everyone"])
    return catalog.upsert_document(
        conn, new(source, name, text, access_id=access_id), [chunk(text), chunk(text + "!", 1)]
    )


@pytest.fixture
def source(database: Database) -> Source:
    with database.begin() as conn:
        return put_source(conn, "bank", "files", {"path": "docs"})


def test_a_document_is_stored_with_all_it_has(database: Database, source: Source) -> None:
    original = Original("application/pdf", b"%PDF")
    facts = Facts(
        uri="file:///a.pdf",
        title="A",
        media_type="application/pdf",
        lang="pt",
        collection="Policies",
        industry="finance",
        dated=date(2026, 1, 2),
        meta={"n": 1},
    )
    with database.begin() as conn:
        access_id = acl_id(conn, ["group:bank:x"], ["user:local|bob"])
        stored = new(source, "a.pdf", facts=facts, original=original, access_id=access_id)
        document_id = catalog.upsert_document(conn, stored, [chunk("ação"), chunk("two", 1)])
    with database.begin() as conn:
        row = passages.document(conn, document_id)
        assert row is not None
        assert (row.version_no, row.facts, row.source) == (1, facts, "bank")
        assert passages.original(conn, original.sha256) == original
        first, second = passages.document_chunks(conn, document_id)
        assert first.chunk == chunk("ação").chunk
        assert (first.ord, second.ord) == (0, 1)
        entry = feed.load_chunks(conn, [document_id])[0]
        assert entry.vector.dtype == np.float32
        assert entry.vector.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
        assert (entry.facets.collection, entry.facets.dated) == ("Policies", date(2026, 1, 2))
        assert passages.passages(conn, [second.chunk_id]) == {second.chunk_id: second}


def test_a_new_version_replaces_chunks_and_original(database: Database, source: Source) -> None:
    with database.begin() as conn:
        before = add(conn, source, "a")
        first = new(source, "b", original=Original("text/plain", b"old"))
        catalog.upsert_document(conn, first, [])
    with database.begin() as conn:
        old_chunks = [row.chunk_id for row in passages.document_chunks(conn, before)]
        assert add(conn, source, "a", "changed") == before
        second = new(source, "b", original=Original("text/plain", b"new"))
        catalog.upsert_document(conn, second, [])
    with database.begin() as conn:
        row = passages.document(conn, before)
        assert row is not None
        assert row.version_no == 2
        assert passages.passages(conn, old_chunks) == {}
        assert passages.original(conn, Original("", b"old").sha256) is None
        assert passages.original(conn, Original("", b"new").sha256) is not None


def test_a_deleted_document_leaves_no_text_and_can_return(
    database: Database, source: Source
) -> None:
    shared = Original("text/plain", b"both")
    with database.begin() as conn:
        kept = catalog.upsert_document(conn, new(source, "kept", original=shared), [chunk("k")])
        gone = catalog.upsert_document(conn, new(source, "gone", original=shared), [chunk("g")])
    with database.begin() as conn:
        assert catalog.delete_document(conn, source.id, "gone") == gone
        assert catalog.delete_document(conn, source.id, "gone") is None
        assert catalog.delete_document(conn, source.id, "never") is None
    with database.begin() as conn:
        assert passages.document(conn, gone) is None
        assert passages.document_chunks(conn, gone) == []
        assert passages.original(conn, shared.sha256) is not None
        assert not catalog.known_documents(conn, source.id, ["gone"])["gone"].is_live
        assert [c.is_live for c in feed.news_since(conn, 0).changes if c.document_id == gone] == [
            False
        ]
        catalog.delete_document(conn, source.id, "kept")
        assert passages.original(conn, shared.sha256) is None
        assert catalog.upsert_document(conn, new(source, "gone"), [chunk("back")]) == gone
    with database.begin() as conn:
        row = passages.document(conn, gone)
        assert row is not None
        assert row.version_no == 2
        assert passages.document(conn, kept) is None


def test_what_a_pass_did_not_see_is_swept(database: Database, source: Source) -> None:
    with database.begin() as conn:
        ids = {name: add(conn, source, name) for name in "abc"}
        other = put_source(conn, "other", "files", {})
        elsewhere = add(conn, other, "a")
        catalog.touch_document(conn, source.id, "b", 7, version="v9")
        assert catalog.count_unseen(conn, source.id, 7) == (2, 3)
        swept = catalog.sweep_unseen(conn, source.id, 7)
        assert sorted(swept) == sorted([(ids["a"], "a"), (ids["c"], "c")])
        assert catalog.count_unseen(conn, source.id, 7) == (0, 1)
        assert catalog.known_documents(conn, source.id, ["b"])["b"].version == "v9"
        assert passages.document(conn, elsewhere) is not None


def test_access_changes_without_touching_content(database: Database, source: Source) -> None:
    with database.begin() as conn:
        document_id = add(conn, source, "a")
    with database.begin() as conn:
        before = feed.news_since(conn, 0).changes[0]
        epoch = heads.policy_epoch(conn)
        fewer = acl_id(conn, ["group:bank:few"])
        assert catalog.set_document_access(conn, source.id, "a", fewer)
    with database.begin() as conn:
        assert not catalog.set_document_access(conn, source.id, "a", fewer)
        (change,) = feed.news_since(conn, before.seq).changes
        assert (change.document_id, change.access_id) == (document_id, fewer)
        assert change.content_seq == before.content_seq < change.seq
        assert heads.policy_epoch(conn) == epoch + 1
    with database.begin() as conn:
        assert heads.policy_epoch(conn) == epoch + 1
        assert feed.news_since(conn, change.seq).changes == ()


def test_only_indexed_facts_make_searchers_index_again(database: Database, source: Source) -> None:
    with database.begin() as conn:
        add(conn, source, "a")
    with database.begin() as conn:
        head = heads.feed_head(conn)
        assert not catalog.set_document_facts(conn, source.id, "a", Facts(title="a"))
        assert catalog.set_document_facts(conn, source.id, "a", Facts(title="a", uri="moved"))
    with database.begin() as conn:
        assert heads.feed_head(conn) == head
        assert catalog.set_document_facts(conn, source.id, "a", Facts(title="new"))
        assert not catalog.set_document_facts(conn, source.id, "missing", Facts())
    with database.begin() as conn:
        (change,) = feed.news_since(conn, head).changes
        assert change.content_seq == change.seq == head + 1


def test_chunks_are_reused_by_content_and_model(database: Database, source: Source) -> None:
    with database.begin() as conn:
        add(conn, source, "a", "same")
        found = catalog.reuse_by_content(conn, "sha of same", MODEL)
        assert found is not None
        assert [one.chunk for one in found] == [chunk("same").chunk, chunk("same!", 1).chunk]
        assert np.array_equal(found[1].embedding, chunk("", 1).embedding)
        assert catalog.reuse_by_content(conn, "sha of same", "other@1") is None
        assert catalog.reuse_by_content(conn, "sha of else", MODEL) is None
        catalog.delete_document(conn, source.id, "a")
        assert catalog.reuse_by_content(conn, "sha of same", MODEL) is None


def test_a_document_is_superseded_while_its_successor_lives(
    database: Database, source: Source
) -> None:
    with database.begin() as conn:
        old = catalog.upsert_document(
            conn, new(source, "old", facts=Facts(superseded_by="new")), [chunk("x")]
        )
        states = []
        for step in (lambda: None, lambda: add(conn, source, "new")):
            step()
            row = passages.document(conn, old)
            assert row is not None
            states.append(row.superseded)
        catalog.delete_document(conn, source.id, "new")
        row = passages.document(conn, old)
        assert row is not None
        assert [*states, row.superseded] == [False, True, False]


def test_equal_acls_share_an_id_and_an_empty_one_is_nobody(database: Database) -> None:
    with database.begin() as conn:
        first = acl_id(conn, ["b", "a"], ["c"], ["d"])
        assert acl_id(conn, ["a", "b", "a"], ["c"], ["d"]) == first
        assert acl_id(conn, ["a", "b"], ["c"]) != first
        assert acl_id(conn, [], ["c"]) == NOBODY
        assert acls_by_id(conn, [first, NOBODY])[first].deny == {"c"}


def test_counts_are_of_what_the_acls_admit(database: Database, source: Source) -> None:
    with database.begin() as conn:
        mine, theirs = acl_id(conn, ["a"]), acl_id(conn, ["b"])
        for name, access_id, collection in (("1", mine, "x"), ("2", mine, "y"), ("3", theirs, "x")):
            facts = Facts(title=name, collection=collection)
            document = new(source, name, access_id=access_id, facts=facts)
            catalog.upsert_document(conn, document, [])
        readable = passages.documents_readable(conn, [mine])
        assert (readable.n_documents, readable.collections) == (2, {"x": 1, "y": 1})
        assert passages.documents_readable(conn, []).n_documents == 0
        assert [row.facts.title for row in passages.documents_of(conn, [mine])] == ["1", "2"]


def test_a_rolled_back_change_takes_no_number(database: Database, source: Source) -> None:
    with database.begin() as conn:
        before = heads.feed_head(conn), heads.policy_epoch(conn)
    with pytest.raises(ZeroDivisionError), database.begin() as conn:
        print(add(conn, source, "a"), 1 // 0)
    with database.begin() as conn:
        assert (heads.feed_head(conn), heads.policy_epoch(conn)) == before
    with database.begin() as conn:
        assert (heads.feed_head(conn), heads.policy_epoch(conn)) == before


def test_a_reader_of_the_feed_misses_nothing_while_many_write(
    database: Database, source: Source
) -> None:
    n_writers, n_each = 4, 12
    seen: list[tuple[int, DocumentId]] = []

    def write(writer: int) -> None:
        for number in range(n_each):
            with database.begin() as conn:
                add(conn, source, f"{writer}-{number}")
                add(conn, source, f"{writer}-{number}-b")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(n_writers)]
    for thread in writers:
        thread.start()
    while any(thread.is_alive() for thread in writers) or not seen or _more(database, seen):
        _more(database, seen)
    assert len({document_id for _, document_id in seen}) == 2 * n_writers * n_each
    assert all(earlier[0] < later[0] for earlier, later in pairwise(seen))
    with database.begin() as conn:
        assert [c.seq for c in feed.news_since(conn, 0).changes] == list(range(1, len(seen) + 1))


def _more(database: Database, seen: list[tuple[int, DocumentId]]) -> bool:
    with database.begin() as conn:
        changes = feed.news_since(conn, seen[-1][0] if seen else 0).changes
    seen.extend((change.seq, change.document_id) for change in changes)
    return bool(changes)
