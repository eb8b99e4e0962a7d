"""A reading as plain JSON values, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from connectors.readers.model import Block, BlockKind, Box, Reading
from connectors.readers.record import record_json, record_of

if TYPE_CHECKING:
    from pydantic import JsonValue


def reading_json(reading: Reading) -> dict[str, JsonValue]:
    """The reading as JSON: `media_type, title, lang, blocks, records, warnings`.

    Each block has `kind, text, page, boxes, heading, cells`.
    """
    blocks: list[JsonValue] = [
        {
            "kind": block.kind,
            "text": block.text,
            "page": block.page,
            "boxes": [list(box) for box in block.boxes],
            "heading": list(block.heading),
            "cells": None if block.cells is None else [list(row) for row in block.cells],
        }
        for block in reading.blocks
    ]
    return {
        "media_type": reading.media_type,
        "title": reading.title,
        "lang": reading.lang,
        "blocks": blocks,
        "records": [record_json(record) for record in reading.records],
        "warnings": list(reading.warnings),
    }


def reading_of(value: dict[str, Any]) -> Reading:
    """The inverse of `reading_json`; raises KeyError, TypeError or ValueError on another shape."""
    return Reading(
        media_type=str(value["media_type"]),
        title=str(value["title"]),
        lang=value["lang"],
        blocks=tuple(_block(block) for block in value["blocks"]),
        records=tuple(record_of(record) for record in value["records"]),
        warnings=tuple(str(warning) for warning in value["warnings"]),
    )


def _block(value: dict[str, Any]) -> Block:
    cells = value["cells"]
    return Block(
        kind=cast("BlockKind", value["kind"]),
        text=str(value["text"]),
        page=value["page"],
        boxes=tuple(cast("Box", tuple(float(n) for n in box)) for box in value["boxes"]),
        heading=tuple(value["heading"]),
        cells=None if cells is None else tuple(tuple(row) for row in cells),
    )
