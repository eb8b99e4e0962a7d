"""Which fields of events are personal, and whose: these the log keeps sealed."""

from __future__ import annotations

from pydantic import JsonValue
from sqlalchemy import Connection

from assistant.audit.break_glass import BreakGlassAsked, BreakGlassRefused
from assistant.audit.event import (
    Event,
    QueryAccepted,
    QueryPrompted,
    SignInFailed,
    plain,
)
from assistant.audit.provisioning import PersonPushed
from assistant.store import subject_keys

_FIELDS = {
    QueryAccepted.type: ("question",),
    QueryPrompted.type: ("standalone_question",),
    SignInFailed.type: ("login",),
    PersonPushed.type: ("user_name",),
    BreakGlassAsked.type: ("reason", "named"),
    BreakGlassRefused.type: ("answer",),
}


def login_subject(login: str) -> str:
    """Return the subject of what somebody typed as a login, who may be nobody."""
    return f"login:{login}"


def sealed_fields(conn: Connection, event: Event) -> dict[str, JsonValue]:
    """Return the personal fields of an event's data, sealed for its subject and month."""
    fields = {n: plain(getattr(event.data, n)) for n in _FIELDS.get(event.data.type, ())}
    return {
        name: dict(subject_keys.seal(conn, _subject(event), event.at, value))
        for name, value in fields.items()
    }


def _subject(event: Event) -> str:
    """Return whom the personal field of an event is about."""
    match event.data:
        case SignInFailed(login):
            return login_subject(login)
        case PersonPushed(person_id) | BreakGlassRefused(person_id=person_id):
            return person_id
    return event.actor.person_id
