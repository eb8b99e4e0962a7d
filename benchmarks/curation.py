"""What curation finds in attacks and in ordinary texts, and what it costs.

    python -m benchmarks.curation ../shared/data

Attacks are those of `robustness`, ordinary texts the first characters of 1,500 documents of each
corpus. CPU milliseconds are for 900 characters, about a passage.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from assistant.personal.find import find
from assistant.text.instructions import INSTRUCTION, instruction_score
from assistant.text.likeness import band_keys, signature

N_TEXTS = 1_500
N_CHARS = 4_000
PASSAGE = 900


def records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file of JSON lines, perhaps compressed."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def attacks(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield kinds of attacks with their texts."""
    found: dict[str, list[str]] = {}
    for one in records(folder / "attacks.jsonl"):
        found.setdefault(f"attacks: {one['kind']} ({one['channel']})", []).append(one["text"])
    for one in records(folder / "bipia_attacks.jsonl"):
        name = f"BIPIA {one['kind']}: {one['category']}"
        found.setdefault(name, []).append(one["instruction"])
    found["jailbreaks"] = [one["prompt"] for one in records(folder / "jailbreak_prompts.jsonl")]
    yield from found.items()


def ordinary(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield corpora with texts of theirs."""
    for path in sorted(folder.glob("*/corpus.jsonl*")):
        chosen = records(path)
        random.Random(1).shuffle(chosen)
        yield path.parent.name, [one["text"][:N_CHARS] for one in chosen[:N_TEXTS]]


def cost(work: Callable[[str], object], texts: list[str]) -> float:
    """Return CPU milliseconds for a passage's length."""
    began = time.process_time()
    for text in texts:
        work(text)
    return (time.process_time() - began) * 1000 * PASSAGE / max(1, sum(map(len, texts)))


def passages(texts: list[str]) -> list[str]:
    """Cut texts to the length of passages."""
    return [text[i : i + PASSAGE] for text in texts for i in range(0, len(text), PASSAGE)]


def keys(text: str) -> object:
    """Return what a text is compared by."""
    minima = signature(text)
    return band_keys(minima) if minima is not None else None


def main(folder: Path) -> None:
    """Print both tables."""
    print("| attacks | instruction-like |\n| --- | --: |")
    for name, texts in attacks(folder / "robustness"):
        n = sum(instruction_score(text) >= INSTRUCTION for text in texts)
        print(f"| {name} | {n} of {len(texts)} |")
    print(
        "\n| ordinary texts | characters | instruction-like | personal data | find | score | keys |"
    )
    print("| --- | --: | --: | --- | --: | --: | --: |")
    for name, texts in ordinary(folder):
        cut = passages(texts)
        n = sum(instruction_score(text) >= INSTRUCTION for text in cut)
        kinds = Counter(one.kind for text in texts for one in find(text))
        listed = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        times = [cost(work, cut) for work in (find, instruction_score, keys)]
        spent = " | ".join(f"{ms:.2f} ms" for ms in times)
        row = f"{sum(map(len, texts)):,} | {n} of {len(cut):,} | {listed or '–'} | {spent}"
        print(f"| {name} | {row} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
