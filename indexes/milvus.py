"""Vectors in a Milvus service, for more chunks than one machine holds.

Only vectors are searched here. What a question's words add would have to come from a word index
of each search node, or from a full-text field of Milvus; this module has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Lock
from typing import Any, Literal

import numpy as np

from indexes.model import AccessFilter, Entry, Hit, MetadataFilter, Query, SearchIndexError
from indexes.rows import day_of
from indexes.selection import UNDATED
from indexes.unit import check_question, vectors_of

Kind = Literal["FLAT", "HNSW", "GPU_BRUTE_FORCE", "GPU_CAGRA"]
"""How Milvus finds neighbours: `FLAT` and `GPU_BRUTE_FORCE` are exact, the graphs are not."""

_K_MAX: dict[Kind, int] = {
    "FLAT": 16_384,
    "HNSW": 16_384,
    "GPU_BRUTE_FORCE": 16_384,
    "GPU_CAGRA": 1_024,
}
_GRAPHS = {"HNSW", "GPU_CAGRA"}
_N_EXPLORED = 128
_NAMES = ("document_id", "collection", "industry", "lang", "media_type")
_NUMBERS = ("access_id", "day")
_INDEXED = ("document_id", "access_id")
_FIELDS = ("chunk_id", *_NAMES, *_NUMBERS, "vector")
_NAME_BYTES = 65_535
_BATCH = 1_000
_TIMEOUT_SECONDS = 30.0
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


class MilvusIndex:
    """Implements `indexes.model.Index`; safe to use from several threads.

    Changes hold for every search that begins after the call returned, in any process: all reads
    have the consistency level Strong. Only one process may change a collection at a time. A hit's
    score is the inner product of the vectors, their cosine.
    """

    def __init__(
        self,
        uri: str,
        dimension: int,
        *,
        collection: str = "chunks",
        kind: Kind = "FLAT",
        token: str = "",
    ) -> None:
        """Connect, and make the collection if there is none.

        `uri` is the address of a service, or a path ending in `.db` for Milvus Lite, which knows
        no kinds for GPUs. Raises `SearchIndexError` if Milvus can't be reached, or if the
        collection was made for something else.
        """
        self.dimension = dimension
        self.kind: Kind = kind
        self._collection = collection
        self._options = {"collection_name": collection, "timeout": _TIMEOUT_SECONDS}
        self._changing = Lock()
        with _reported("open the collection"):
            self._client = _pymilvus().MilvusClient(uri, token=token, timeout=_TIMEOUT_SECONDS)
            if self._client.has_collection(**self._options):
                self._check()
            else:
                self._create()
            self._client.load_collection(collection)

    def __len__(self) -> int:
        """Return the number of live chunks."""
        with _reported("count"):
            return int(self._rows("", ["count(*)"])[0]["count(*)"])

    def add(self, entries: list[Entry]) -> None:
        """Index chunks; an entry whose `chunk_id` is known replaces it.

        Raises `SearchIndexError`; before any change if a vector has the wrong shape or length,
        else every batch of a thousand entries is in or isn't.
        """
        latest = list({entry.chunk_id: entry for entry in entries}.values())
        if not latest:
            return
        vectors = vectors_of(latest, self.dimension)
        rows = [_row(entry) for entry in latest]
        for row, vector in zip(rows, vectors, strict=True):
            row["vector"] = vector
        with self._changing, _reported("add chunks"):
            for start in range(0, len(rows), _BATCH):
                self._client.upsert(data=rows[start : start + _BATCH], **self._options)

    def delete(self, document_ids: list[str]) -> None:
        """Make every chunk of the documents invisible before returning."""
        with self._changing, _reported("delete chunks"):
            for start in range(0, len(document_ids), _BATCH):
                of_documents = _is_in("document_id", map(_quoted, document_ids[start:][:_BATCH]))
                self._exhaust(of_documents, ["chunk_id"], self._delete)

    def set_access(self, document_id: str, access_id: int) -> None:
        """Change who may read a document's chunks before returning."""
        others = f"document_id == {_quoted(document_id)} and access_id != {int(access_id)}"

        def grant(rows: list[dict[str, Any]]) -> None:
            changed = [{**row, "access_id": access_id} for row in rows]
            self._client.upsert(data=changed, **self._options)

        with self._changing, _reported("change access"):
            self._exhaust(others, list(_FIELDS), grant)

    def search(self, query: Query, k: int) -> list[Hit]:
        """Return the `k` best chunks that the filters admit, never fewer while there are some.

        The text is not searched. Raises `SearchIndexError` if `k` is more than the kind can find.
        """
        check_question(query, self.dimension)
        if k <= 0 or not query.access.access_ids:
            return []
        if k > _K_MAX[self.kind]:
            raise SearchIndexError(
                f"Milvus finds at most {_K_MAX[self.kind]} chunks by {self.kind}, not {k}: ask "
                "for fewer."
            )
        admitted = expression(query.access, query.metadata)
        with _reported("search"):
            hits = self._nearest(query, admitted, k)
            if len(hits) < k and self.kind in _GRAPHS:
                hits += self._overlooked(query, admitted, hits, k - len(hits))
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))

    def close(self) -> None:
        """Disconnect; the index can't be used any more."""
        self._client.close()

    def _check(self) -> None:
        found = self._client.describe_collection(**self._options)
        fields = {field["name"]: field["params"] for field in found["fields"]}
        dimension = fields.get("vector", {}).get("dim")
        if set(fields) != set(_FIELDS) or dimension != self.dimension:
            raise SearchIndexError(
                f"The collection {self._collection} has the fields {sorted(fields)} and vectors "
                f"of {dimension} numbers, not those of this index: name another collection."
            )
        kind = self._client.describe_index(index_name="vector", **self._options)["index_type"]
        if kind != self.kind:
            raise SearchIndexError(
                f"The collection {self._collection} is searched by {kind}, not by {self.kind}: "
                "name that kind, or another collection."
            )

    def _create(self) -> None:
        types = _pymilvus().DataType
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("chunk_id", types.INT64, is_primary=True)
        for name in _NAMES:
            schema.add_field(name, types.VARCHAR, max_length=_NAME_BYTES)
        for name in _NUMBERS:
            schema.add_field(name, types.INT64)
        schema.add_field("vector", types.FLOAT_VECTOR, dim=self.dimension)
        indexed = self._client.prepare_index_params()
        indexed.add_index("vector", self.kind, "vector", metric_type="IP")
        for name in _INDEXED:
            indexed.add_index(name, "INVERTED", name)
        self._client.create_collection(
            schema=schema, index_params=indexed, consistency_level="Strong", **self._options
        )

    def _rows(self, which: str, fields: list[str], **options: int) -> list[dict[str, Any]]:
        found = self._client.query(
            filter=which,
            output_fields=fields,
            consistency_level="Strong",
            **options,
            **self._options,
        )
        return list(found)

    def _delete(self, rows: list[dict[str, Any]]) -> None:
        # Not by an expression: which rows that meets may be decided on an older state.
        self._client.delete(ids=[row["chunk_id"] for row in rows], **self._options)

    def _exhaust(
        self, which: str, fields: list[str], change: Callable[[list[dict[str, Any]]], None]
    ) -> None:
        """Change rows, a batch at a time, until no row is left that meets an expression."""
        before: set[int] = set()
        while rows := self._rows(which, fields, limit=_BATCH):
            now = {row["chunk_id"] for row in rows}
            if now & before:
                raise SearchIndexError(
                    f"Milvus still shows {len(now & before)} chunks as they were before a "
                    "change: see whether it is healthy, then repeat the change."
                )
            change(rows)
            before = now

    def _nearest(self, query: Query, admitted: str, k: int) -> list[Hit]:
        (found,) = self._client.search(
            data=[query.vector.astype(np.float32)],
            filter=admitted,
            limit=k,
            output_fields=["access_id"],
            search_params={"metric_type": "IP", "params": _effort(self.kind, k)},
            anns_field="vector",
            consistency_level="Strong",
            **self._options,
        )
        for one in found:
            if one["entity"]["access_id"] not in query.access.access_ids:
                raise SearchIndexError(
                    f"Milvus found chunk {one['chunk_id']}, which the filter forbids: don't "
                    "answer from it before its version is known to filter."
                )
        return [_hit(one["chunk_id"], one["distance"]) for one in found]

    def _overlooked(self, query: Query, admitted: str, found: list[Hit], n: int) -> list[Hit]:
        """Return admitted chunks that a walk through the graph did not come to, not the best."""
        known = ", ".join(str(hit.chunk_id) for hit in found)
        others = f"{admitted} and chunk_id not in [{known}]" if found else admitted
        rows = self._rows(others, ["chunk_id", "vector"], limit=n)
        return [_hit(row["chunk_id"], float(np.dot(query.vector, row["vector"]))) for row in rows]


