"""Small sets of our own, and an embedder that needs no model."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.text.words import words

Rows = list[dict[str, object]]
Write = Callable[..., Path]

CORPUS: Rows = [
    {
        "doc_id": "bank#p0",
        "parent_id": "bank.pdf",
        "page": 0,
        "title": "Annual report — page 1",
        "text": "Net income rose to R$ 1,234.5 million in 2024.\nThe branch network shrank.",
        "lang": "en",
        "industry": "finance",
        "acl_hint": "public",
    },
    {
        "doc_id": "bank#p1",
        "parent_id": "bank.pdf",
        "page": 1,
        "title": "Annual report — page 2",
        "text": "Credit losses fell because fewer borrowers missed a payment.",
        "lang": "en",
        "acl_hint": "public",
    },
    {
        "doc_id": "policy",
        "title": "Internal: dormant accounts",
        "text": "Dormant accounts are closed after five years without a movement.",
        "lang": "en",
        "acl_hint": "internal",
    },
    {
        "doc_id": "devolucao",
        "title": "Política de devolução",
        "text": "A devolução é aceita em até 30 dias com a nota fiscal.",
        "lang": "pt",
        "acl_hint": "public",
    },
]

QUERIES: Rows = [
    {
        "qid": "q1",
        "question": "How much was net income in 2024?",
        "question_scoped": "Bank: how much was net income in 2024?",
        "answers": ["R$ 1234.50 million"],
        "gold_doc_ids": ["bank.pdf"],
        "gold_level": "parent",
        "lang": "en",
        "answerable": True,
    },
    {
        "qid": "q2",
        "question": "When are dormant accounts closed?",
        "answers": ["after five years"],
        "gold_doc_ids": ["policy"],
        "lang": "en",
        "answerable": True,
    },
    {
        "qid": "q3",
        "question": "Who painted the ceiling?",
        "answers": [],
        "gold_doc_ids": [],
        "lang": "en",
        "answerable": False,
    },
]

QUERIES_PT: Rows = [
    {
        "qid": "q2-pt",
        "question": "Quando as contas dormant são fechadas?",
        "answers": ["after five years"],
        "gold_doc_ids": ["policy"],
        "lang": "pt",
        "answerable": True,
        "translated_from": "q2",
    },
]


def write_rows(path: Path, rows: Rows) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, "utf-8")


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    """Four documents, three questions (one unanswerable) and a translation."""
    folder = tmp_path / "small"
    folder.mkdir()
    write_rows(folder / "corpus.jsonl.gz", CORPUS)
    write_rows(folder / "queries.jsonl", QUERIES)
    write_rows(folder / "queries_pt.jsonl", QUERIES_PT)
    grades = "qid\tdoc_id\tgrade\nq2\tpolicy\t3\nq2\tbank#p1\t1\nq2\tdevolucao\t0\n"
    (folder / "qrels.tsv").write_text(grades)
    return folder


class WordEmbedder:
    """Embeds a text as the words it has: every word adds to one of 64 places."""

    def __init__(self) -> None:
        self.n_embedded = 0

    @property
    def name(self) -> str:
        return "words/64@1"

    @property
    def dimension(self) -> int:
        return 64

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.n_embedded += len(texts)
        vectors = np.full((len(texts), 64), 1e-3, np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in words(text):
                vector[zlib.crc32(word.encode()) % 64] += 1
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    embed_queries = embed_documents


@pytest.fixture
def word_embedder() -> WordEmbedder:
    return WordEmbedder()
