"""What routes are given: the assistant, the caller, and the permission a route declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection

from assistant.access.gate import Admitted, Gate, Presented
from assistant.access.principals import with_purpose
from assistant.access.roles import Permission, require
from assistant.access.tokens import MAX_TOKEN
from assistant.api.problems import TooManyRequests
from assistant.api.readiness import Readiness
from assistant.api.slots import Slots
from assistant.api.throttle import SignInThrottle
from assistant.audit import event as audit
from assistant.domain import Caller
from assistant.errors import Unauthenticated
from assistant.store.people import Person
from assistant.store.quotas import take
from assistant.wiring import Assistant

Suggestions = Callable[[Person], Sequence[str]]
"""Returns the questions that the chat suggests to a person."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything an app holds."""

    assistant: Assistant
    suggestions: Suggestions
    throttle: SignInThrottle
    readiness: Readiness
    gate: Gate
    slots: Slots


def state_of(request: Request) -> State:
    """Return what the request's app holds."""
    state: State = request.app.state.own
    return state


def assistant_of(request: Request) -> Assistant:
    """Return the assistant behind the request's app."""
    return state_of(request).assistant


COUNTED: frozenset[Permission] = frozenset({"ask"})
"""Permissions whose use the quotas count."""

StateOf = Annotated[State, Depends(state_of)]
AssistantOf = Annotated[Assistant, Depends(assistant_of)]

_bearer = HTTPBearer(
    auto_error=False,
    description="the token of `POST /v1/sessions`, an access token of the identity provider, or "
    "an API key",
)


def token_of(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """Return the bearer token: the only place a credential is taken from."""
    if credentials is None or not credentials.credentials:
        raise Unauthenticated()
    return credentials.credentials


Token = Annotated[str, Depends(token_of)]


def presented(
    token: Token,
    on_behalf_of: Annotated[
        str,
        Header(
            max_length=MAX_TOKEN,
            description="with a service's key: the token of a person it asks for",
        ),
    ] = "",
) -> Presented:
    """Return every credential of a request."""
    return Presented(token, on_behalf_of.removeprefix("Bearer "))


Credentials = Annotated[Presented, Depends(presented)]

PurposeStated = Annotated[
    str,
    Header(pattern=r"^[a-z0-9_-]{0,60}$", description="what the caller reads for, if asked for"),
]


@dataclass(frozen=True, slots=True)
class Permitted:
    """The permission that a route declares: `Annotated[Caller, Depends(Permitted("ask"))]`."""

    permission: Permission

    def __call__(
        self, state: StateOf, credentials: Credentials, x_purpose: PurposeStated = ""
    ) -> Caller:
        """Return the caller; raises `Unauthenticated`, `Forbidden` and `TooManyRequests`."""
        proved = state.gate.prove(credentials)
        with state.assistant.database.begin() as conn:
            admitted = state.gate.admit(conn, proved)
            _record(state.assistant, conn, admitted)
        require(admitted.caller, self.permission)
        if self.permission in COUNTED:
            _count(state.assistant, admitted.caller)
        return with_purpose(admitted.caller, x_purpose)


def _record(assistant: Assistant, conn: Connection, admitted: Admitted) -> None:
    """Write to the audit log what is new about a caller."""
    caller = admitted.caller
    actor = audit.actor_of(caller)
    news: list[audit.EventData] = []
    if admitted.is_new:
        news.append(audit.PersonChanged(caller.person_id, "added", actor.roles))
    if admitted.signed_in:
        news.append(audit.SignedIn("oidc"))
    if admitted.n_groups is not None:
        news.append(audit.GroupsProvided(caller.person_id, admitted.n_groups))
    for one in news:
        assistant.audit.append(conn, audit.Event(actor, one))


def _count(assistant: Assistant, caller: Caller) -> None:
    """Take a question from the person's quota, and from the key's."""
    per_minute = assistant.settings.identity.questions_per_minute
    if not per_minute:
        return
    keys = [name for name in caller.credentials if name.startswith("key:")]
    with assistant.database.begin() as conn:
        waits = [take(conn, name, per_minute) for name in (f"person:{caller.person_id}", *keys)]
    if any(waits):
        raise TooManyRequests(max(waits))


Asker = Annotated[Caller, Depends(Permitted("ask"))]
Reader = Annotated[Caller, Depends(Permitted("read_documents"))]
Owner = Annotated[Caller, Depends(Permitted("own_conversations"))]
SignedIn = Annotated[Caller, Depends(Permitted("own_session"))]
ReceiptHolder = Annotated[Caller, Depends(Permitted("see_receipts"))]
Auditor = Annotated[Caller, Depends(Permitted("read_audit"))]
Exporter = Annotated[Caller, Depends(Permitted("export_audit"))]
Operator = Annotated[Caller, Depends(Permitted("see_sources"))]
Runner = Annotated[Caller, Depends(Permitted("run_syncs"))]
Manager = Annotated[Caller, Depends(Permitted("manage_sources"))]
Provisioner = Annotated[Caller, Depends(Permitted("scim"))]
PeopleViewer = Annotated[Caller, Depends(Permitted("see_people"))]
PeopleManager = Annotated[Caller, Depends(Permitted("manage_people"))]
Approver = Annotated[Caller, Depends(Permitted("approve_access"))]
LifeCycleViewer = Annotated[Caller, Depends(Permitted("see_life_cycle"))]
Holder = Annotated[Caller, Depends(Permitted("manage_holds"))]
Forgetter = Annotated[Caller, Depends(Permitted("erase"))]
Examiner = Annotated[Caller, Depends(Permitted("examine_access"))]
