"""What an event of the log can be found by: its time, type, actor, question and subjects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from assistant.store.ledger import Terms

_SUBJECTS = (
    "document_id",
    "source",
    "conversation_id",
    "person_id",
    "login",
    "subject",
    "request_id",
)
_SEALED = {"key", "sealed"}


def terms_of(body: bytes) -> Terms:
    """Return the terms of an event's canonical JSON.

    `subjects` are the documents, sources, conversations, people and requests it names, and the keys
    that its personal fields are sealed with.
    """
    event: dict[str, Any] = json.loads(body)
    data = event["data"]
    return Terms(
        at=event["at"],
        type=event["type"],
        person_id=event["actor"]["person_id"],
        query_id=str(data.get("query_id", "")),
        subjects=tuple(sorted(set(_subjects(data)))),
    )


def _subjects(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value.keys() == _SEALED:
        yield value["key"]
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _SUBJECTS and isinstance(item, str) and item:
                yield item
            else:
                yield from _subjects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _subjects(item)
