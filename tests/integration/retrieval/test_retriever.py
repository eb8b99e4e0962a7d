"""The retriever over a real catalog: what each person finds, at once after every change."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.access.identity import caller_with_login
from assistant.domain import Caller
from assistant.models.served_reranker import ServedReranker
from assistant.retrieval.follower import Follower, StaleEmbeddings
from assistant.retrieval.langchain import AssistantRetriever
from assistant.retrieval.rerank import Reranking
from assistant.retrieval.retriever import Retriever
from assistant.settings import Settings
from assistant.store.database import Database
from indexes.hybrid import HybridIndex
from indexes.model import MetadataFilter
from tests.support.company import Company, assembled
from tests.support.hashing import HashingEmbedder
from tests.support.rerank_server import rerank_server
from tests.support.scripted import ScriptedGenerator


class OtherEmbedder(HashingEmbedder):
    name = "hashed-words@2"


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.person("ana", "finance")
    company.person("bruno")
    company.document("report", "The net income of 2025 was 41 million.", allow=["group:finance"])
    company.document("canteen", "The canteen opens at noon.")
    return company


@pytest.fixture
def retriever(company: Company, tmp_path: Path) -> Retriever:
    settings = Settings(data_dir=tmp_path)
    return assembled(settings, company.database, ScriptedGenerator()).retriever


def caller(database: Database, login: str) -> Caller:
    with database.begin() as conn:
        return caller_with_login(conn, login)


def titles(retriever: Retriever, who: Caller, text: str = "net income canteen") -> set[str]:
    return {passage.title for passage in retriever.retrieve(text, who, k=5).passages}


def test_each_person_finds_what_they_may_read(retriever: Retriever, company: Company) -> None:
    assert titles(retriever, caller(company.database, "ana")) == {"Report", "Canteen"}
    assert titles(retriever, caller(company.database, "bruno")) == {"Canteen"}


def test_changes_count_from_the_next_search_on(retriever: Retriever, company: Company) -> None:
    ana = caller(company.database, "ana")
    company.leave("ana", "finance")
    assert titles(retriever, ana) == {"Canteen"}
    company.join("ana", "finance")
    assert titles(retriever, caller(company.database, "ana")) == {"Report", "Canteen"}
    company.delete("canteen")
    company.document("menu", "The canteen serves soup on Mondays.")
    assert titles(retriever, caller(company.database, "ana")) == {"Report", "Menu"}
    company.allow("menu", "group:sales")
    assert titles(retriever, caller(company.database, "bruno")) == set()


def test_passages_are_numbered_and_carry_the_rule(retriever: Retriever, company: Company) -> None:
    found = retriever.retrieve("net income of 2025", caller(company.database, "ana"), k=1)
    (passage,) = found.passages
    assert (passage.n, passage.title, passage.version) == (1, "Report", 1)
    assert passage.rule == "allow group:intranet:finance"
    assert found.n_found == 2


def test_filters_narrow_the_search(retriever: Retriever, company: Company) -> None:
    ana = caller(company.database, "ana")
    elsewhere = MetadataFilter(collections=frozenset({"elsewhere"}))
    assert retriever.retrieve("net income", ana, k=5, metadata=elsewhere).passages == ()


def test_identical_texts_are_found_once(retriever: Retriever, company: Company) -> None:
    company.document("copy-of-canteen", "The canteen opens at noon.")
    bruno = caller(company.database, "bruno")
    assert len(retriever.retrieve("canteen", bruno, k=5).passages) == 1


def test_a_reranker_sees_only_what_the_caller_may_read(company: Company) -> None:
    with rerank_server() as server:
        reranking = Reranking(ServedReranker(server.url, timeout_s=30))
        embedder = HashingEmbedder()
        follower = Follower(HybridIndex(embedder.dimension), embedder.name)
        judged = Retriever(company.database, embedder, follower, reranking=reranking)
        company.document("menu", "The canteen serves soup on Mondays.")
        found = judged.retrieve(
            "net income canteen", caller(company.database, "bruno"), k=5, lang="en"
        )
        assert {passage.title for passage in found.passages} == {"Canteen", "Menu"}
        assert len(server.requests[-1]["documents"]) == 2
        assert "41 million" not in str(server.requests)
        server.behaviour = "broken"
        again = judged.retrieve(
            "net income canteen", caller(company.database, "bruno"), k=5, lang="en"
        )
        assert len(again.passages) == 2
        assert reranking.n_failures == 1


def test_vectors_of_another_model_are_refused(company: Company) -> None:
    other = Retriever(
        company.database,
        OtherEmbedder(),
        Follower(HybridIndex(OtherEmbedder.dimension), OtherEmbedder.name),
    )
    with pytest.raises(StaleEmbeddings, match=r"models\.embedder"):
        other.retrieve("canteen", caller(company.database, "bruno"), k=1)


def test_langchain_sees_documents_with_what_a_citation_needs(
    retriever: Retriever, company: Company
) -> None:
    ana = AssistantRetriever(retriever=retriever, caller=caller(company.database, "ana"), k=1)
    (document,) = ana.invoke("What was the net income of 2025?")
    assert document.page_content == "The net income of 2025 was 41 million."
    assert document.metadata["title"] == "Report"
    assert document.metadata["version"] == 1
