"""The assistant's HTTP API, as the pages use it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Generator
from contextlib import aclosing, closing, suppress
from functools import cache
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import httpx
from httpx_sse import SSEError, aconnect_sse
from pydantic import BaseModel, ValidationError

from ui.model import (
    Answer,
    Citation,
    Conversation,
    Delta,
    Document,
    Done,
    Event,
    Filters,
    Head,
    Me,
    SignedIn,
    Status,
    Withheld,
)

TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 180.0
TICK_S = 0.3

_Said = TypeVar("_Said", bound=BaseModel)
_EVENTS: dict[str, type[Status | Citation | Delta | Withheld]] = {
    "status": Status,
    "citation": Citation,
    "delta": Delta,
    "verdict": Withheld,
}


Sent = tuple[str, Any]
"""The name and the data of a server-sent event."""


class ApiError(Exception):
    """The assistant could not do what was asked of it; ask again."""


class Unreachable(ApiError):
    """The assistant can't be reached; start it, or check the address given with --api."""


class Problem(ApiError):
    """The assistant refused (RFC 9457); `slug` says which problem it is."""

    def __init__(self, status: int, slug: str, detail: str, retry_after_s: int = 0) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.retry_after_s = retry_after_s


class SignedOut(Problem):
    """The session is over, or was never there; sign in."""


class Gone(Problem):
    """This doesn't exist, or not for this person: the assistant doesn't tell which."""


class Client:
    """Asks the API at `url` in the name of the person whose token it holds.

    Every method raises `Unreachable`, `SignedOut`, `Gone` and `Problem`.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url.rstrip("/")
        self._token = token

    def sign_in(self, login: str, password: str) -> SignedIn:
        """Begin a session; its token is not kept here."""
        body = {"login": login, "password": password}
        return read(SignedIn, self.call("POST", "/v1/sessions", body))

    def sign_out(self) -> None:
        """End the session."""
        self.call("DELETE", "/v1/sessions/current")

    def me(self) -> Me:
        """Return the person and what they may read."""
        return read(Me, self.call("GET", "/v1/me"))

    def conversations(self) -> list[Head]:
        """Return the person's conversations, the latest used first."""
        listed = self.call("GET", "/v1/conversations").json()
        return [Head.model_validate(head) for head in listed["conversations"]]

    def conversation(self, conversation_id: str) -> Conversation:
        """Return a conversation, checked now for what the person may read."""
        path = f"/v1/conversations/{segment(conversation_id)}"
        return read(Conversation, self.call("GET", path))

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation."""
        self.call("DELETE", f"/v1/conversations/{segment(conversation_id)}")

    def judge(self, conversation_id: str, message_id: int, reason: str, comment: str = "") -> None:
        """Say what the person thinks of an answer."""
        path = f"/v1/conversations/{segment(conversation_id)}/messages/{message_id}/feedback"
        self.call("POST", path, {"reason": reason, "comment": comment})

    def document(self, document_id: str, chunk_id: int) -> Document:
        """Return a document with the passages around one of its chunks."""
        path = f"/v1/documents/{segment(document_id)}?chunk={chunk_id}"
        return read(Document, self.call("GET", path))

    def page_image(self, document_id: str, page: int, chunk_id: int) -> bytes:
        """Return a page as PNG with a chunk's place marked."""
        path = f"/v1/documents/{segment(document_id)}/pages/{page}?chunk={chunk_id}"
        return self.call("GET", path).content

    def receipt(self, receipt: str) -> str:
        """Return an answer's receipt as JSON text."""
        body = self.call("GET", f"/v1/receipts/{segment(receipt)}").json()
        return json.dumps(body, indent=2, ensure_ascii=False)

    def ask(
        self, question: str, conversation_id: str | None, filters: Filters
    ) -> Generator[Event | None, None, None]:
        """Yield the events of an answer; None while nothing happens, several times a second.

        Closing the iterator closes the connection, which stops the answer.
        """
        body: dict[str, Any] = {"question": question, "filters": filters.model_dump(mode="json")}
        if conversation_id is not None:
            body["conversation_id"] = conversation_id
        with closing(self.stream("POST", "/v1/chat", body)) as stream:
            for sent in stream:
                if sent is None:
                    yield None
                elif (event := _event(*sent)) is not None:
                    yield event

    def stream(
        self, method: str, path: str, body: Any = None
    ) -> Generator[Sent | None, None, None]:
        """Yield the names and data of server-sent events; None while nothing happens.

        Closing the iterator closes the connection. An event `problem` is raised.
        """
        with asyncio.Runner() as runner:
            events = self._events(method, path, body)
            task = runner.get_loop().create_task(_next(events))
            try:
                while True:
                    runner.run(_pause(task))
                    if not task.done():
                        yield None
                        continue
                    event = task.result()
                    if event is None:
                        return
                    yield event
                    task = runner.get_loop().create_task(_next(events))
            finally:
                runner.run(_close(task, events))

    async def _events(self, method: str, path: str, body: Any) -> AsyncIterator[Sent]:
        timeout = httpx.Timeout(ANSWER_TIMEOUT_S, connect=TIMEOUT_S)
        options: dict[str, Any] = {"headers": self._headers(), "timeout": timeout}
        try:
            async with (
                httpx.AsyncClient(verify=_tls(), trust_env=False, **options) as client,
                aconnect_sse(client, method, self._url + path, json=body) as source,
            ):
                if not source.response.is_success:
                    await source.response.aread()
                    raise _problem_of(source.response)
                async with aclosing(source.aiter_sse()) as stream:
                    async for sent in stream:
                        if sent.event == "problem":
                            raise _problem(sent.json())
                        yield sent.event, sent.json()
        except (httpx.HTTPError, SSEError, ValueError) as error:
            raise Unreachable() from error

    def call(
        self, method: str, path: str, body: Any = None, timeout_s: float = TIMEOUT_S
    ) -> httpx.Response:
        """Send a request with a JSON body; returns a response that is a success."""
        try:
            with httpx.Client(verify=_tls(), trust_env=False, timeout=timeout_s) as client:
                response = client.request(
                    method, self._url + path, json=body, headers=self._headers()
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable() from error
        if not response.is_success:
            raise _problem_of(response)
        return response

    def download(self, path: str, into: BinaryIO) -> None:
        """Write a response of any size to a file."""
        timeout = httpx.Timeout(ANSWER_TIMEOUT_S, connect=TIMEOUT_S)
        try:
            with (
                httpx.Client(verify=_tls(), trust_env=False, timeout=timeout) as client,
                client.stream("GET", self._url + path, headers=self._headers()) as response,
            ):
                if not response.is_success:
                    response.read()
                    raise _problem_of(response)
                for piece in response.iter_bytes():
                    into.write(piece)
        except httpx.HTTPError as error:
            raise Unreachable() from error

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}


