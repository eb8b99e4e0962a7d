"""Whether the process lives, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Response

from assistant.api.deps import StateOf
from assistant.api.schemas.operations import CheckBody, Health, Ready

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> Health:
    """Say that the process answers."""
    return Health()


@router.get("/readyz", responses={503: {"model": Ready}})
async def readyz(state: StateOf, response: Response) -> Ready:
    """Check the database, the index, the audit log and the generator."""
    checks = await state.readiness.checks()
    is_ready = all(check.ok for check in checks.values())
    response.status_code = 200 if is_ready else 503
    return Ready(
        status="ok" if is_ready else "unavailable",
        checks={name: CheckBody(ok=c.ok, detail=c.detail) for name, c in checks.items()},
    )
