"""Connectors by name, from the entry points of every installed package.

A package adds a connector in its `pyproject.toml`::

    [project.entry-points."assistant.connectors"]
    sharefile = "acme_sharefile:ShareFile"
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from connectors.contract import Connector, ConnectorError

GROUP = "assistant.connectors"


def names() -> list[str]:
    """Return the names of the installed connectors, without importing one."""
    return sorted({found.name for found in entry_points(group=GROUP)})


def connector_class(name: str) -> type[Connector]:
    """Import a connector's class.

    Raises `ConnectorError` if there is none of that name, if two packages bring one, or if it
    can't be imported; the message says what to install.
    """
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if not found:
        raise ConnectorError(
            f"There is no connector {name!r}; installed are: {', '.join(names()) or 'none'}. "
            f"Install the package that brings it (pip install PACKAGE) and check the name."
        )
    if len(found) > 1:
        packages = ", ".join(sorted(_package(entry) for entry in found.values()))
        raise ConnectorError(f"Several packages bring a connector {name!r}: {packages}. Keep one.")
    return _import(next(iter(found.values())))


def _import(entry: EntryPoint) -> type[Connector]:
    try:
        loaded = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConnectorError(
            f"The connector {entry.name!r} of {_package(entry)} can't be loaded: {error}. "
            f"Install what it needs (pip install --upgrade {_package(entry)})."
        ) from error
    return cast(type[Connector], loaded)


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.module
