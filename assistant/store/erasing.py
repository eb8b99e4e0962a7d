"""Where a subject may be named, and how it is taken out of there."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.store import catalog, tombstones
from assistant.store import subject_keys as keys
from assistant.store.heads import bump_epoch
from assistant.store.identity_tables import api_keys, break_glass, quotas, scim_users, token_holders
from assistant.store.lifecycle_tables import erasures, subject_keys
from assistant.store.people import Person, list_people
from assistant.store.tables import (
    chunks,
    conversations,
    document_versions,
    documents,
    embeddings,
    failures,
    feedback,
    memberships,
    messages,
    people,
    records,
    sessions,
)

_BATCH = 1000
_ERASED = "erased:"
_SHRUNK = (chunks, documents, document_versions, records, embeddings, messages, feedback)
_SHRUNK_TOO = (conversations, failures, people, memberships, subject_keys, api_keys, scim_users)


_FORGET_PRINCIPALS = sa.text(
    """
    DELETE FROM principal_sets WHERE EXISTS (
        SELECT 1 FROM unnest(principals) AS held
        WHERE held LIKE 'user:%' AND split_part(held, '|', 2) = ANY(:called)
    )
    """
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as it was begun; a certificate ends it."""

    id: str
    salt: bytes
    terms: Mapping[str, list[str]]
    person_ids: tuple[str, ...]
    document_ids: tuple[str, ...]
    certificate: Mapping[str, Any] | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = field(default=None)


def document_texts(conn: Connection) -> Iterator[tuple[str, str]]:
    """Yield the id of a document and a text of it: name, facts, passages, records, old titles."""
    d, c, r, v = documents.c, chunks.c, records.c, document_versions.c
    as_text = sa.Text
    facts = sa.func.concat_ws(" ", d.external_id, d.uri, d.title, sa.cast(d.meta, as_text))
    passage = sa.func.concat_ws(" ", sa.func.array_to_string(c.heading, " "), c.text)
    record = sa.func.concat_ws(" ", r.record_id, r.subject, sa.cast(r["values"], as_text))
    for query in (
        sa.select(d.id, facts),
        sa.select(c.document_id, passage),
        sa.select(r.document_id, record),
        sa.select(v.document_id, v.title),
    ):
        yield from _streamed(conn, query)


def message_texts(conn: Connection) -> Iterator[tuple[str, str]]:
    """Yield the id of a conversation and a text of it: title, message or remark."""
    c, m, f = conversations.c, messages.c, feedback.c
    ring = keys.KeyRing(conn)
    for query in (
        sa.select(c.id, c.title),
        sa.select(m.conversation_id, f.comment).join(feedback, f.message_id == m.id),
    ):
        for key, sealed in _streamed(conn, query):
            yield key, ring.open_text(sealed)
    spoken = sa.select(m.conversation_id, sa.cast(m.body, sa.Text))
    for key, sealed in _streamed(conn, spoken):
        yield key, json.dumps(ring.open(json.loads(sealed)), ensure_ascii=False)


def failure_texts(conn: Connection) -> Iterator[tuple[tuple[int, str], str]]:
    """Yield the key of a file that could not be read, and what is known of it."""
    f = failures.c
    for row in conn.execute(sa.select(f.source_id, f.external_id, f.error, f.item)):
        yield (row.source_id, row.external_id), f"{row.external_id} {row.error} {row.item}"


def persons_called(conn: Connection, names: Collection[str]) -> list[Person]:
    """Return the people with one of these names as login, e-mail, full name or id."""
    wanted = {name.casefold() for name in names}
    return [
        person
        for person in list_people(conn)
        if wanted
        & {t.casefold() for t in (person.id, person.login, person.email, person.name) if t}
    ]


def handles(conn: Connection, person_ids: Collection[str]) -> set[str]:
    """Return the ids and logins of these people."""
    mine = people.c.id.in_(list(person_ids))
    rows = conn.execute(sa.select(people.c.id, people.c.login).where(mine))
    return {text for row in rows for text in row}


def counts(conn: Connection, document_ids: Collection[str]) -> dict[str, int]:
    """Return how many passages, records and further vectors these documents have."""
    ids = list(document_ids)
    mine = sa.select(chunks.c.id).where(chunks.c.document_id.in_(ids))
    found = {
        "chunks": mine,
        "records": sa.select(records.c.ord).where(records.c.document_id.in_(ids)),
        "embeddings": sa.select(embeddings.c.chunk_id).where(embeddings.c.chunk_id.in_(mine)),
    }
    return {
        name: conn.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
        for name, query in found.items()
    }


def owned(conn: Connection, person_ids: Collection[str]) -> list[str]:
    """Return the ids of these people's conversations."""
    own = conversations.c.person_id.in_(list(person_ids))
    return list(conn.scalars(sa.select(conversations.c.id).where(own)))


def collections_of(conn: Connection, document_ids: Collection[str]) -> set[str]:
    """Return the collections that these documents are in."""
    mine = documents.c.id.in_(list(document_ids))
    return set(conn.scalars(sa.select(documents.c.collection).where(mine)))


