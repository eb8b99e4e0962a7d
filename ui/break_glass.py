"""Access for a while, as the API says and does it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ui.client import Client, read, segment
from ui.model import Said
from ui.people import Named

MIN_REASON = 10
MAX_WORDS = 2000


class Request(Said):
    """What somebody asked for, who decided, and what became of it."""

    id: str
    person_id: str
    login: str
    name: str
    document_id: str = ""
    named: str = ""
    collection: str = ""
    reason: str
    hours: int
    state: Literal["asked", "active", "ended", "lapsed", "refused"]
    asked_at: datetime
    lapses_at: datetime
    approved_at: datetime | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    decided_by: str = ""
    answer: str = ""

    @property
    def what(self) -> str:
        """What was asked for, as whoever asked calls it."""
        return self.named or self.document_id or self.collection


class Requests(Said):
    """Requests, the newest first."""

    requests: tuple[Request, ...] = ()
    max_hours: int = 1

    def which(self, *states: str) -> list[Request]:
        """Return those in one of these states."""
        return [one for one in self.requests if one.state in states]

    def n_waiting_for(self, person_id: str) -> int:
        """Count those that wait and that this person, who asked for none of them, may decide on."""
        return sum(one.person_id != person_id for one in self.which("asked"))


class Candidate(Said):
    """A document that a request may mean."""

    document_id: str
    source: str
    collection: str
    readable: bool
    rule: str


class Candidates(Named):
    """The documents that a request may mean."""

    documents: tuple[Candidate, ...] = ()


class BreakGlass:
    """Asks the API for access for a while, and decides on it; raises what `Client` raises."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def mine(self) -> Requests:
        """Return what the person who is signed in asked for."""
        return read(Requests, self._client.call("GET", "/v1/break-glass/mine"))

    def all(self) -> Requests:
        """Return what everybody asked for."""
        return read(Requests, self._client.call("GET", "/v1/break-glass"))

    def ask(self, named: str, reason: str, hours: int) -> Request:
        """Ask for a document; nothing is said of whether it exists."""
        asked = {"named": named, "reason": reason, "hours": hours}
        return read(Request, self._client.call("POST", "/v1/break-glass", asked))

    def documents(self, request_id: str) -> Candidates:
        """Return the documents that a request may mean; this is recorded."""
        return read(Candidates, self._client.call("GET", f"{_request(request_id)}/documents"))

    def approve(self, request_id: str, document_id: str = "") -> Request:
        """Give somebody else what they asked for."""
        chosen = {"document_id": document_id}
        return read(Request, self._client.call("POST", f"{_request(request_id)}/approve", chosen))

    def refuse(self, request_id: str, answer: str = "") -> None:
        """Refuse what somebody else asked for."""
        self._client.call("POST", f"{_request(request_id)}/refuse", {"answer": answer})

    def end(self, request_id: str) -> None:
        """End access, or withdraw a request."""
        self._client.call("POST", f"{_request(request_id)}/end")


def _request(request_id: str) -> str:
    return f"/v1/break-glass/{segment(request_id)}"
