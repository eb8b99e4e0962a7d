"""Which fields of events are personal, and whose: these the log keeps sealed."""

from __future__ import annotations

from pydantic import JsonValue
from sqlalchemy import Connection

from assistant.audit.event import Event, QueryAccepted, QueryPrompted, SignInFailed, plain
from assistant.store import subject_keys

_FIELDS = {
    QueryAccepted.type: "question",
    QueryPrompted.type: "standalone_question",
    SignInFailed.type: "login",
}


def login_subject(login: str) -> str:
    """Return the subject of what somebody typed as a login, who may be nobody."""
    return f"login:{login}"


def sealed_fields(conn: Connection, event: Event) -> dict[str, JsonValue]:
    """Return the personal fields of an event's data, sealed for its subject and month."""
    name = _FIELDS.get(event.data.type)
    if name is None:
        return {}
    value = plain(getattr(event.data, name))
    is_login = isinstance(event.data, SignInFailed)
    subject = login_subject(str(value)) if is_login else event.actor.person_id
    return {name: dict(subject_keys.seal(conn, subject, event.at, value))}
