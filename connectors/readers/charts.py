"""Charts and diagrams of office files (DrawingML) as the tables and texts they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.readers.formats import plain_number
from connectors.readers.text import clean

if TYPE_CHECKING:
    from lxml import etree

    from connectors.readers.outline import Outline

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_D = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_MAX_SERIES = 200
_MAX_POINTS = 5_000


def place_chart(outline: Outline, root: etree._Element, page: int | None = None) -> None:
    """Add a chart: its title as caption, its data as a table with a column a series."""
    title, rows = _chart_rows(root)
    outline.caption(title, page)
    if rows:
        outline.table(rows, page)


def _chart_rows(root: etree._Element) -> tuple[str, list[list[str]]]:
    title = root.find(f"{_C}chart/{_C}title")
    texts = [] if title is None else [t.text or "" for t in title.iter(f"{_A}t")]
    series = list(root.iter(f"{_C}ser"))[:_MAX_SERIES]
    names = [_name(one) for one in series]
    categories: dict[int, str] = {}
    for one in series:
        categories = categories or _points(one, ("cat", "xVal"))
    values = [_points(one, ("val", "yVal")) for one in series]
    indices = sorted({i for points in values for i in points})[:_MAX_POINTS]
    rows = [
        [categories.get(i, str(i + 1)), *(points.get(i, "") for points in values)] for i in indices
    ]
    return clean("".join(texts)), [["", *names], *rows] if rows else []


def _name(series: etree._Element) -> str:
    name = series.find(f"{_C}tx")
    return "" if name is None else clean(" ".join(v.text or "" for v in name.iter(f"{_C}v")))


def _points(series: etree._Element, tags: tuple[str, str]) -> dict[int, str]:
    """The cached values of a series; the levels of a category's name are joined."""
    found: dict[int, list[str]] = {}
    for tag in tags:
        for point in series.iterfind(f"{_C}{tag}//{_C}pt"):
            index = point.get("idx", "")
            value = _value(point.findtext(f"{_C}v") or "")
            if index.isdigit() and value:
                found.setdefault(int(index), []).insert(0, value)
    return {index: " ".join(values) for index, values in found.items()}


def _value(text: str) -> str:
    """A number as short as it can be, else the text."""
    try:
        return plain_number(float(text)) if not text.isdigit() else text
    except (ValueError, OverflowError):
        return clean(text)


def diagram_texts(root: etree._Element) -> list[str]:
    """The texts of a SmartArt diagram in its data's order."""
    points = (point.find(f"{_D}t") for point in root.iter(f"{_D}pt"))
    texts = [
        clean(" ".join(t.text or "" for t in text.iter(f"{_A}t")))
        for text in points
        if text is not None
    ]
    return [text for text in texts if text]
