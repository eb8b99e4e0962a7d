"""Other engines under the same questions and the same access lists, each at its defaults.

The filter is the engine's own: chunks carry the names of those who may read them, a question asks
for one name, or for none if the caller may read everything.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pgvector import Pgvector
from benchmarks.rival import Rival, Search, Wanted

_Floats = NDArray[np.float32]

_BATCH = 5000


class LangChain(Rival):
    """LangChain's FAISS store: the `fetch_k` nearest of all are found, then filtered."""

    package = "langchain-community"
    module = "langchain_community"

    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from langchain_community.vectorstores import FAISS
            from langchain_community.vectorstores.utils import DistanceStrategy
        from langchain_core.embeddings import FakeEmbeddings

        self._store = FAISS.from_embeddings(
            [(str(i), vector) for i, vector in enumerate(vectors)],
            FakeEmbeddings(size=vectors.shape[1]),
            [{"id": i, "acl": frozenset(acl)} for i, acl in enumerate(acls)],
            distance_strategy=DistanceStrategy.MAX_INNER_PRODUCT,
        )

    def ways(self) -> dict[str, Search]:
        return {
            "LangChain FAISS": self.search,
            "LangChain FAISS, fetch_k raised": RaisedFetch(self),
        }

    def search(self, question: _Floats, key: str | None, k: int, fetch_k: int = 20) -> list[int]:
        def admits(metadata: dict[str, Any]) -> bool:
            return key in metadata["acl"]

        documents = self._store.similarity_search_by_vector(
            question.tolist(), k=k, filter=admits if key else None, fetch_k=fetch_k
        )
        return [document.metadata["id"] for document in documents]


class RaisedFetch:
    """LangChain's search with as many fetched as it takes to find what a caller should see."""

    def __init__(self, store: LangChain) -> None:
        self._store = store
        self._fetch_k = 0

    def __call__(self, question: _Floats, key: str | None, k: int) -> list[int]:
        return self._store.search(question, key, k, max(k, self._fetch_k))

    def tune(self, key: str | None, wanted: Wanted, k: int) -> None:
        self._fetch_k = wanted.depth()


class Chroma(Rival):
    """Chroma in this process; a chunk's metadata names each of its readers."""

    package = module = "chromadb"

    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        import chromadb

        settings = chromadb.Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(self.folder, settings)
        self._chunks = self._client.create_collection(
            "chunks", configuration={"hnsw": {"space": "ip"}}, embedding_function=None
        )
        for start in range(0, len(vectors), _BATCH):
            part = slice(start, start + _BATCH)
            self._chunks.add(
                [str(i) for i in range(start, start + len(acls[part]))],
                vectors[part],
                [{"any": True, **dict.fromkeys(acl, True)} for acl in acls[part]],
            )

    def ways(self) -> dict[str, Search]:
        return {"Chroma": self._search}

    def close(self) -> None:
        self._client.close()
        super().close()

    def _search(self, question: _Floats, key: str | None, k: int) -> list[int]:
        where = {key: True} if key else None
        found = self._chunks.query(question, n_results=k, where=where, include=[])
        return [int(i) for i in found["ids"][0]]


class LanceDB(Rival):
    """LanceDB: IVF_PQ over the vectors, a label list over the access lists, filtered first."""

    package = module = "lancedb"

    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        os.environ.setdefault("LANCE_CPU_THREADS", "1")
        import lancedb
        import pyarrow as pa

        flat = pa.array(vectors.reshape(-1))
        columns = {
            "id": pa.array(range(len(vectors))),
            "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
            "acl": pa.array(acls, type=pa.list_(pa.string())),
        }
        self._table = lancedb.connect(self.folder).create_table("chunks", pa.table(columns))
        self._table.create_scalar_index("acl", index_type="LABEL_LIST")
        self._table.create_index(metric="dot")

    def ways(self) -> dict[str, Search]:
        return {"LanceDB": self._way(None), "LanceDB, refined": self._way(10)}

    def _way(self, refine_factor: int | None) -> Search:
        def search(question: _Floats, key: str | None, k: int) -> list[int]:
            query = (
                self._table.search(question)
                .distance_type("dot")
                .limit(k)
                .select(["id", "_distance"])
            )
            if refine_factor:
                query = query.refine_factor(refine_factor)
            if key:
                query = query.where(f"array_has_any(acl, ['{key}'])", prefilter=True)
            found: list[int] = query.to_arrow()["id"].to_pylist()
            return found

        return search


