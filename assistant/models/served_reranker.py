"""The reranker behind an HTTP `/rerank`: vLLM first, or another that speaks Jina's protocol.

Request: `model`, `query`, `documents`, `top_n`; answer: `results`, each with the `index` of a
document and its `relevance_score`. No other field is sent: servers refuse different ones.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from functools import cached_property

import httpx
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from assistant.errors import ModelUnavailable
from assistant.models.reply import reply

_CONNECT_S = 2.0


class _Result(BaseModel):
    index: int = Field(ge=0)
    relevance_score: float = Field(allow_inf_nan=False)


class _Reranked(BaseModel):
    results: list[_Result]


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model] = Field(min_length=1)


class ServedReranker:
    """Asks a server to judge; without `model` it asks for the first one that the server lists.

    `url` is the base, such as `http://host:8000/v1`, and `timeout_s` is for a whole question.
    Every language is taken to be read: the model is the operator's choice.
    """

    def __init__(
        self, url: str, model: str = "", *, api_key: str = "", timeout_s: float = 5.0
    ) -> None:
        self._url = url.rstrip("/").removesuffix("/rerank")
        self._model = model
        self._api_key = api_key
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """Return the model's name; before the first use of an unnamed one, `rerank`."""
        return self._model or "rerank"

    def reads(self, lang: str) -> bool:
        """Say yes: what the model knows the server doesn't tell."""
        del lang
        return True

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a score for each text, float32 of shape (n,). Raises `ModelUnavailable`."""
        scores = np.full(len(texts), np.nan, np.float32)
        if not texts:
            return scores
        until = time.monotonic() + self._timeout_s
        try:
            with self._client() as http:
                body = {
                    "model": self._named(http, until),
                    "query": question,
                    "documents": list(texts),
                    "top_n": len(texts),
                }
                response = reply(http, "POST", f"{self._url}/rerank", body, until)
                response.raise_for_status()
            for result in _Reranked.model_validate_json(response.content).results:
                scores[result.index] = result.relevance_score
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, IndexError) as error:
            raise self._unavailable(error) from error
        if np.isnan(scores).any():
            raise ModelUnavailable(
                f"The reranker at {self._url} left out passages: check that `models.reranker` is "
                "a server with vLLM's or Jina's /rerank."
            )
        return scores

    def _client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        timeout = httpx.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s))
        return httpx.Client(timeout=timeout, headers=headers, verify=self._tls, trust_env=False)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def _named(self, http: httpx.Client, until: float) -> str:
        if not self._model:
            listed = reply(http, "GET", f"{self._url}/models", None, until).raise_for_status()
            self._model = _Models.model_validate_json(listed.content).data[0].id
        return self._model

    def _unavailable(self, error: Exception) -> ModelUnavailable:
        """Say what happened and what to do next; nothing of the server's own words."""
        status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
        if isinstance(error, httpx.TimeoutException):
            what = f"did not answer within {self._timeout_s:g} s"
            then = "lower `retrieval.n_reranked` or raise `models.reranker_timeout_s`"
        elif isinstance(error, (httpx.TransportError, httpx.InvalidURL)):
            what = "can't be reached or closed the connection"
            then = "check `models.reranker` and that the server runs"
        elif status in {401, 403}:
            what, then = "refused the key", "check `models.reranker_api_key`"
        elif status == 404:
            what = "does not know this address or model"
            then = "check `models.reranker` (it ends in /v1) and `models.reranker_model`"
        elif status is not None:
            what, then = f"answered with status {status}", "check the server's log"
        else:
            what = f"sent what is no ranking ({type(error).__name__})"
            then = "check that `models.reranker` has vLLM's or Jina's /rerank"
        return ModelUnavailable(f"The reranker at {self._url} {what}; {then}.")
