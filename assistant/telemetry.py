"""Structured logs on stderr; never a document's text, a question or a secret in them."""

from __future__ import annotations

import logging
import sys
import unicodedata
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog


def configure(
    *, verbose: bool = False, as_json: bool = False, stream: TextIO | None = None
) -> None:
    """Send logs to stderr or a stream: readable on a terminal, a JSON object a line elsewhere.

    Nothing that is logged can begin a second line or move a terminal's cursor.
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json or not sys.stderr.isatty()
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _on_one_line,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        # Looked up for each line: who replaces stderr for a while gets what is logged meanwhile.
        logger_factory=lambda *_: structlog.PrintLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def _on_one_line(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Write control and invisible characters of texts as escapes; tracebacks keep their lines."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = "".join(_visible(c) for c in value)
    return event


def _visible(character: str) -> str:
    if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return character
    return character.encode("unicode_escape").decode("ascii")


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger that names its module."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(name)
    return bound
