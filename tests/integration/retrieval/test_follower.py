"""An index filled from the catalog at once, and one that follows its changes one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from assistant.retrieval.follower import Follower, StaleEmbeddings
from assistant.retrieval.generations import Generations
from assistant.store import columns, embeddings, feed, lists
from assistant.store.database import Database
from indexes import rebuilt, saved
from indexes.columns import Grouping
from indexes.hybrid import HybridIndex
from indexes.model import AccessFilter, Query, SearchIndexError
from tests.support.company import Company
from tests.support.hashing import HashingEmbedder

END_OTHERS = sa.text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

NAME, DIMENSION = HashingEmbedder.name, HashingEmbedder.dimension


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.document("report", "The net income of 2025 was 41 million.", "It rose.")
    company.document("canteen", "The canteen opens at noon.")
    company.document("menu", "Soup on Mondays.", allow=["group:sales"])
    return company


def follower() -> Follower:
    return Follower(HybridIndex(DIMENSION), NAME)


def refreshed(own: Follower, database: Database) -> Follower:
    with database.reading() as conn:
        own.refresh(conn)
    return own


def found(index: HybridIndex) -> list[dict[int, float]]:
    access = AccessFilter(frozenset(saved.contents(index)[1].tolist()))
    return [
        {hit.chunk_id: round(hit.score, 4) for hit in index.search(query, 100)}
        for text in ("net income", "canteen soup", "noon")
        for query in [Query(text, HashingEmbedder().embed_queries([text])[0], "en", access)]
    ]


def test_filled_at_once_or_followed_from_the_first_document_on(database: Database) -> None:
    company = Company(database)
    company.document("first", "The canteen is closed.")
    following = refreshed(follower(), database)
    company.document("report", "The net income of 2025 was 41 million.", "It rose.")
    company.document("canteen", "The canteen opens at noon.")
    company.document("menu", "Soup on Mondays.")
    company.allow("menu", "group:sales")
    company.delete("first")
    refreshed(following, database)
    at_once = refreshed(follower(), database)
    assert at_once.generation == following.generation
    assert at_once.source_ids == following.source_ids
    assert found(at_once.index) == found(following.index)
    assert saved.documents(at_once.index) == saved.documents(following.index)
    for one, other in zip(
        saved.contents(at_once.index), saved.contents(following.index), strict=True
    ):
        assert np.array_equal(one, other)


def test_columns_are_what_single_documents_are(company: Company) -> None:
    with company.database.reading() as conn:
        own = columns.columns(conn)
        found = {
            chunk.chunk_id: chunk
            for chunk in feed.load_chunks(conn, list(feed.live_documents(conn)))
        }
        texts = {chunk_id: (title, text) for chunk_id, title, text in columns.texts(conn)}
        vectors = {
            chunk_id: row.view(np.float16).astype(np.float32)
            for ids, halves in columns.vectors(conn, NAME, DIMENSION)
            for chunk_id, row in zip(ids.tolist(), halves, strict=True)
        }
    assert sorted(own.chunk_ids.tolist()) == sorted(found)
    for place, chunk_id in enumerate(own.chunk_ids.tolist()):
        chunk, origin = found[chunk_id], own.origins[own.owners[place]]
        assert (origin.document_id, origin.access_id) == (chunk.document_id, chunk.access_id)
        assert own.tags[own.langs[place]] == chunk.facets.lang
        assert origin.facets.media_type == chunk.facets.media_type
        assert texts[chunk_id] == (chunk.searched_title, chunk.searched_text)
        assert np.array_equal(vectors[chunk_id], chunk.vector)


@pytest.mark.parametrize("n_bytes", [1, 5000])
def test_vectors_come_in_pieces(
    company: Company, n_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_N_BYTES", n_bytes)
    with company.database.reading() as conn:
        ids = [i for own, _ in columns.vectors(conn, NAME, DIMENSION) for i in own.tolist()]
        assert sorted(ids) == sorted(feed.chunk_access(conn))
        assert list(columns.vectors(conn, "nobody's@1", DIMENSION)) == []


def test_vectors_of_another_dimension_are_refused(company: Company) -> None:
    with company.database.reading() as conn, pytest.raises(SearchIndexError, match="numbers"):
        list(columns.vectors(conn, NAME, DIMENSION + 1))


def test_vectors_of_another_model_stop_the_filling(company: Company) -> None:
    other = Follower(HybridIndex(DIMENSION), "other@1")
    with pytest.raises(StaleEmbeddings, match=NAME):
        refreshed(other, company.database)
    assert (len(other.index), other.generation) == (0, 0)
    with company.database.begin() as conn:
        ids = list(feed.chunk_access(conn))
        vectors = list(feed.vectors_of(conn, ids, NAME).items())
        embeddings.add(conn, "other@1", [i for i, _ in vectors], np.array([v for _, v in vectors]))
    assert found(refreshed(other, company.database).index) == found(
        refreshed(follower(), company.database).index
    )


def test_a_lost_connection_loses_no_change(company: Company) -> None:
    own = refreshed(follower(), company.database)
    company.document("note", "A note on the canteen.")
    company.delete("menu")
    other = sa.create_engine(company.database.engine.url, poolclass=sa.NullPool)
    with other.connect() as conn:
        assert conn.scalars(END_OTHERS).all()
    refreshed(own, company.database)
    company.allow("note", "group:sales")
    with company.database.reading() as conn:
        number = conn.scalar(sa.text("SELECT pg_backend_pid()"))
        with other.connect() as ending:
            ending.scalar(sa.text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
        with pytest.raises(sa.exc.DBAPIError):
            own.refresh(conn)
    refreshed(own, company.database)
    with company.database.reading() as conn:
        ids, access = saved.contents(own.index)
        assert dict(zip(ids.tolist(), access.tolist(), strict=True)) == feed.chunk_access(conn)


def test_lists_come_from_the_database(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(monkeypatch, company)
    kept = Generations(company.database, tmp_path / "index")
    first = kept.start(NAME, DIMENSION)
    first.index.fold()
    kept.keep_lists(first)
    kept.keep_lists(first)
    mine = rebuilt.grouping_of(first.index)
    monkeypatch.setattr("indexes.lists.trained", refused)
    again = kept.start(NAME, DIMENSION)
    theirs = rebuilt.grouping_of(again.index)
    assert mine is not None
    assert theirs is not None
    assert np.array_equal(mine.chunk_ids, theirs.chunk_ids)
    assert np.array_equal(mine.numbers, theirs.numbers)
    assert found(again.index) == found(first.index)
    with company.database.begin() as conn:
        assert lists.n_grouped(conn, NAME) == len(mine.chunk_ids)
        assert lists.grouping(conn, NAME, DIMENSION + 1) is None
        lists.drop_others(conn, ["other@1"])
        assert lists.grouping(conn, NAME, DIMENSION) is None
    again.index.close()
    kept.close(first)


def test_lists_are_stored_anew_when_many_chunks_have_come(company: Company) -> None:
    ids, numbers = np.arange(3), np.zeros(3, np.int32)
    grouping = Grouping(np.eye(2, DIMENSION, dtype=np.float32), 3, ids, numbers)
    with company.database.begin() as conn:
        for model in ("one@1", "one@1", "other@1"):
            lists.put_grouping(conn, model, grouping)
        stored = lists.grouping(conn, "one@1", DIMENSION)
    assert stored is not None
    assert np.array_equal(stored.directions, grouping.directions)
    assert stored.numbers_of(np.array([2, 7])).tolist() == [0, -1]


@pytest.mark.parametrize("name", ["tail_halves.npy", "terms.npy", "files/*.term"])
def test_a_start_repairs_a_damaged_part(
    company: Company,
    tmp_path: Path,
    name: str,
) -> None:
    kept = Generations(company.database, tmp_path / "index")
    first = kept.start(NAME, DIMENSION)
    kept.save(first)
    path = next((kept.snapshots.folder / kept.snapshots.roles().current).glob(name))
    path.write_bytes(path.read_bytes()[:-1])
    company.delete("menu")
    company.document("note", "A note on the canteen.")
    with capture_logs() as logs:
        again = kept.start(NAME, DIMENSION)
    assert "index.repaired" in [entry["event"] for entry in logs]
    expected = found(refreshed(follower(), company.database).index)
    assert [set(hits) for hits in found(again.index)] == [set(hits) for hits in expected]
    again.index.close()
    kept.close(first)


def learn(monkeypatch: pytest.MonkeyPatch, company: Company) -> None:
    """Give the company enough documents for lists, which few need here."""
    for module in ("indexes.lists", "indexes.hybrid", "indexes.rebuilt"):
        monkeypatch.setattr(f"{module}.N_WITHOUT", 20)
    for number in range(30):
        company.document(f"note-{number}", f"Note {number} on soup, income and noon.")


def refused(*_: object) -> None:
    pytest.fail("lists are learnt again")