@cache
def _tls() -> ssl.SSLContext:
    """Return the certificates to trust; reading them takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)


def segment(value: str) -> str:
    """Write a value as one segment of a path."""
    return quote(value, safe="")


def read(kind: type[_Said], response: httpx.Response) -> _Said:
    """Return what a response says; raises `Unreachable` for one that isn't the assistant's."""
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise Unreachable() from error


def _event(name: str, data: Any) -> Event | None:
    """Return an event of an answer, None for those that the pages don't show."""
    kind = _EVENTS.get(name)
    try:
        if name == "done":
            return Done(answer=Answer.model_validate(data))
        return kind.model_validate(data) if kind is not None else None
    except ValidationError as error:
        raise Unreachable() from error


def _problem_of(response: httpx.Response) -> Problem:
    try:
        body = response.json()
    except ValueError:
        body = {}
    retry_after = response.headers.get("Retry-After", "")
    head = {"status": response.status_code, **(body if isinstance(body, dict) else {})}
    return _problem(head, int(retry_after) if retry_after.isdecimal() else 0)


def _problem(body: dict[str, Any], retry_after_s: int = 0) -> Problem:
    status = int(body.get("status", 500))
    slug = str(body.get("type", "")).rpartition(":")[2]
    kind = {401: SignedOut, 404: Gone}.get(status, Problem)
    return kind(status, slug, str(body.get("detail", "")), retry_after_s)


async def _next(events: AsyncIterator[Sent]) -> Sent | None:
    return await anext(events, None)


async def _pause(task: asyncio.Task[Sent | None]) -> None:
    await asyncio.wait({task}, timeout=TICK_S)


async def _close(task: asyncio.Task[Sent | None], events: AsyncIterator[Sent]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, ApiError):
        await task
    await events.aclose()  # type: ignore[attr-defined]