def erase_documents(conn: Connection, document_ids: Sequence[str], erasure_id: str) -> None:
    """Delete documents and what still tells of them; their numbers stay, for the change feed.

    No sync brings them back until the erasure is released.
    """
    rows = conn.execute(
        sa.select(documents.c.source_id, documents.c.external_id)
        .where(documents.c.id.in_(document_ids))
        .order_by(documents.c.id)
    ).all()
    for row in rows:
        catalog.delete_document(conn, row.source_id, row.external_id)
    named = [(r.source_id, r.external_id) for r in rows if not r.external_id.startswith(_ERASED)]
    tombstones.put(conn, erasure_id, named)
    conn.execute(
        sa.delete(document_versions).where(document_versions.c.document_id.in_(document_ids))
    )
    conn.execute(
        sa.update(documents)
        .where(documents.c.id.in_(document_ids))
        .values(
            external_id=sa.literal(_ERASED) + documents.c.id,
            version="",
            uri="",
            title="",
            meta={},
            content_sha256="",
            superseded_by_external=None,
        )
    )


def erase_conversations(conn: Connection, conversation_ids: Collection[str]) -> None:
    """Delete conversations with their messages and remarks."""
    which = conversations.c.id.in_(list(conversation_ids))
    conn.execute(sa.delete(conversations).where(which))


def erase_failures(conn: Connection, keys: Collection[tuple[int, str]], erasure_id: str) -> None:
    """Forget files that could not be read, and don't look at them again."""
    tombstones.put(conn, erasure_id, keys)
    for source_id, external_id in keys:
        f = failures.c
        conn.execute(
            sa.delete(failures).where(f.source_id == source_id, f.external_id == external_id)
        )


def erase_person(conn: Connection, person_id: str) -> None:
    """Take a person's names, password, sessions, keys and conversations; the log keeps the id."""
    row = conn.execute(sa.select(people).where(people.c.id == person_id)).one_or_none()
    if row is None:
        return
    keys.delete(conn, [person_id, f"login:{row.login}"])
    conn.execute(sa.delete(conversations).where(conversations.c.person_id == person_id))
    conn.execute(sa.delete(feedback).where(feedback.c.person_id == person_id))
    for table in (sessions, api_keys, token_holders, scim_users, break_glass):
        conn.execute(sa.delete(table).where(table.c.person_id == person_id))
    conn.execute(sa.delete(quotas).where(quotas.c.name == f"person:{person_id}"))
    called = [row.subject, row.login]
    conn.execute(sa.delete(memberships).where(_is_user(memberships.c.member, called)))
    conn.execute(_FORGET_PRINCIPALS, {"called": called})
    nobody = f"{_ERASED}{person_id}"
    conn.execute(
        sa.update(people)
        .where(people.c.id == person_id)
        .values(
            login=nobody,
            subject=nobody,
            name="",
            email=None,
            password_hash=None,
            company="",
            disabled_at=sa.func.coalesce(people.c.disabled_at, sa.func.now()),
        )
    )
    bump_epoch(conn)


def begin(conn: Connection, erasure: Erasure) -> None:
    """Note that an erasure was begun, so that it will be finished whatever happens."""
    conn.execute(
        sa.insert(erasures).values(
            id=erasure.id,
            salt=erasure.salt,
            terms=dict(erasure.terms),
            person_ids=list(erasure.person_ids),
            document_ids=list(erasure.document_ids),
        )
    )


def add_documents(conn: Connection, erasure_id: str, document_ids: Collection[str]) -> None:
    """Note further documents that an erasure has found."""
    merged = erasures.c.document_ids + sa.literal(sorted(document_ids), sa.ARRAY(sa.Text))
    conn.execute(sa.update(erasures).where(erasures.c.id == erasure_id).values(document_ids=merged))


def finish(conn: Connection, erasure_id: str, certificate: Mapping[str, Any]) -> None:
    """Keep the certificate of an erasure."""
    conn.execute(
        sa.update(erasures)
        .where(erasures.c.id == erasure_id)
        .values(certificate=dict(certificate), finished_at=sa.func.now())
    )


def listed(conn: Connection, *, unfinished: bool = False) -> list[Erasure]:
    """Return the erasures, the oldest first."""
    query = sa.select(erasures).order_by(erasures.c.started_at, erasures.c.id)
    if unfinished:
        query = query.where(erasures.c.finished_at.is_(None))
    return [
        Erasure(
            row.id,
            bytes(row.salt),
            row.terms,
            tuple(row.person_ids),
            tuple(row.document_ids),
            row.certificate,
            row.started_at,
            row.finished_at,
        )
        for row in conn.execute(query)
    ]


def shrink(conn: Connection) -> None:
    """Let the database give up the space of deleted rows; `conn` is in no transaction."""
    for table in (*_SHRUNK, *_SHRUNK_TOO):
        conn.execute(sa.text(f'VACUUM "{table.name}"'))


def _is_user(principal: sa.ColumnElement[str], subjects: Sequence[str]) -> sa.ColumnElement[bool]:
    """Match `user:ISSUER|SUBJECT` of any issuer: sources name the same people in their own way."""
    last = sa.func.split_part(principal, "|", 2)
    return sa.and_(principal.startswith("user:"), last.in_(subjects))


def _streamed(conn: Connection, query: sa.Select[Any]) -> Iterator[tuple[str, str]]:
    with conn.execute(query.execution_options(yield_per=_BATCH)) as rows:
        for key, text in rows:
            yield key, text or ""
