"""A model server's whole reply, within a time and a size: whatever it sends, and however slowly."""

from __future__ import annotations

import time
from typing import Any

import httpx

MAX_BYTES = 64_000_000


def reply(
    http: httpx.Client, method: str, url: str, body: dict[str, Any] | None, until: float
) -> httpx.Response:
    """Send a request and read the reply to its end, by `until` on the monotonic clock.

    A timeout of httpx alone begins anew with every piece. Raises `httpx.HTTPError`, for a reply
    without end `httpx.DecodingError`.
    """
    left = max(0.001, until - time.monotonic())
    connect = http.timeout.connect if http.timeout.connect is not None else left
    patience = httpx.Timeout(left, connect=min(left, connect))
    content = bytearray()
    with http.stream(method, url, json=body, timeout=patience) as response:
        for piece in response.iter_bytes():
            content += piece
            if time.monotonic() > until:
                raise httpx.ReadTimeout("The reply came too slowly.", request=response.request)
            if len(content) > MAX_BYTES:
                raise httpx.DecodingError("The reply has no end.", request=response.request)
    media_type = response.headers.get("Content-Type", "")
    return httpx.Response(
        response.status_code,
        headers={"Content-Type": media_type},
        content=bytes(content),
        request=response.request,
    )
