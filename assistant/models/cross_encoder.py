"""The reranker in this process: a sentence-transformers cross-encoder from a folder or the hub.

torch and sentence-transformers are imported when a model is loaded, not with this module.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ModelUnavailable, SettingsError
from assistant.models import weights

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

MAX_TOKENS = 512
BATCH = 8
"""Pairs in one batch: on a processor larger ones leave its cache."""

_HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model"]


class CrossEncoderReranker:
    """Judges pairs with one model; safe to call from several threads.

    Every language is taken to be read: the model is the operator's choice.
    """

    def __init__(self, model: CrossEncoder, name: str) -> None:
        self._model = model
        self._name = name
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the model's name and the first 12 digits of its weights' sha256."""
        return self._name

    def reads(self, lang: str) -> bool:
        """Say yes: what the model knows is not written in its files."""
        del lang
        return True

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a score for each text, float32 of shape (n,); 512 tokens of a pair count.

        Raises `ModelUnavailable` if the model returns values that are no numbers.
        """
        if not texts:
            return np.zeros(0, np.float32)
        with self._lock:
            found = self._model.predict(
                [(question, text) for text in texts], batch_size=BATCH, show_progress_bar=False
            )
        scores = np.asarray(found, np.float32)
        if scores.shape != (len(texts),) or not np.isfinite(scores).all():
            raise ModelUnavailable(
                f"The reranker {self._name} returned what is not one number for each passage: "
                "set `models.reranker` to a cross-encoder with one label."
            )
        return scores


def load(model: str, *, device: Literal["auto", "cpu", "cuda"] = "auto") -> CrossEncoderReranker:
    """Load a folder, or a model of the Hugging Face hub (from its cache if it's there).

    Only safetensors weights are read, and no code of a model is run. Raises `SettingsError` if
    there is no such folder or device, `ModelUnavailable` if it can't be fetched or read.
    """
    folder = _find(model)
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise SettingsError(
            f"{folder} has no safetensors weights, and others are never loaded: convert the "
            "model, or set `models.reranker` to another one."
        )
    digest = hashlib.sha256("".join(map(weights.file_sha256, files)).encode()).hexdigest()
    name = folder.resolve().name if Path(model).expanduser().exists() else model
    return _open(folder, f"{name}@{digest[:12]}", device)


def _find(model: str) -> Path:
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if path.is_absolute() or model.startswith(("./", "../", "~")) or model.count("/") > 1:
        raise SettingsError(
            f"There is no model folder {model}: set `models.reranker` to a folder, a model's "
            "name, a URL or `english`, or leave it empty."
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        cached = Path(snapshot_download(model, local_files_only=True))
        if list(cached.glob("*.safetensors")):
            return cached
    except (LocalEntryNotFoundError, HFValidationError):
        pass
    try:
        return Path(snapshot_download(model, allow_patterns=_HUB_FILES))
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise ModelUnavailable(
            f"The reranker {model} is neither in the hub's cache nor can it be fetched: check the "
            "name and the network, or set `models.reranker` to a folder."
        ) from error


def _open(folder: Path, name: str, device: Literal["auto", "cpu", "cuda"]) -> CrossEncoderReranker:
    import torch
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging as transformers_logging

    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            "`models.device` is `cuda`, but torch finds no such device: set it to `auto` or "
            "`cpu`, or install a CUDA build of torch."
        )
    place = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        model = CrossEncoder(
            str(folder),
            device=place,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise ModelUnavailable(
            f"{folder} can't be loaded as a cross-encoder ({reason}): check its files, or set "
            "`models.reranker` to another model."
        ) from error
    if model.num_labels != 1:
        raise SettingsError(
            f"{folder} is no reranker: it gives {model.num_labels} labels instead of one score. "
            "Set `models.reranker` to another model."
        )
    model.max_seq_length = min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
    return CrossEncoderReranker(model, name)
