"""The generator behind any OpenAI-compatible chat API: vLLM first, NIM, TGI, llama.cpp, a cloud.

Only the fields that `_model` and `_extra` name are sent; a document or a question can't add
one. `cache_salt` (vLLM ≥ 0.9) keeps prefix caches of different principal sets apart, since the
time to the first token would otherwise tell what others have asked.
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
import openai
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import OpenAIContextOverflowError
from pydantic import SecretStr

from assistant.errors import DeadlineExceeded, ModelUnavailable
from assistant.ports import Prompt, Token
from assistant.settings import GeneratorSettings

_CONNECT_S = 5.0
_CHECK_S = 10.0
_MOST_REASON = 300


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
        messages = [SystemMessage(prompt.system), HumanMessage(prompt.user)]
        deadline = asyncio.get_running_loop().time() + self._deadline_s
        try:
            async with self._client() as http:
                async with asyncio.timeout_at(deadline):
                    model = self._model(await self._model_name(http), http, self._extra(prompt))
                async with aclosing(model.astream(messages)) as chunks:  # type: ignore[type-var]
                    while True:
                        async with asyncio.timeout_at(deadline):
                            chunk = await anext(chunks, None)
                        if chunk is None:
                            return
                        if token := _token(chunk):
                            yield token
        except (TimeoutError, openai.APITimeoutError) as error:
            raise DeadlineExceeded(
                f"The model at {self._url} did not finish within {self._deadline_s:g} s; ask "
                "again, or raise `generator.deadline_s`."
            ) from error
        except (openai.OpenAIError, httpx.HTTPError, ValueError, TypeError, KeyError) as error:
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

    def _extra(self, prompt: Prompt) -> dict[str, Any]:
        """Return the fields that OpenAI's own API lacks, or names so that others don't know it."""
        extra: dict[str, Any] = {"max_tokens": self._settings.max_tokens}
        if self._settings.cache_salt and prompt.cache_salt:
            extra["cache_salt"] = prompt.cache_salt
        return extra

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Return the trusted certificates: reading them takes longer than the first token."""
        return ssl.create_default_context()

    def _client(self) -> httpx.AsyncClient:
        """Return a client for one answer: event loops and answers share no connection."""
        timeout = httpx.Timeout(self._deadline_s, connect=_CONNECT_S)
        return httpx.AsyncClient(timeout=timeout, verify=self._tls, trust_env=False)

    def _model(self, name: str, http: httpx.AsyncClient, extra: dict[str, Any]) -> ChatOpenAI:
        return ChatOpenAI(
            model=name,
            base_url=self._url,
            api_key=SecretStr(self._api_key or "none"),
            temperature=self._settings.temperature,
            max_retries=0,
            stream_usage=True,
            timeout=self._deadline_s,
            stream_chunk_timeout=self._deadline_s,
            http_async_client=http,
            extra_body=extra,
            use_responses_api=False,
        )

    async def _model_name(self, http: httpx.AsyncClient) -> str:
        if not self._name:
            self._name = (await self._served(http))[0]
        return self._name

    async def _served(self, http: httpx.AsyncClient) -> list[str]:
        """Return the names of the models that the server lists."""
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        response = await http.get(f"{self._url}/models", headers=headers)
        response.raise_for_status()
        listed = response.json()
        names = [str(model["id"]) for model in listed["data"]] if _lists_models(listed) else []
        if not names:
            raise ModelUnavailable(
                f"The server at {self._url} lists no model; set `generator.model` to its name."
            )
        return names

    def _unavailable(self, error: Exception) -> ModelUnavailable:
        """Say what happened and what to do next."""
        status = _status(error)
        if isinstance(error, (openai.APIConnectionError, httpx.TransportError)):
            what = "can't be reached or closed the connection"
            then = "check `generator.url` and that the server runs"
        elif status in {401, 403}:
            what, then = "refused the key", "check `generator.api_key`"
        elif status == 404:
            what = "does not know this address or model"
            then = "check `generator.url` (it ends in /v1) and `generator.model`"
        elif status == 429:
            what, then = "is overloaded", "try again later"
        elif isinstance(error, OpenAIContextOverflowError) or "context length" in str(error):
            what = "has too small a context for the prompt"
            then = "lower `retrieval.n_passages` or serve the model with a longer context"
        elif status in {400, 422} and "cache_salt" in str(error):
            what, then = "refused `cache_salt`", "set `generator.cache_salt = false`"
        elif status is not None:
            what = f"answered with status {status}: {_brief(error)}"
            then = "check the server's log"
        else:
            what = f"sent what is no chat completion ({type(error).__name__})"
            then = "check that `generator.url` is an OpenAI-compatible API"
        return ModelUnavailable(f"The model server at {self._url} {what}; {then}.")


def _token(chunk: object) -> Token | None:
    if not isinstance(chunk, AIMessageChunk):
        return None
    text = chunk.content if isinstance(chunk.content, str) else str(chunk.text)
    usage = chunk.usage_metadata
    if not usage:
        return Token(text) if text else None
    return Token(text, usage["input_tokens"], usage["output_tokens"])


def _lists_models(listed: object) -> bool:
    return (
        isinstance(listed, dict)
        and isinstance(listed.get("data"), list)
        and all(isinstance(model, dict) and model.get("id") for model in listed["data"])
    )


def _status(error: Exception) -> int | None:
    if isinstance(error, openai.APIStatusError):
        return error.status_code
    return error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None


def _brief(error: Exception) -> str:
    body = getattr(error, "body", None)
    text = json.dumps(body, ensure_ascii=False) if body else str(error)
    return " ".join(text.split())[:_MOST_REASON]
