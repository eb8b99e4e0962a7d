"""Milvus Lite: the protocol of Milvus over one file, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from milvus_lite.server_manager import server_manager_instance  # type: ignore[import-untyped]

from indexes.milvus import MilvusIndex


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a service that runs until the end of the block."""
    uri = str(folder / "milvus.db")
    try:
        yield uri
    finally:
        stop(uri)


def stop(uri: str) -> None:
    """Stop a service; the next client to connect starts it again from its file."""
    server_manager_instance.release_server(uri)


@contextmanager
def emptied(index: MilvusIndex) -> Iterator[MilvusIndex]:
    """An index that loses what it got in the block: new collections take a second and more."""
    try:
        yield index
    finally:
        index._client.delete(index._collection, filter="access_id >= 0")
        assert len(index) == 0
