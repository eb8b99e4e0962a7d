"""What one file may cost."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps for reading one file, generous for honest files and fatal for bombs.

    `ratio` is inflated ÷ packed bytes of a whole archive and counts only above
    `ratio_floor_bytes`, because small parts of honest office files compress very well. `depth` is
    how many archives may lie inside each other. `rows` is per table, `result_bytes` the size of
    the JSON that the child hands back. Recognising text on pictures of pages (OCR) has its own
    budget beside `cpu_s` and `wall_s`; `ocr_pages` of 0 turns it off.
    """

    file_bytes: int = 100 * MIB
    inflated_bytes: int = 1024 * MIB
    ratio: int = 100
    ratio_floor_bytes: int = 10 * MIB
    entries: int = 10_000
    depth: int = 2
    pages: int = 2_000
    rows: int = 50_000
    memory_bytes: int = 1024 * MIB
    cpu_s: int = 30
    wall_s: float = 60.0
    result_bytes: int = 64 * MIB
    ocr_pages: int = 60
    ocr_page_s: int = 20
    ocr_s: int = 240
