"""Legal holds, erasures and retention, as the API says and does them; what a tab has open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from ui.client import Client, read, segment
from ui.model import Said
from ui.session import Visit
from ui.wish import Wishing

_CUSTODY = "custody"
SLOW_S = 300.0
KINDS = ("subject", "document", "collection", "everything")


class Hold(Said):
    """What must not be erased or forgotten."""

    id: str
    kind: str
    value: str
    reason: str
    created_at: datetime
    released_at: datetime | None = None


class Erasure(Said):
    """An erasure that was begun."""

    id: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    n_documents: int
    n_persons: int
    n_kept_out: int


class Places(Said):
    """How much of a person is where."""

    persons: int
    documents: int
    chunks: int
    vectors: int
    records: int
    conversations: int
    failures: int
    keys: int
    generations: int
    backups: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there to erase."""
        return not (self.persons or self.documents or self.conversations or self.failures)


class Plan(Said):
    """What is older than the retention."""

    kept_months: int
    before: str
    months: tuple[str, ...] = ()
    n_keys: int
    n_messages: int
    n_held: int
    on_hold: bool
    keys_files_not_renewed: tuple[str, ...] = ()


class LifeCycle:
    """Asks the API about holds, erasures and retention; raises what `Client` raises."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def holds(self) -> list[Hold]:
        """Return the holds, those in force first."""
        listed = self._client.call("GET", "/v1/holds").json()["holds"]
        found = [Hold.model_validate(one) for one in listed]
        return sorted(found, key=lambda one: one.released_at is not None)

    def hold(self, kind: str, value: str, reason: str) -> None:
        """Place a hold."""
        self._client.call("POST", "/v1/holds", {"kind": kind, "value": value, "reason": reason})

    def release_hold(self, hold_id: str) -> None:
        """End a hold."""
        self._client.call("POST", f"/v1/holds/{segment(hold_id)}/release")

    def erasures(self) -> list[Erasure]:
        """Return the erasures, the newest first."""
        listed = self._client.call("GET", "/v1/erasures").json()["erasures"]
        return [Erasure.model_validate(one) for one in reversed(listed)]

    def find(self, names: list[str]) -> Places:
        """Count the places where a person is."""
        answer = self._client.call("POST", "/v1/erasures/dry-run", {"names": names}, SLOW_S)
        return read(Places, answer)

    def erase(self, names: list[str]) -> dict[str, Any]:
        """Erase a person; returns the certificate."""
        done: dict[str, Any] = self._client.call(
            "POST", "/v1/erasures", {"names": names}, SLOW_S
        ).json()
        return done

    def certificate(self, erasure_id: str) -> bytes:
        """Return a certificate as a file."""
        path = f"/v1/erasures/{segment(erasure_id)}/certificate"
        body = self._client.call("GET", path).json()
        return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()

    def release(self, erasure_id: str) -> None:
        """Let syncs bring back what an erasure took."""
        self._client.call("POST", f"/v1/erasures/{segment(erasure_id)}/release")

    def plan(self) -> Plan:
        """Return what is older than the retention."""
        return read(Plan, self._client.call("GET", "/v1/retention"))

    def run(self) -> Plan:
        """Forget what is older than the retention."""
        answer = self._client.call("POST", "/v1/retention/runs", timeout_s=SLOW_S)
        return read(Plan, answer)


@dataclass(slots=True)
class Custody(Wishing):
    """The person who is being looked for, what was found and done; a click waits in `wish`."""

    life: LifeCycle
    names: tuple[str, ...] = ()
    places: Places | None = None
    certificate: dict[str, Any] | None = None
    done: Plan | None = None

    def look_for(self, names: list[str]) -> None:
        """Count the places where a person is; raises `ApiError`."""
        self.names, self.certificate = tuple(names), None
        self.places = self.life.find(names)

    def erase(self) -> None:
        """Erase the person who was looked for; raises `ApiError`."""
        names, self.names, self.places = self.names, (), None
        self.certificate = self.life.erase(list(names))

    def forget(self) -> None:
        """Run the retention; raises `ApiError`."""
        self.done = self.life.run()


def custody(visit: Visit) -> Custody:
    """Return what the tab has open."""
    if _CUSTODY not in st.session_state:
        st.session_state[_CUSTODY] = Custody(LifeCycle(visit.client))
    found: Custody = st.session_state[_CUSTODY]
    return found
