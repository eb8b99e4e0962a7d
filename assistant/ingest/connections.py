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
from assistant.errors import InvalidRequest
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


@dataclass(frozen=True, slots=True)
class Completed:
    """A draft as it would be stored, its secrets still open.

    `changes` are fields with what is stored and what would be, `replaced` the secrets that are
    given anew. If it `lists_again`, the next sync begins from nothing.
    """

    stored: dict[str, JsonValue]
    secrets: Mapping[str, SecretStr] = field(repr=False)
    changes: tuple[tuple[str, JsonValue, JsonValue], ...]
    replaced: frozenset[str]
    lists_again: bool


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
    leads out of the confinement, and for secrets that would be sent elsewhere than before.
    """
    made = completed(conn, vault, draft, confinement)
    stored, secrets = made.stored, made.secrets
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
    changed = (*(name for name, _, _ in made.changes), *sorted(made.replaced))
    audit.append(conn, Event(actor, SourceChanged(draft.name, "put", changed)))
    return source


def completed(
    conn: Connection, vault: OpenVault, draft: Draft, confinement: Confinement | None = None
) -> Completed:
    """Return a draft checked, with the secrets that are kept; raises as `put` does."""
    config = configuration.connector_class(draft.connector).Config
    fresh = configuration.spread(config, draft.secrets)
    before = next((s for s in sources.list_sources(conn) if s.name == draft.name), None)
    if before is not None and before.connector != draft.connector:
        before = None
    sealed = before.secrets if before is not None else {}
    kept = {name: token for name, token in sealed.items() if name not in fresh}
    secrets = {**(vault().unseal(draft.name, kept) if kept else {}), **fresh}
    stored = configuration.checked(config, draft.config, secrets)
    if confinement:
        whole = configuration.whole(config, stored, secrets)
        confinement.admit(draft.name, config.model_validate(whole))
    old = before.config if before is not None else {}
    differing = configuration.changed(config, old, stored)
    moved = [name for name in configuration.reach(config) if name in differing]
    if kept and moved:
        raise InvalidRequest(
            f"{', '.join(moved)}: this says where secrets are sent, and they were given for "
            f"another value. Give anew: {', '.join(sorted(kept))}."
        )
    changes = tuple((name, old.get(name), stored.get(name)) for name in differing)
    lists_again = before is not None and before.config != stored
    return Completed(stored, secrets, changes, frozenset(fresh), lists_again)


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
