"""Token buckets: how much somebody may still ask, counted for all processes together."""

from __future__ import annotations

import math

import sqlalchemy as sa
from sqlalchemy import Connection

# One statement: two processes that take at once wait for each other's row.
_TAKE = sa.text(
    """
    INSERT INTO quotas AS q (name, tokens, at)
    VALUES (:name, CAST(:size AS float) - 1, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET
        at = greatest(q.at, clock_timestamp()),
        tokens = least(
            CAST(:size AS float),
            q.tokens + :per_s * greatest(0, extract(epoch FROM clock_timestamp() - q.at))
        ) - 1
    RETURNING tokens
    """
).columns(tokens=sa.Float)

_GIVE_BACK = sa.text("UPDATE quotas SET tokens = tokens + 1 WHERE name = :name")


def take(conn: Connection, name: str, per_minute: int) -> int:
    """Take one from a bucket that fills `per_minute` a minute and holds as many.

    Returns 0, or in how many seconds there will be one; then nothing was taken.
    """
    per_s = per_minute / 60
    values = {"name": name, "size": float(per_minute), "per_s": per_s}
    left: float = conn.execute(_TAKE, values).scalar_one()
    if left >= 0:
        return 0
    conn.execute(_GIVE_BACK, {"name": name})
    return max(1, math.ceil(-left / per_s))
