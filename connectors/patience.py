"""How long a server asks us to wait."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 3600.0


def retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3), at most an hour, or None."""
    if not header:
        return None
    if header.strip().isdecimal():
        return min(float(header), LONGEST_S)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_S)