def expression(access: AccessFilter, metadata: MetadataFilter) -> str:
    """Return both filters as Milvus' boolean expression; `access` must name somebody."""
    facets = {
        "collection": metadata.collections,
        "industry": metadata.industries,
        "lang": metadata.langs,
        "media_type": metadata.media_types,
    }
    parts = [_is_in("access_id", map(str, sorted(access.access_ids)))]
    parts += [
        _is_in(name, map(_quoted, sorted(wanted))) for name, wanted in facets.items() if wanted
    ]
    if access.closed_collections:
        closed = _is_in("collection", map(_quoted, sorted(access.closed_collections)))
        parts.append(f"not ({closed})")
    if metadata.since:
        parts.append(f"day >= {metadata.since.toordinal()}")
    if metadata.until:
        parts.append(f"day > {UNDATED} and day <= {metadata.until.toordinal()}")
    return " and ".join(parts)


def _is_in(field: str, literals: Iterable[str]) -> str:
    return f"{field} in [{', '.join(literals)}]"


def _quoted(text: str) -> str:
    # Milvus Lite has no templates, which would spare this.
    return f'"{text.translate(_ESCAPES)}"'


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "chunk_id": entry.chunk_id,
        "document_id": entry.document_id,
        "collection": entry.facets.collection,
        "industry": entry.facets.industry,
        "lang": entry.facets.lang,
        "media_type": entry.facets.media_type,
        "access_id": entry.access_id,
        "day": day_of(entry.facets),
    }


def _hit(chunk_id: int, score: float) -> Hit:
    return Hit(int(chunk_id), float(score), dense=float(score))


def _effort(kind: Kind, k: int) -> dict[str, int]:
    """Return how many neighbours a walk through a graph keeps in sight; at least `k`."""
    n = max(k, _N_EXPLORED)
    if kind == "HNSW":
        return {"ef": n}
    return {"itopk_size": 1 << (n - 1).bit_length()} if kind == "GPU_CAGRA" else {}


def _pymilvus() -> Any:
    try:
        return import_module("pymilvus")
    except ImportError as error:
        raise SearchIndexError(
            "The client of Milvus isn't installed: pip install 'enterprise-assistant[milvus]'."
        ) from error


@contextmanager
def _reported(doing: str) -> Iterator[None]:
    errors = _pymilvus().MilvusException
    try:
        yield
    except errors as error:
        raise SearchIndexError(
            f"Milvus could not {doing}: {error.message}. See that it runs and can be reached, "
            "then try again."
        ) from error
