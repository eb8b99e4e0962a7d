"""The retriever as LangChain knows one, for chains and agents that act for one person."""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from assistant.domain import Caller, Passage
from assistant.retrieval.retriever import Retriever
from assistant.text.language import question_language


class AssistantRetriever(BaseRetriever):
    """Finds the `k` best passages that `caller` may read at the time of each call."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    retriever: Retriever
    caller: Caller
    k: int = Field(8, ge=1, le=50)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        del run_manager
        lang = question_language(query)
        found = self.retriever.retrieve(query, self.caller, k=self.k, lang=lang)
        return [_document(passage) for passage in found.passages]


def _document(passage: Passage) -> Document:
    """Return a passage with what a citation needs as metadata."""
    return Document(
        id=str(passage.chunk_id),
        page_content=passage.text,
        metadata={
            "document_id": passage.document_id,
            "chunk_id": passage.chunk_id,
            "version": passage.version,
            "title": passage.title,
            "source": passage.uri,
            "page": passage.page,
            "heading": list(passage.heading),
            "lang": passage.lang,
            "collection": passage.collection,
            "score": passage.score,
        },
    )
