"""A conversation as a table for a spreadsheet, in which no cell is ever a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from assistant.store.conversations import Message

COLUMNS = ("asked_at", "question", "answer", "sources", "receipt")

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def conversation_csv(messages: Sequence[Message]) -> str:
    """Return questions with their answers, sources and receipts as CSV (RFC 4180)."""
    file = io.StringIO(newline="")
    table = csv.writer(file)
    table.writerow(COLUMNS)
    asked: Message | None = None
    for message in messages:
        if message.role == "user":
            asked = message
        elif asked is not None:
            body: dict[str, Any] = message.body
            sources = "; ".join(f"[{c['n']}] {c['document']} {c['uri']}" for c in body["citations"])
            question = str(asked.body.get("question", ""))
            when = asked.created_at.isoformat()
            row = (when, question, str(body["answer"]), sources, message.receipt or "")
            table.writerow([neutral(cell) for cell in row])
            asked = None
    return file.getvalue()


def neutral(cell: str) -> str:
    """Return a cell that a spreadsheet takes for text: an apostrophe before what could calculate.

    This is the advice of OWASP on CSV injection.
    """
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
