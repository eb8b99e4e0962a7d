"""The generator behind any OpenAI-compatible chat API: vLLM first, NIM, TGI, llama.cpp, a cloud.

Only the fields that `_body` names are sent; a document or a question can't add one. `cache_salt`
(vLLM ≥ 0.9) keeps prefix caches of different principal sets apart, since the time to the first
token would otherwise tell what others have asked.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import cached_property
from typing import Any

import httpx
from httpx_sse import SSEError, aconnect_sse

from assistant.errors import DeadlineExceeded, ModelUnavailable
from assistant.ports import Prompt, Token
from assistant.settings import GeneratorSettings

_CONNECT_S = 5.0
_CHECK_S = 10.0
_END = "[DONE]"
_OVER = object()
_MALFORMED = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What reading a stream of JSON that is no chat completion may raise."""

Json = dict[str, Any]


class OpenAIGenerator:
    """Streams answers of a chat model.

    Without `generator.model` it asks the first one that the server lists. `generator.deadline_s`
    is for a whole answer. Closing the stream of `generate` closes the HTTP stream, which frees
    the server's slot.
    """

    def __init__(self, settings: GeneratorSettings) -> None:
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self._name = settings.model
        self._api_key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._deadline_s = settings.deadline_s

    @property
    def name(self) -> str:
        """Return the model's name; before the first use of an unnamed one, `openai`."""
        return self._name or "openai"

    async def generate(self, prompt: Prompt) -> AsyncIterator[Token]:
        """Stream the answer; the last token carries the usage that the server reports.

        Raises `DeadlineExceeded` and `ModelUnavailable`, also in the middle of an answer.
        """
        deadline = asyncio.get_running_loop().time() + self._deadline_s
        try:
            async with aclosing(self._events(prompt)) as events:  # type: ignore[type-var]
                while True:
                    async with asyncio.timeout_at(deadline):
                        event = await anext(events, _OVER)
                    if event is _OVER:
                        return
                    if token := _token(event):
                        yield token
        except (TimeoutError, httpx.ReadTimeout) as error:
            raise DeadlineExceeded(
                f"The model at {self._url} did not finish within {self._deadline_s:g} s; ask "
                "again, or raise `generator.deadline_s`."
            ) from error
        except (httpx.HTTPError, *_MALFORMED) as error:
            raise self._unavailable(error) from error

    async def check(self) -> None:
        """Raise `ModelUnavailable` unless the server answers and serves the model."""
        try:
            async with asyncio.timeout(_CHECK_S), self._client() as http:
                served = await self._served(http)
        except TimeoutError as error:
            raise ModelUnavailable(
                f"The model server at {self._url} did not answer within {_CHECK_S:g} s; check "
                "that it runs and is not overloaded."
            ) from error
        except (httpx.HTTPError, ValueError) as error:
            raise self._unavailable(error) from error
        if self._name and self._name not in served:
            raise ModelUnavailable(
                f"The server at {self._url} does not serve {self._name}; set `generator.model` "
                f"to one of: {', '.join(served)}."
            )

    async def _events(self, prompt: Prompt) -> AsyncIterator[object]:
        """Yield the values of the server's stream, as plain JSON.

        Clients that make an object of each token took a quarter of a busy process's time.
        """
        async with self._client() as http:
            asked = self._body(await self._model_name(http), prompt)
            address, headers = f"{self._url}/chat/completions", self._headers()
            async with aconnect_sse(http, "POST", address, json=asked, headers=headers) as source:
                if not source.response.is_success:
                    await source.response.aread()
                    source.response.raise_for_status()
                async with aclosing(source.aiter_sse()) as lines:
                    async for line in lines:
                        if line.data == _END:
                            return
                        if line.data:
                            yield json.loads(line.data)

    def _body(self, name: str, prompt: Prompt) -> Json:
        body: Json = {
            "model": name,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
            "temperature": self._settings.temperature,
            "max_tokens": self._settings.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._settings.cache_salt and prompt.cache_salt:
            body["cache_salt"] = prompt.cache_salt
        return body

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Return the trusted certificates: reading them takes longer than the first token."""
        return ssl.create_default_context()

    def _client(self) -> httpx.AsyncClient:
        """Return a client for one answer: event loops and answers share no connection."""
        timeout = httpx.Timeout(self._deadline_s, connect=_CONNECT_S)
        return httpx.AsyncClient(timeout=timeout, verify=self._tls, trust_env=False)

    async def _model_name(self, http: httpx.AsyncClient) -> str:
        if not self._name:
            self._name = (await self._served(http))[0]
        return self._name

    async def _served(self, http: httpx.AsyncClient) -> list[str]:
        """Return the names of the models that the server lists."""
        response = await http.get(f"{self._url}/models", headers=self._headers())
        response.raise_for_status()
        listed = response.json()
        names = [str(model["id"]) for model in listed["data"]] if _lists_models(listed) else []
        if not names:
            raise ModelUnavailable(
                f"The server at {self._url} lists no model; set `generator.model` to its name."
            )
        return names

    def _unavailable(self, error: Exception) -> ModelUnavailable:
        """Say what happened and what to do next.

        Nothing of the server's own words: they go to the asker unverified, and a server that mixes
        up its callers may repeat another one's.
        """
        status, said = _status(error), _said(error)
        if isinstance(error, httpx.TransportError) and not isinstance(error, SSEError):
            what = "can't be reached or closed the connection"
            then = "check `generator.url` and that the server runs"
        elif status in {401, 403}:
            what, then = "refused the key", "check `generator.api_key`"
        elif status == 404:
            what = "does not know this address or model"
            then = "check `generator.url` (it ends in /v1) and `generator.model`"
        elif status == 429:
            what, then = "is overloaded", "try again later"
        elif "context length" in said:
            what = "has too small a context for the prompt"
            then = "lower `retrieval.n_passages` or serve the model with a longer context"
        elif status in {400, 422} and "cache_salt" in said:
            what, then = "refused `cache_salt`", "set `generator.cache_salt = false`"
        elif status is not None:
            what, then = f"answered with status {status}", "check the server's log"
        elif isinstance(error, _Refused):
            what, then = "broke off with an error of its own", "check the server's log"
        else:
            what = f"sent what is no chat completion ({type(error).__name__})"
            then = "check that `generator.url` is an OpenAI-compatible API"
        return ModelUnavailable(f"The model server at {self._url} {what}; {then}.")


class _Refused(ValueError):
    """An error that the server sent in the middle of its stream."""


def _token(event: object) -> Token | None:
    """Return what one object of the stream brings, if anything; raises what reading it raises."""
    if not isinstance(event, dict):
        raise TypeError("no object")
    if error := event.get("error"):
        raise _Refused(str(error))
    deltas = [choice["delta"] or {} for choice in event["choices"]]
    text = "".join(delta.get("content") or "" for delta in deltas)
    if usage := event.get("usage"):
        return Token(text, int(usage["prompt_tokens"]), int(usage["completion_tokens"]))
    return Token(text) if text else None


def _lists_models(listed: object) -> bool:
    return (
        isinstance(listed, dict)
        and isinstance(listed.get("data"), list)
        and all(isinstance(model, dict) and model.get("id") for model in listed["data"])
    )


def _status(error: Exception) -> int | None:
    return error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None


def _said(error: Exception) -> str:
    """Return what the server said of an error."""
    return error.response.text if isinstance(error, httpx.HTTPStatusError) else str(error)
