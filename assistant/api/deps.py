"""What routes are given: the assistant, the caller, and the permission a route declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from assistant.access.identity import caller_of_token
from assistant.access.principals import with_purpose
from assistant.access.roles import Permission, require
from assistant.api.readiness import Readiness
from assistant.api.throttle import SignInThrottle
from assistant.domain import Caller
from assistant.errors import Unauthenticated
from assistant.store.people import Person
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


def state_of(request: Request) -> State:
    """Return what the request's app holds."""
    state: State = request.app.state.own
    return state


def assistant_of(request: Request) -> Assistant:
    """Return the assistant behind the request's app."""
    return state_of(request).assistant


StateOf = Annotated[State, Depends(state_of)]
AssistantOf = Annotated[Assistant, Depends(assistant_of)]

_bearer = HTTPBearer(auto_error=False, description="the token of `POST /v1/sessions`")


def token_of(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """Return the bearer token: the only place a credential is taken from."""
    if credentials is None or not credentials.credentials:
        raise Unauthenticated()
    return credentials.credentials


Token = Annotated[str, Depends(token_of)]


PurposeStated = Annotated[
    str,
    Header(pattern=r"^[a-z0-9_-]{0,60}$", description="what the caller reads for, if asked for"),
]


@dataclass(frozen=True, slots=True)
class Permitted:
    """The permission that a route declares: `Annotated[Caller, Depends(Permitted("ask"))]`."""

    permission: Permission

    def __call__(
        self, assistant: AssistantOf, token: Token, x_purpose: PurposeStated = ""
    ) -> Caller:
        """Return the caller; raises `Unauthenticated` and `Forbidden`."""
        with assistant.database.begin() as conn:
            caller = caller_of_token(conn, token)
        require(caller, self.permission)
        return with_purpose(caller, x_purpose)


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
Examiner = Annotated[Caller, Depends(Permitted("examine_access"))]
