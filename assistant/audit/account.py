"""All that the log has of one question: what was asked, what was prompted, how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.audit.event import QueryAborted, QueryAccepted, QueryFinished, QueryPrompted
from assistant.audit.log import AuditLog
from assistant.audit.receipt import verify_receipt
from assistant.errors import AuditTampered, Conflict, NotFound
from assistant.store.ledger import Wanted

_N_EVENTS = 20
_ENDS = (QueryFinished.type, QueryAborted.type)

LogEvent = Mapping[str, Any]
"""An event of the log, parsed, with its personal fields opened."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the question's last event is in the signed log; `fault` says why it is not.

    Without a `receipt` the event waits for the sealer, which is no fault.
    """

    receipt: Mapping[str, Any] | None
    fault: str = ""

    @property
    def holds(self) -> bool:
        """Whether the proof was checked and found good."""
        return self.receipt is not None and not self.fault


@dataclass(frozen=True, slots=True)
class Account:
    """A question's events; `ended` is None while it is being answered."""

    query_id: str
    accepted: LogEvent
    prompted: LogEvent | None
    ended: LogEvent | None
    proof: Proof

    @property
    def receipt(self) -> str:
        """Return the number of the answer's receipt; empty without an answer."""
        is_finished = self.ended is not None and self.ended["type"] == QueryFinished.type
        return str(self.ended["seq"]) if is_finished and self.ended is not None else ""


def account(log: AuditLog, query_id: str) -> Account:
    """Return a question's account, its proof checked anew; raises `NotFound`."""
    found = [json.loads(body) for body in log.find(Wanted(query_id=query_id), _N_EVENTS)]
    by_type = {event["type"]: event for event in found}
    accepted = by_type.get(QueryAccepted.type)
    if not query_id or accepted is None:
        raise NotFound(f"The audit log has no question {query_id!r}.")
    ended = next((by_type[kind] for kind in _ENDS if kind in by_type), None)
    prompted = by_type.get(QueryPrompted.type)
    last = ended or prompted or accepted
    return Account(query_id, accepted, prompted, ended, _proof(log, int(last["seq"])))


def _proof(log: AuditLog, seq: int) -> Proof:
    try:
        receipt = log.receipt(seq)
    except Conflict:
        return Proof(None)
    try:
        verify_receipt(receipt, log.public_key)
    except AuditTampered as error:
        return Proof(receipt, str(error))
    return Proof(receipt)
