"""The embedder behind an OpenAI-compatible `/v1/embeddings`: vLLM first, TEI, NIM, a cloud.

Where the index searches on a GPU no torch fits into the process, so the model runs in a server of
its own. What that serves is known by name only: `models.revision` says which weights they are.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
import time
import weakref
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from assistant.errors import ModelUnavailable, SettingsError
from assistant.models.embedder import MAX_TOKENS, by_length
from assistant.models.reply import reply
from assistant.settings import ModelSettings

_CONNECT_S = 5.0
_PAUSES_S = (0.5, 2.0)
"""Between the tries of a request that may succeed later."""
_PASSING = {429, 502, 503, 504}
_MAX_TEXTS = 128
_CHARS_A_TOKEN = 3
_TRUNCATE = "truncate_prompt_tokens"


class ServedEmbedder:
    """Embeds texts with a model of a server; safe to call from several threads.

    The name of its vectors is made of the model's, the revision and the prompts, if there are
    any. Only the first 512 tokens of a text count where the server knows vLLM's
    `truncate_prompt_tokens`; elsewhere it is the server that cuts or refuses long texts.
    """

    def __init__(self, settings: ModelSettings) -> None:
        """Ask the server which model it serves, and for a first vector.

        Raises `SettingsError` without a revision, `ModelUnavailable` if the server can't be used.
        """
        if not settings.revision:
            raise SettingsError(
                "`models.embedder` is a server's address, which doesn't tell the weights it "
                "serves: set `models.revision` to their revision, and change it with them."
            )
        self._url = settings.embedder.rstrip("/")
        self._settings = settings
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(settings.timeout_s, connect=_CONNECT_S),
            verify=ssl.create_default_context(),
            trust_env=False,
        )
        weakref.finalize(self, self._http.close)
        self._extra: dict[str, Any] = {_TRUNCATE: MAX_TOKENS}
        self._model = settings.served_name or self._first_served()
        self._prompts = _prompts(self._model, settings)
        self._dimension = 0
        self._dimension = self._embed(["dimension"], "").shape[1]

    @property
    def name(self) -> str:
        """Return the model's name and revision, with a digest of the prompts."""
        name = f"{self._model}@{self._settings.revision}"
        if not any(self._prompts):
            return name
        return f"{name}+{hashlib.sha256(repr(self._prompts).encode()).hexdigest()[:8]}"

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        return self._dimension

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages, in the order given, float32 of shape (n, dimension), unit length.

        Raises `ModelUnavailable` if the server can't be used or sends what are no vectors.
        """
        return self._embed(texts, self._prompts[1])

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions, otherwise like `embed_documents`."""
        return self._embed(texts, self._prompts[0])

    def _embed(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        found: dict[int, NDArray[np.float32]] = {}
        lengths = [min(len(text) // _CHARS_A_TOKEN + 1, MAX_TOKENS) for text in texts]
        for batch in by_length(lengths, self._settings.batch_tokens):
            for start in range(0, len(batch), _MAX_TEXTS):
                some = batch[start : start + _MAX_TEXTS]
                vectors = self._answered([prompt + texts[i] for i in some])
                found |= dict(zip(some, vectors, strict=True))
        if not found:
            return np.zeros((0, self._dimension), np.float32)
        return np.stack([found[i] for i in range(len(texts))])

    def _answered(self, texts: list[str]) -> NDArray[np.float32]:
        body = {"model": self._model, "input": texts, "encoding_format": "base64"}
        response = self._sent("POST", "embeddings", body | self._extra)
        if response.status_code in {400, 422} and _TRUNCATE in response.text:
            self._extra = {}
            response = self._sent("POST", "embeddings", body)
        return self._read(response, len(texts))

    def _read(self, response: httpx.Response, n: int) -> NDArray[np.float32]:
        self._insist(response)
        try:
            data = sorted(response.json()["data"], key=lambda item: int(item["index"]))
            numbers = [int(item["index"]) for item in data]
            vectors = np.stack([_vector(item["embedding"]) for item in data])
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise self._unusable("sent what are no embeddings") from error
        if vectors.ndim != 2 or len(vectors) != n:
            raise self._unusable(f"sent {len(vectors)} vectors for {n} texts")
        if numbers != list(range(n)):
            raise self._unusable("does not say which vector is whose")
        if self._dimension and vectors.shape[1] != self._dimension:
            raise self._unusable(
                f"sent vectors of {vectors.shape[1]} numbers, before of {self._dimension}"
            )
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not norms.all():
            raise self._unusable("sent vectors that are no numbers")
        unit: NDArray[np.float32] = vectors / norms
        return unit

    def _first_served(self) -> str:
        response = self._sent("GET", "models")
        self._insist(response)
        try:
            return str(response.json()["data"][0]["id"])
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise self._unusable("lists no model") from error

    def _sent(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Send a request, again after a pause where that may help and there is time."""
        until = time.monotonic() + self._settings.timeout_s
        for pause in (*_PAUSES_S, None):
            try:
                response = reply(self._http, method, f"{self._url}/{path}", body, until)
            except httpx.TimeoutException as error:
                raise ModelUnavailable(
                    f"The embedding server at {self._url} did not answer within "
                    f"{self._settings.timeout_s:g} s; raise `models.timeout_s` or lower "
                    "`models.batch_tokens`."
                ) from error
            except httpx.DecodingError as error:
                raise self._unusable("sent more than any answer has") from error
            except httpx.HTTPError as error:
                if pause is None:
                    raise ModelUnavailable(
                        f"The embedding server at {self._url} can't be reached; check "
                        "`models.embedder` and that the server runs."
                    ) from error
            else:
                if response.status_code not in _PASSING or pause is None:
                    return response
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _insist(self, response: httpx.Response) -> None:
        """Raise unless the server did as asked; nothing of its own words goes to the asker."""
        status = response.status_code
        if response.is_success:
            return
        what, then = {
            401: ("refused the key", "check `models.api_key`"),
            403: ("refused the key", "check `models.api_key`"),
            404: (
                "does not know this address or model",
                "check `models.embedder` (it ends in /v1) and `models.served_name`",
            ),
            429: ("is overloaded", "try again later"),
        }.get(status, (f"answered with status {status}", "check the server's log"))
        raise ModelUnavailable(f"The embedding server at {self._url} {what}; {then}.")

    def _unusable(self, what: str) -> ModelUnavailable:
        return ModelUnavailable(
            f"The embedding server at {self._url} {what}; check that it serves an embedding "
            "model at `/v1/embeddings`."
        )


def _prompts(model: str, settings: ModelSettings) -> tuple[str, str]:
    """Return what goes before questions and before passages; models of the e5 family need it."""
    chosen = settings.query_prompt, settings.document_prompt
    if not any(chosen) and "e5" in model.lower() and "instruct" not in model.lower():
        return "query: ", "passage: "
    return chosen


def _vector(sent: object) -> NDArray[np.float32]:
    """Return a vector sent as base64 of little-endian float32, or as a list of numbers."""
    if isinstance(sent, str):
        return np.frombuffer(base64.b64decode(sent, validate=True), "<f4")
    return np.asarray(sent, np.float32)
