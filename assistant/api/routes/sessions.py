"""Signing in and out, and what the person who is signed in may read."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy import Connection

from assistant.access.acl import access_filter
from assistant.access.identity import caller_of
from assistant.access.roles import PERMISSIONS
from assistant.api.deps import AssistantOf, SignedIn, StateOf, Token
from assistant.api.schemas.people import (
    CollectionBody,
    Me,
    PersonBody,
    ReadableBody,
    SessionBody,
    SignIn,
    SourceBody,
)
from assistant.audit import event as audit
from assistant.domain import Caller
from assistant.errors import Unauthenticated
from assistant.store import holders, people
from assistant.store.people import Person
from assistant.store.readable import ReadableShare, readable_shares
from assistant.store.runs import list_runs
from assistant.store.sources import clock

router = APIRouter(tags=["sessions"])


@router.post("/v1/sessions", status_code=201)
def sign_in(state: StateOf, credentials: SignIn) -> SessionBody:
    """Check a password and begin a session."""
    assistant = state.assistant
    state.throttle.attempt(credentials.login)
    seconds = assistant.settings.serve.session_s
    try:
        with assistant.database.begin() as conn:
            expires_at = clock(conn) + timedelta(seconds=seconds)
            token = people.sign_in(conn, credentials.login, credentials.password, seconds)
            person = people.person_of(conn, token)
            actor = audit.actor_of(caller_of(conn, person))
            assistant.audit.append(conn, audit.Event(actor, audit.SignedIn("password")))
    except Unauthenticated:
        failed = audit.SignInFailed(credentials.login)
        assistant.audit.record(audit.Event(audit.ANONYMOUS, failed))
        raise
    state.throttle.succeeded(credentials.login)
    return SessionBody(token=token, expires_at=expires_at, person=PersonBody.of(person))


@router.delete("/v1/sessions/current", status_code=204)
def sign_out(assistant: AssistantOf, caller: SignedIn, token: Token) -> None:
    """End the session of the token that is sent, or the provider's tokens up to now."""
    with assistant.database.begin() as conn:
        people.revoke(conn, token)
        if any(name.startswith("token:") for name in caller.credentials):
            holders.sign_out(conn, caller.person_id)
        assistant.audit.append(conn, audit.Event(audit.actor_of(caller), audit.SignedOut()))


@router.get("/v1/me")
def me(state: StateOf, caller: SignedIn) -> Me:
    """Say who is signed in and what they may read."""
    with state.assistant.database.begin() as conn:
        person = _person(conn, caller)
        readable = _readable(conn, caller)
    suggested = list(state.suggestions(person)) if readable.n_documents else []
    return Me(person=PersonBody.of(person), readable=readable, suggestions=suggested)


def _person(conn: Connection, caller: Caller) -> Person:
    person = people.person_by_id(conn, caller.person_id)
    if person is None:
        raise Unauthenticated()
    return person


def _readable(conn: Connection, caller: Caller) -> ReadableBody:
    """Count what a caller may read; whoever may not read documents sees no counts either."""
    may_read = PERMISSIONS["read_documents"] & caller.roles
    access = access_filter(conn, caller)
    found = readable_shares(conn, access.access_ids, access.closed_collections)
    shares = found if may_read else []
    return ReadableBody(
        n_documents=sum(share.n_documents for share in shares),
        collections=_collections(shares),
        newest_sync_at=max((s.synced_at for s in shares if s.synced_at), default=None),
        sources=_sources(conn, shares),
        langs=sorted({share.lang for share in shares if share.lang}),
        media_types=sorted({share.media_type for share in shares if share.media_type}),
    )


def _collections(shares: list[ReadableShare]) -> list[CollectionBody]:
    counts: Counter[str] = Counter()
    first: dict[str, ReadableShare] = {}
    for share in shares:
        counts[share.collection] += share.n_documents
        first.setdefault(share.collection, share)
    return [
        CollectionBody(
            name=name,
            title=_title(name),
            industry=first[name].industry,
            n_documents=counts[name],
        )
        for name in sorted(counts)
    ]


def _sources(conn: Connection, shares: list[ReadableShare]) -> list[SourceBody]:
    distinct = {share.source_id: share for share in shares}
    bodies = []
    for source_id, share in distinct.items():
        runs = list_runs(conn, source_id, limit=1)
        bodies.append(
            SourceBody(
                name=share.source,
                title=share.source_title or share.source,
                synced_at=share.synced_at,
                state=runs[0].state if runs else "new",
            )
        )
    return sorted(bodies, key=lambda body: body.name)


def _title(name: str) -> str:
    """Return a collection's name as words."""
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
