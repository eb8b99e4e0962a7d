"""What operators and auditors are shown."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class CheckBody(BaseModel):
    """Whether one thing works."""

    ok: bool
    detail: str


class Ready(BaseModel):
    """Whether questions can be answered now; `checks`: database, index, audit, generator."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, CheckBody]


class VerificationBody(BaseModel):
    """What hashing the whole audit log again found."""

    ok: bool
    n_events: int
    n_heads: int
    n_sealed: int
    first_bad_seq: int | None
    reason: str
