from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from assistant.audit import event as events
from assistant.audit import siem
from assistant.audit.event import SYSTEM, Event, EventData, SignInFailed, canonical


def test_every_type_has_a_class_of_its_own_choice() -> None:
    types = {kind.type for kind in get_args(EventData)}
    assert types == set(siem._CLASSES)


@given(st.text())
def test_what_people_type_stays_in_its_field(login: str) -> None:
    body = canonical(Event(SYSTEM, SignInFailed(login)), 7)
    line = siem.cef(body)
    assert line.count(b"\n") == 1
    head, extension = line.decode().rstrip("\n").rsplit("|outcome", 1)[0], line.decode()
    assert head
    assert extension.split(" cs1=", 1)[0].endswith("cs1Label=event")
    assert "=" not in extension.split(" cs1=", 1)[1].replace("\\=", "")
    shown: dict[str, Any] = json.loads(siem.ocsf(body))
    assert shown["unmapped"]["data"] == json.loads(body)["data"]
    assert shown["status_id"] == 2


def test_an_unknown_type_is_still_told() -> None:
    body = json.loads(canonical(Event(SYSTEM, events.SignedOut()), 0))
    body["type"] = "new.kind"
    assert json.loads(siem.ocsf(json.dumps(body).encode()))["class_uid"] == 6003