class Qdrant(Rival):
    """Qdrant's engine in this process, its segment optimised after loading."""

    package = "qdrant-edge-py"
    module = "qdrant_edge"

    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        import qdrant_edge as qdrant

        self._qdrant = qdrant
        size = vectors.shape[1]
        config = qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(size=size, distance=qdrant.Distance.Dot)
        )
        self._shard = qdrant.EdgeShard.create(str(self.folder), config)
        keyword = qdrant.PayloadSchemaType.Keyword
        self._shard.update(qdrant.UpdateOperation.create_field_index("acl", keyword))
        for start in range(0, len(vectors), _BATCH):
            points = [
                qdrant.Point(i, vectors[i].tolist(), {"acl": list(acls[i])})
                for i in range(start, min(start + _BATCH, len(vectors)))
            ]
            self._shard.update(qdrant.UpdateOperation.upsert_points(points))
        self._shard.optimize()

    def ways(self) -> dict[str, Search]:
        return {"Qdrant Edge": self.search, "Qdrant Edge, hnsw_ef raised": RaisedEf(self)}

    def close(self) -> None:
        self._shard.close()
        super().close()

    def search(
        self, question: _Floats, key: str | None, k: int, hnsw_ef: int | None = None
    ) -> list[int]:
        qdrant, readable = self._qdrant, None
        if key:
            match = qdrant.MatchValue(value=key)
            readable = qdrant.Filter(must=[qdrant.FieldCondition(key="acl", match=match)])
        nearest = qdrant.Query.Nearest(question.tolist())
        params = qdrant.SearchParams(hnsw_ef=hnsw_ef) if hnsw_ef else None
        request = qdrant.QueryRequest(limit=k, query=nearest, filter=readable, params=params)
        return [point.id for point in self._shard.query(request)]


class RaisedEf:
    """Qdrant's search with the smallest `hnsw_ef` that finds what a caller should see."""

    sizes = (None, 128, 256, 512, 1024, 2048, 4096)

    def __init__(self, engine: Qdrant) -> None:
        self._engine = engine
        self._hnsw_ef: int | None = None

    def __call__(self, question: _Floats, key: str | None, k: int) -> list[int]:
        return self._engine.search(question, key, k, self._hnsw_ef)

    def tune(self, key: str | None, wanted: Wanted, k: int) -> None:
        for size in self.sizes:
            self._hnsw_ef = size
            if wanted.is_enough([self(question, key, k) for question in wanted.questions]):
                break


class Zvec(Rival):
    """Alibaba's zvec in this process: HNSW, and an inverted index over the access lists."""

    package = module = "zvec"

    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        import zvec

        self._zvec = zvec
        zvec.init(log_type=zvec.LogType.CONSOLE, log_level=zvec.LogLevel.ERROR, query_threads=1)
        schema = zvec.CollectionSchema(
            "chunks",
            zvec.FieldSchema(
                "acl", zvec.DataType.ARRAY_STRING, index_param=zvec.InvertIndexParam()
            ),
            zvec.VectorSchema(
                "e",
                zvec.DataType.VECTOR_FP32,
                vectors.shape[1],
                zvec.HnswIndexParam(zvec.MetricType.IP),
            ),
        )
        self._chunks = zvec.create_and_open(str(self.folder / "chunks"), schema)
        for start in range(0, len(vectors), 1000):
            rows = range(start, min(start + 1000, len(vectors)))
            self._chunks.insert(
                [
                    zvec.Doc(str(i), vectors={"e": vectors[i]}, fields={"acl": list(acls[i])})
                    for i in rows
                ]
            )
        self._chunks.optimize()

    def ways(self) -> dict[str, Search]:
        return {"zvec": self._search}

    def close(self) -> None:
        self._chunks.destroy()
        super().close()

    def _search(self, question: _Floats, key: str | None, k: int) -> list[int]:
        found = self._chunks.query(
            self._zvec.Query("e", vector=question),
            topk=k,
            filter=f"acl contain_any ('{key}')" if key else None,
        )
        return [int(chunk.id) for chunk in found]


RIVALS: dict[str, type[Rival]] = {
    "pgvector": Pgvector,
    "langchain": LangChain,
    "chroma": Chroma,
    "lancedb": LanceDB,
    "qdrant": Qdrant,
    "zvec": Zvec,
}
