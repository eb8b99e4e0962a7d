"""What auditors are shown of the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from assistant.audit.account import Account, Proof
from assistant.store.ledger import Wanted


class EventFilter(BaseModel):
    """What events to find: those that have all that is given."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field("", max_length=64, description="`query.finished`, or just `query`")
    person: str = Field("", max_length=200, description="who did it")
    query: str = Field("", max_length=64, description="a question's id")
    about: str = Field(
        "",
        max_length=500,
        description="a document, source, conversation, or request of access for a while",
    )
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    before: int | None = Field(None, ge=0, lt=2**62, description="only events before this one")
    limit: int = Field(50, ge=1, le=500)

    def as_wanted(self) -> Wanted:
        """Return the filter as the log takes it."""
        return Wanted(
            type=self.type,
            person_id=self.person,
            query_id=self.query,
            subject=self.about,
            since=self.since,
            until=self.until,
            before_seq=self.before,
        )


class EventList(BaseModel):
    """Events as they were hashed, the newest first; `next_before` continues the list."""

    events: list[dict[str, Any]]
    next_before: int | None


class Head(BaseModel):
    """A signed root over the first `size` events; `signature` is base64."""

    size: int
    root: str
    sealed_at: str
    key_id: str
    signature: str


class Heads(BaseModel):
    """Signed heads, the smallest first, and the public key in PEM that signed them.

    `next_after` continues the list.
    """

    public_key: str
    heads: list[Head]
    next_after: int | None


class PromptedChunkBody(BaseModel):
    """A passage that was prompted, with the decision that let its reader have it.

    `verdicts` are those of the answer's quotes from it; none: it was read and not cited.
    """

    chunk_id: int
    document_id: str
    version: int
    sha256: str
    allowed: bool
    rule: str
    verdicts: list[str]


class ProofBody(BaseModel):
    """Whether the last event of a question is in the signed log, checked for this response.

    `state`: `proven`, `unsigned` (the sealer has not come by yet) or `broken`, for the reason
    that `fault` tells. `path` are the hashes that lead from the event's to the head's root.
    """

    state: Literal["proven", "unsigned", "broken"]
    fault: str
    seq: int | None
    path: list[str]
    head: Head | None

    @classmethod
    def of(cls, proof: Proof) -> Self:
        """Describe a proof."""
        receipt = proof.receipt
        state: Literal["proven", "broken"] = "proven" if proof.holds else "broken"
        return cls(
            state=state if receipt is not None else "unsigned",
            fault=proof.fault,
            seq=receipt["seq"] if receipt is not None else None,
            path=list(receipt["proof"]) if receipt is not None else [],
            head=Head.model_validate(receipt["head"]) if receipt is not None else None,
        )


class AccountBody(BaseModel):
    """A question as the log has it, from its asking to its end.

    What was erased reads `[erased]`. `outcome`: `finished`, `aborted` for the `reason` given, or
    `open`. `receipt` is the number of the answer's receipt.
    """

    query_id: str
    receipt: str
    outcome: Literal["finished", "aborted", "open"]
    reason: str
    person_id: str
    roles: list[str]
    via: str
    asked_at: str
    ended_at: str | None
    question: str
    standalone_question: str
    lang: str
    filters: dict[str, list[str]]
    generator: str
    embedder: str
    prompt_sha256: str
    policy_epoch: int | None
    index_generation: str
    n_found: int
    chunks: list[PromptedChunkBody]
    answer_sha256: str
    abstained: bool
    n_withheld: int
    seconds: str
    proof: ProofBody

    @classmethod
    def of(cls, account: Account) -> Self:
        """Describe an account."""
        asked, ended = account.accepted, account.ended
        prompted: Mapping[str, Any] = account.prompted["data"] if account.prompted else {}
        told: Mapping[str, Any] = ended["data"] if ended else {}
        outcome: Literal["finished", "aborted"] = "finished" if account.receipt else "aborted"
        return cls(
            query_id=account.query_id,
            receipt=account.receipt,
            outcome=outcome if ended else "open",
            reason=told.get("reason", ""),
            person_id=asked["actor"]["person_id"],
            roles=asked["actor"]["roles"],
            via=asked["actor"].get("via", ""),
            asked_at=asked["at"],
            ended_at=ended["at"] if ended else None,
            question=asked["data"]["question"],
            standalone_question=prompted.get("standalone_question", ""),
            lang=prompted.get("lang", ""),
            filters=prompted.get("filters", {}),
            generator=prompted.get("generator", ""),
            embedder=prompted.get("embedder", ""),
            prompt_sha256=prompted.get("prompt_sha256", ""),
            policy_epoch=prompted.get("policy_epoch"),
            index_generation=prompted.get("index_generation", ""),
            n_found=prompted.get("n_found", 0),
            chunks=_chunks(prompted, told),
            answer_sha256=told.get("answer_sha256", ""),
            abstained=told.get("abstained", False),
            n_withheld=told.get("n_withheld", 0),
            seconds=told.get("seconds", ""),
            proof=ProofBody.of(account.proof),
        )


def _chunks(prompted: Mapping[str, Any], told: Mapping[str, Any]) -> list[PromptedChunkBody]:
    quotes = told.get("citations", ())
    return [
        PromptedChunkBody(
            **chunk,
            verdicts=[q["verdict"] for q in quotes if q["chunk_id"] == chunk["chunk_id"]],
        )
        for chunk in prompted.get("chunks", ())
    ]


class ReplayedChunkBody(BaseModel):
    """A passage of the prompt: what allowed it then, where it comes now, what holds now."""

    chunk_id: int
    document_id: str
    rule_then: str
    place: int | None
    text: str
    allowed_now: bool
    rule_now: str


class ReplayBody(BaseModel):
    """A question's retrieval, repeated; `n_lost` documents of then could not be searched again."""

    query_id: str
    question: str
    person_id: str
    asked_at: str
    generation: int
    policy_epoch: int
    same: bool
    identical: bool
    chunks: list[ReplayedChunkBody]
    new: list[int]
    n_lost: int
    changed: list[str]
