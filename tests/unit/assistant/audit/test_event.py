from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.audit.event import (
    ANONYMOUS,
    SYSTEM,
    Actor,
    CitedQuote,
    Event,
    EventData,
    PromptedChunk,
    QueryAccepted,
    QueryFinished,
    QueryPrompted,
    SignedOut,
    SignInFailed,
    SyncFinished,
    actor_of,
    canonical,
)
from assistant.domain import Caller, Principal

AT = datetime(2026, 3, 4, 5, 6, 7, 89, UTC)


def test_an_event_is_canonical_json() -> None:
    finished = QueryFinished(
        "q1", "ab" * 32, False, (CitedQuote(7, 0, 12, "verified"),), 1, Decimal("0.250")
    )
    written = canonical(Event(Actor("p1", "cd", ("employee",)), finished, "e1", AT), 41)
    assert written.decode() == (
        '{"actor":{"person_id":"p1","principals_sha256":"cd","roles":["employee"]},'
        '"at":"2026-03-04T05:06:07.000089Z",'
        '"data":{"abstained":false,"answer_sha256":"' + "ab" * 32 + '",'
        '"citations":[{"chunk_id":7,"end":12,"start":0,"verdict":"verified"}],'
        '"disagreements":[],"n_withheld":1,"query_id":"q1","seconds":"0.250"},'
        '"id":"e1","seq":41,"type":"query.finished","v":1}'
    )


def test_times_are_written_in_utc() -> None:
    local = AT.astimezone(timezone(timedelta(hours=-3)))
    assert canonical(Event(SYSTEM, SignedOut(), "e", local), 0) == canonical(
        Event(SYSTEM, SignedOut(), "e", AT), 0
    )


def test_every_event_has_its_own_type() -> None:
    types = [kind.type for kind in get_args(EventData)]
    assert len(set(types)) == len(types)
    assert {"query.accepted", "query.prompted", "query.finished", "audit.read"} <= set(types)


def test_a_prompt_lists_its_chunks_with_their_rules() -> None:
    chunk = PromptedChunk(1, "d1", 3, "ef" * 32, True, "allow group:bank:finance")
    data = QueryPrompted("q", "what?", (chunk,), 5, "g1", "aa", "quotes", {"seed": 7})
    written = json.loads(canonical(Event(SYSTEM, data), 0))["data"]
    assert written["chunks"] == [
        {
            "chunk_id": 1,
            "document_id": "d1",
            "version": 3,
            "sha256": "ef" * 32,
            "allowed": True,
            "rule": "allow group:bank:finance",
        }
    ]
    assert written["sampling"] == {"seed": 7}


def test_floats_are_refused() -> None:
    data = SyncFinished("bank", 1, "done", {"seconds": 0.5})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="float"):
        canonical(Event(SYSTEM, data), 0)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_written(text: str) -> None:
    written = json.loads(canonical(Event(ANONYMOUS, SignInFailed(text)), 0))
    assert written["data"]["login"] == text.encode(errors="replace").decode()


def test_a_caller_is_named_by_id_roles_and_principals() -> None:
    caller = Caller("p1", "Ana", frozenset({"employee"}), frozenset({Principal("everyone")}))
    other = Caller("p1", "Ana", frozenset({"employee"}), frozenset())
    assert actor_of(caller).roles == ("employee",)
    assert actor_of(caller).principals_sha256 != actor_of(other).principals_sha256
    assert b"Ana" not in canonical(Event(actor_of(caller), QueryAccepted("q", "?")), 0)
