"""The audit log, as the API shows it to auditors."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from typing import Any, BinaryIO, Literal
from urllib.parse import urlencode

from pydantic import Field, ValidationError

from ui.client import Client, Unreachable, read, segment
from ui.model import Said

N_FOUND = 50
SLOW_S = 120.0

_ID = re.compile(r"[0-9a-f-]{32,36}")

Format = Literal["jsonl", "cef", "ocsf"]


class Actor(Said):
    """Who did it."""

    person_id: str = ""
    roles: tuple[str, ...] = ()
    via: str = ""


class LogEvent(Said):
    """An event as it was hashed, its personal fields opened where they still can be."""

    seq: int
    at: datetime
    type: str
    actor: Actor
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def query_id(self) -> str:
        """The question that it belongs to; a use of access for a while names it as its part."""
        part = str(self.data.get("part", ""))
        return str(self.data.get("query_id", "")) or (part if _ID.fullmatch(part) else "")


class Found(Said):
    """Events, the newest first; `next_before` continues the list."""

    events: tuple[LogEvent, ...] = ()
    next_before: int | None = None


class Wanted(Said):
    """What to find: events that have all that is given."""

    type: str = ""
    person: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Head(Said):
    """A signed root over the first `size` events."""

    size: int
    root: str
    sealed_at: datetime
    key_id: str


class Proof(Said):
    """Whether an event is in the signed log, as the API found by computing it anew."""

    state: Literal["proven", "unsigned", "broken"]
    fault: str = ""
    seq: int | None = None
    path: tuple[str, ...] = ()
    head: Head | None = None


class Prompted(Said):
    """A passage that was prompted, with the decision that let its reader have it."""

    chunk_id: int
    document_id: str
    version: int
    sha256: str
    allowed: bool
    rule: str
    verdicts: tuple[str, ...] = ()


class Account(Said):
    """All that the log has of one question."""

    query_id: str
    receipt: str = ""
    outcome: Literal["finished", "aborted", "open"]
    reason: str = ""
    person_id: str
    roles: tuple[str, ...] = ()
    via: str = ""
    asked_at: datetime
    question: str
    standalone_question: str = ""
    lang: str = ""
    generator: str = ""
    embedder: str = ""
    prompt_sha256: str = ""
    policy_epoch: int | None = None
    index_generation: str = ""
    n_found: int = 0
    chunks: tuple[Prompted, ...] = ()
    answer_sha256: str = ""
    abstained: bool = False
    n_withheld: int = 0
    seconds: str = ""
    proof: Proof


class Again(Said):
    """A prompted passage when its question is searched again, and who may read it now."""

    chunk_id: int
    document_id: str
    rule_then: str
    place: int | None = None
    text: str
    allowed_now: bool
    rule_now: str


class Replay(Said):
    """A question's search, repeated as of its moment."""

    same: bool
    identical: bool
    chunks: tuple[Again, ...] = ()
    new: tuple[int, ...] = ()
    n_lost: int = 0
    changed: tuple[str, ...] = ()


class Verification(Said):
    """What hashing the whole log again found."""

    ok: bool
    n_events: int
    n_heads: int
    n_sealed: int
    first_bad_seq: int | None = None
    reason: str = ""


class Step(Said):
    """How far a verification is."""

    n_events: int
    of: int


class Name(Said):
    """Somebody whose id the log has."""

    id: str
    login: str
    name: str
    is_service: bool = False


class Audit:
    """Asks the API about its log; raises what `Client` raises."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def names(self) -> dict[str, Name]:
        """Return everybody by id."""
        listed = self._client.call("GET", "/v1/people").json()["people"]
        return {one["id"]: Name.model_validate(one) for one in listed}

    def find(self, wanted: Wanted, before: int | None = None) -> Found:
        """Find events; this is recorded."""
        asked = {k: v for k, v in wanted.model_dump(mode="json").items() if v}
        asked |= {"limit": N_FOUND, **({"before": before} if before is not None else {})}
        return read(Found, self._client.call("GET", f"/v1/audit/events?{urlencode(asked)}"))

    def proven(self, seq: int) -> dict[str, Any]:
        """Return an event with its proof; this is recorded."""
        found: dict[str, Any] = self._client.call("GET", f"/v1/audit/events/{seq}").json()
        return found

    def account(self, query_id: str) -> Account:
        """Return all that the log has of a question; this is recorded."""
        return read(Account, self._client.call("GET", _query(query_id), timeout_s=SLOW_S))

    def replay(self, query_id: str) -> Replay:
        """Search a question again as of its moment; this is recorded."""
        path = f"{_query(query_id)}/replay"
        return read(Replay, self._client.call("POST", path, timeout_s=SLOW_S))

    def verify(self) -> Generator[Step | Verification | None, None, None]:
        """Verify the whole log: yield how far that is, and last what was found."""
        with closing(self._client.stream("GET", "/v1/audit/verification")) as stream:
            for sent in stream:
                yield None if sent is None else _told(*sent)

    def export(self, first: int, last: int | None, format_: Format) -> BinaryIO:
        """Return events as a file; this is recorded before its first byte."""
        asked = {"first": first, "format": format_, **({"last": last} if last is not None else {})}
        file = io.BytesIO()
        self._client.download(f"/v1/audit/export?{urlencode(asked)}", file)
        file.seek(0)
        return file

    def receipt(self, receipt: str) -> bytes:
        """Return an answer's receipt as a file; this is recorded."""
        body = self._client.call("GET", f"/v1/receipts/{segment(receipt)}").json()
        return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()

    def verifier(self) -> bytes:
        """Return the program that verifies offline."""
        return self._client.call("GET", "/v1/audit/verifier").content

    def public_key(self) -> bytes:
        """Return the public key that receipts and exports are verified with."""
        told = self._client.call("GET", "/v1/audit/heads?limit=1").json()
        return str(told["public_key"]).encode()


def _query(query_id: str) -> str:
    return f"/v1/audit/queries/{segment(query_id)}"


def _told(name: str, data: Any) -> Step | Verification:
    try:
        return (Verification if name == "done" else Step).model_validate(data)
    except ValidationError as error:
        raise Unreachable() from error
