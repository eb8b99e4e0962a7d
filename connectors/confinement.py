"""Which paths of this machine a configuration leads to, so that they can be confined to some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path, PurePath
from typing import Protocol, runtime_checkable

from pydantic import BaseModel

from connectors.contract import Frozen


@runtime_checkable
class Confinable(Protocol):
    """A configuration that says every path of this machine that it leads to.

    One that doesn't may lead anywhere: it can only be used from the command line.
    """

    def local_paths(self) -> Iterable[Path]:
        """Return them all: of folders, files, sockets, and inside addresses and commands."""


class PathFields(Frozen):
    """A configuration of which only fields of a path's type, and no texts, lead to this machine."""

    def local_paths(self) -> Iterable[Path]:
        """Return the paths that were given."""
        return path_fields(self)


def path_fields(config: BaseModel) -> Iterator[Path]:
    """Yield the paths that were given for fields of a path's type, however deep."""
    return _paths(config)


def _paths(value: object) -> Iterator[Path]:
    if isinstance(value, PurePath):
        yield Path(value)
    elif isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield from _paths(getattr(value, name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _paths(key)
            yield from _paths(inner)
    elif isinstance(value, (list, tuple, Set)):
        for inner in value:
            yield from _paths(inner)
