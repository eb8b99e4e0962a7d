"""Sources added, tried and removed, for the command line and the API alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from pydantic import JsonValue, SecretStr
from sqlalchemy import Connection

from assistant.audit.event import SYSTEM, Actor, Event, SourceChanged
from assistant.audit.log import AuditLog
from assistant.ingest import configuration
from assistant.ingest.confinement import Confinement
from assistant.store import catalog, sources
from assistant.store.database import Database
from assistant.store.sources import Source
from assistant.vault import Vault
from connectors.contract import Connector, Failed, Item, Mark

EVERYONE = "everyone"

LEASE_S = 900.0

OpenVault = Callable[[], Vault]


@dataclass(frozen=True, slots=True)
class Draft:
    """A source as somebody wants it; `secrets` are those that are given anew."""

    name: str
    connector: str
    config: Mapping[str, JsonValue]
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    title: str = ""
    industry: str = ""


@dataclass(slots=True)
class Look:
    """What a first look at a source found; `readers` counts items by who may read them."""

    n_groups: int = 0
    n_items: int = 0
    n_failed: int = 0
    readers: Counter[str] = field(default_factory=Counter)

    def objection(self, name: str, remedy: str) -> str:
        """Return why the source should not be used as it is, or nothing."""
        if not self.readers[EVERYONE]:
            return ""
        return (
            f"{self.readers[EVERYONE]} items of {name} can be read by everyone: restrict them "
            f"at the source, or accept it with {remedy}."
        )


def put(
    conn: Connection,
    audit: AuditLog,
    vault: OpenVault,
    draft: Draft,
    actor: Actor = SYSTEM,
    confinement: Confinement | None = None,
) -> Source:
    """Add a source, or change the one of that name; secrets not given again are kept.

    The vault is opened, and its key perhaps made, only where there are secrets.

    Raises `InvalidRequest` with a sentence for each field that is unknown, missing or wrong, or
    leads out of the confinement.
    """
    config = configuration.connector_class(draft.connector).Config
    fresh = configuration.spread(config, draft.secrets)
    secrets = {**_kept(conn, vault, draft), **fresh}
    stored = configuration.checked(config, draft.config, secrets)
    if confinement:
        confinement.admit(
            draft.name, config.model_validate(configuration.whole(config, stored, secrets))
        )
    safe = vault() if secrets else None
    sealed = {name: safe.seal(draft.name, name, s) for name, s in secrets.items()} if safe else {}
    source = sources.put_source(
        conn,
        draft.name,
        draft.connector,
        stored,
        secrets=sealed,
        title=draft.title,
        industry=draft.industry,
    )
    audit.append(conn, Event(actor, SourceChanged(draft.name, "put")))
    return source


def remove(database: Database, audit: AuditLog, source: Source, actor: Actor = SYSTEM) -> int:
    """Delete the documents, then the source: searchers see deletions only once committed.

    Returns how many documents there were. Raises `Conflict` while a run holds the lease.
    """
    with database.begin() as conn:
        lease = sources.acquire_lease(conn, source.id, LEASE_S)
        n_documents = catalog.delete_documents(conn, source.id)
        audit.append(conn, Event(actor, SourceChanged(source.name, "emptied")))
    with database.begin() as conn:
        sources.remove_source(conn, lease)
        audit.append(conn, Event(actor, SourceChanged(source.name, "removed")))
    return n_documents


async def look(connector: Connector) -> Look:
    """Check a source, and list its groups and its first page; nothing is stored.

    Raises `ConnectorError` if it can't be used.
    """
    found = Look()
    try:
        await connector.check()
        async for _ in connector.groups():
            found.n_groups += 1
        async with aclosing(connector.changes(None)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Mark):
                    break
                if isinstance(event, Item):
                    found.n_items += 1
                    found.readers.update(event.access.allow or {"nobody"})
                found.n_failed += isinstance(event, Failed)
    finally:
        await connector.aclose()
    return found


def _kept(conn: Connection, vault: OpenVault, draft: Draft) -> dict[str, SecretStr]:
    """Return the secrets that a source of this type has and that are not set anew."""
    found = next((s for s in sources.list_sources(conn) if s.name == draft.name), None)
    if found is None or found.connector != draft.connector:
        return {}
    sealed = {name: token for name, token in found.secrets.items() if name not in draft.secrets}
    return vault().unseal(draft.name, sealed) if sealed else {}
