"""Structured logs on stderr; never a document's text, a question or a secret in them."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, verbose: bool = False, as_json: bool = False) -> None:
    """Send logs to stderr: readable on a terminal, one JSON object a line elsewhere."""
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
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger that names its module."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(name)
    return bound
