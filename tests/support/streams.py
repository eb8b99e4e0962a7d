"""Reading server-sent events as a client does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
from httpx_sse import EventSource


def events(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Yield the named events of a stream with their parsed data, checking its type."""
    for event in EventSource(response).iter_sse():
        yield event.event, json.loads(event.data)


def asked(client: httpx.Client, question: str, **body: Any) -> list[tuple[str, Any]]:
    """Ask on `/v1/chat` and return all events."""
    with client.stream("POST", "/v1/chat", json={"question": question, **body}) as response:
        if response.status_code != 200:
            response.read()
        assert response.status_code == 200, response.text
        return list(events(response))
