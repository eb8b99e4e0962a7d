"""Whatever a LangChain `BaseLoader` loads, as a source.

Which code may run is not decided by who fills in the form. A loader is imported only from modules
that an installed package names in its `pyproject.toml`, so that it takes someone who may install
packages to widen the list, which is empty at first::

    [project.entry-points."assistant.langchain"]
    acme = "acme_loaders"

This allows `acme_loaders` and what is below it. A path outside is refused before anything is
imported, and what is imported must be a `BaseLoader` that was defined inside.

An item's id is its metadata's `source`; the second document of the same source is `source#2`.
A document without a source is named by its content. A loader has no feed of changes and can't
load one document alone: `changes` loads everything, `version` is the SHA-256 of the text, and the
texts wait in a temporary file until they are fetched. An interrupted listing begins again.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from httpx import HTTPError
from pydantic import BaseModel, Field, JsonValue, SecretStr

from connectors.contract import (
    Access,
    Complete,
    ConnectorError,
    Failed,
    Frozen,
    Gone,
    Group,
    Item,
    Mark,
)
from connectors.sidecars import Principals

if TYPE_CHECKING:
    from langchain_core.document_loaders import BaseLoader
    from langchain_core.documents import Document

GROUP = "assistant.langchain"
ITEMS_PER_MARK = 100
PIECE_BYTES = 65_536

_WEB = ("https://", "http://")
_TEXTS = ("title", "lang", "date", "collection", "industry", "superseded_by")
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    HTTPError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class LangChainConfig(Frozen):
    """Which loader, what it is called with, and who may read what it loads."""

    reach: ClassVar[frozenset[str]] = frozenset({"loader", "arguments"})
    loader: str = Field(
        title="Loader",
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$",
        description="import path of the class, such as acme_loaders.WikiLoader; "
        "an installed package must allow its module",
    )
    arguments: dict[str, JsonValue] = Field(
        default={}, title="Arguments", description="what the loader is called with, by name"
    )
    secrets: dict[str, SecretStr] = Field(
        default={},
        title="Secret arguments",
        description="keys and passwords it is called with: each as secrets.NAME, or all as JSON",
    )
    allow: Principals = Field(
        default=frozenset(),
        title="Readers",
        description="who may read all of it: user:…, group:… or everyone; nobody if empty",
    )
    collection: str = Field(default="", title="Collection", description="where none is loaded")
    industry: str = Field(default="", title="Industry", description="where none is loaded")

    def local_paths(self) -> Iterator[Path]:
        """Return what a loader could take for a path of this machine.

        These are all texts with a separator, except addresses of the web, and names of what is
        there already; what an allowed loader reads by itself is for who allows it to know.
        """
        for text in _texts_of([self.arguments, *self.secrets.values()]):
            has_separator = any(mark in text for mark in ("/", "\\", "~")) or text[:5] == "file:"
            if not text.startswith(_WEB) and (has_separator or _exists(text)):
                yield Path(text)


def _texts_of(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (*_texts_of(key), *_texts_of(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_of(inner)


def _exists(name: str) -> bool:
    try:
        return bool(name) and os.path.lexists(name)
    except ValueError:
        return False


class _Spool:
    """Texts by item id in a temporary file; holds 16 bytes and two numbers a text in memory."""

    def __init__(self) -> None:
        self.repeats: dict[bytes, int] = {}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._end = 0
        self._places: dict[bytes, tuple[int, int]] = {}

    def __contains__(self, item_id: str) -> bool:
        return _key(item_id) in self._places

    def put(self, item_id: str, text: bytes) -> None:
        self._file.seek(self._end)
        self._file.write(text)
        self._file.flush()
        self._places[_key(item_id)] = (self._end, len(text))
        self._end += len(text)

    def pieces(self, item_id: str) -> Iterator[bytes]:
        start, length = self._places[_key(item_id)]
        for offset in range(start, start + length, PIECE_BYTES):
            yield os.pread(self._file.fileno(), min(PIECE_BYTES, start + length - offset), offset)

    def close(self) -> None:
        self._file.close()


class LangChain:
    """Loads with one LangChain loader; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = LangChainConfig

    def __init__(self, config: LangChainConfig) -> None:
        self._config = config
        self._spool: _Spool | None = None
        self._reread: _Spool | None = None
        self._rereading = asyncio.Lock()

    async def check(self) -> None:
        """Raise `ConnectorError` if the loader is not allowed, can't be made or can't load."""
        await asyncio.to_thread(self._check)

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """Load everything, whatever the cursor, with a `Mark` every 100 documents.

        Raises `ConnectorError` if the loader is not allowed or fails.
        """
        self._drop()
        spool = self._spool = _Spool()
        items, done = self._items(spool), 0
        while page := await asyncio.to_thread(list, islice(items, ITEMS_PER_MARK)):
            for item in page:
                yield item
            done += len(page)
            yield Mark(cursor=None, done=done)
        yield Complete(cursor=None, done=done, total=done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield a text in pieces of 64 KiB; raises `ConnectorError` if it is no longer loaded."""
        spool = self._spool
        if spool is None or item.id not in spool:
            spool = await self._reloaded(item.id)
        for piece in spool.pieces(item.id):
            yield piece

    async def groups(self) -> AsyncIterator[Group]:
        """Yield nothing: a loader knows no groups."""
        for group in tuple[Group, ...]():
            yield group

    async def aclose(self) -> None:
        """Delete the temporary file."""
        self._drop()

    async def _reloaded(self, item_id: str) -> _Spool:
        """Load everything once more, beside a listing; raises `ConnectorError` without the item."""
        async with self._rereading:
            if self._reread is None:
                spool = self._reread = _Spool()
                await asyncio.to_thread(lambda: sum(1 for _ in self._items(spool)))
            if item_id not in self._reread:
                raise ConnectorError(f"The loader no longer loads {item_id!r}; sync again.")
            return self._reread

    def _drop(self) -> None:
        for spool in (self._spool, self._reread):
            if spool is not None:
                spool.close()
        self._spool = self._reread = None

    def _check(self) -> None:
        with self._explained():
            next(self._loader().lazy_load(), None)

    def _items(self, spool: _Spool) -> Iterator[Item]:
        with self._explained():
            for document in self._loader().lazy_load():
                if item := self._item(document, spool):
                    yield item

    def _item(self, document: Document, spool: _Spool) -> Item | None:
        text = document.page_content.encode("utf-8", "replace")
        digest = "sha256:" + hashlib.sha256(text).hexdigest()
        source = str(document.metadata.get("source") or "").replace("\x00", "")
        if not source and digest in spool:
            return None
        item_id = _unused(source or digest, spool)
        spool.put(item_id, text)
        config = self._config
        filed = {"collection": config.collection, "industry": config.industry}
        meta: dict[str, JsonValue] = {key: value for key, value in filed.items() if value}
        meta |= _meta(document.metadata)
        return Item(
            id=item_id,
            version=digest,
            uri=source or digest,
            title=str(meta.pop("title", "")),
            media_type="text/plain",
            access=Access(allow=config.allow),
            meta=meta,
        )

    def _loader(self) -> BaseLoader:
        config = self._config
        secrets = {name: secret.get_secret_value() for name, secret in config.secrets.items()}
        return _loader_class(config.loader)(**config.arguments, **secrets)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what a loader raises into a sentence without the secrets."""
        try:
            yield
        except _FAILURES as error:
            why = f"{type(error).__name__}: {error}"
            for secret in self._config.secrets.values():
                if value := secret.get_secret_value():
                    why = why.replace(value, "…")
            raise ConnectorError(
                f"The loader {self._config.loader} failed ({why}). Check its arguments."
            ) from None


def allowed_modules() -> list[str]:
    """Return the modules that installed packages allow loaders to come from."""
    return sorted({entry.value for entry in entry_points(group=GROUP)})


def _is_allowed(module: str) -> bool:
    return any(module == one or module.startswith(one + ".") for one in allowed_modules())


def _loader_class(path: str) -> type[BaseLoader]:
    module, _, name = path.rpartition(".")
    if not _is_allowed(module):
        allowed = ", ".join(allowed_modules()) or "none"
        raise ConnectorError(
            f"Loaders of the module {module} are not allowed; allowed are: {allowed}. "
            f"Install a package that names it in its entry points {GROUP}."
        )
    from langchain_core.document_loaders import BaseLoader

    found = getattr(importlib.import_module(module), name, None)
    if not (isinstance(found, type) and issubclass(found, BaseLoader)):
        raise ConnectorError(f"{path} is not a LangChain BaseLoader; check the import path.")
    if not _is_allowed(found.__module__):
        raise ConnectorError(
            f"{path} comes from {found.__module__}, which is not allowed; name its own module."
        )
    return found


def _unused(name: str, spool: _Spool) -> str:
    item_id = name
    while item_id in spool:
        n = spool.repeats[_key(name)] = spool.repeats.get(_key(name), 1) + 1
        item_id = f"{name}#{n}"
    return item_id


def _meta(metadata: dict[str, object]) -> dict[str, JsonValue]:
    """Return what JSON can hold; a filter that isn't a text is left out."""
    found: dict[str, JsonValue] = {}
    for key, value in metadata.items():
        plain = value.isoformat() if isinstance(value, date) else value
        try:
            written = json.dumps(plain, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            continue
        if plain is None or "\\u0000" in written or "\x00" in key:
            continue
        if key != "source" and (key not in _TEXTS or isinstance(plain, str)):
            found[key] = json.loads(written)
    return found


def _key(item_id: str) -> bytes:
    return hashlib.sha256(item_id.encode("utf-8", "replace")).digest()[:16]
