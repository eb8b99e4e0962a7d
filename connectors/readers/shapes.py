"""Shapes on a slide: groups resolved, placed, and put in the order people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lxml import etree

    from connectors.readers.model import Box

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_SHAPES = frozenset({f"{_P}sp", f"{_P}graphicFrame", f"{_P}cxnSp", f"{_P}pic"})
_MAX_DEPTH = 30
_MAX_CUTS = 12


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape with its placeholder's kind (empty for none) and its box in the slide's units."""

    element: etree._Element
    kind: str
    box: Box | None
    hidden: bool = False


class _Scale(NamedTuple):
    """How a group's inner coordinates lie on the slide."""

    dx: float = 0.0
    dy: float = 0.0
    fx: float = 1.0
    fy: float = 1.0


def shapes_of(tree: etree._Element, places: Mapping[str, etree._Element]) -> list[Shape]:
    """All shapes of a slide; `places` are the layout's transforms for those without their own."""
    return list(_walk(tree, places, _Scale(), depth=0, hidden=False))


def _walk(
    parent: etree._Element,
    places: Mapping[str, etree._Element],
    scale: _Scale,
    *,
    depth: int,
    hidden: bool,
) -> Iterator[Shape]:
    for child in parent:
        if child.tag in _SHAPES:
            yield _shape(child, places, scale, hidden=hidden)
        elif depth >= _MAX_DEPTH:
            continue
        elif child.tag == f"{_P}grpSp":
            about = child.find(f"{_P}nvGrpSpPr/{_P}cNvPr")
            inner = _inner(child.find(f"{_P}grpSpPr/{_A}xfrm"), scale)
            unseen = hidden or _is_hidden(about)
            yield from _walk(child, places, inner, depth=depth + 1, hidden=unseen)
        elif child.tag == f"{_MC}AlternateContent":
            choice = child.find(f"{_MC}Choice")
            inside = choice if choice is not None else child.find(f"{_MC}Fallback")
            if inside is not None:
                yield from _walk(inside, places, scale, depth=depth + 1, hidden=hidden)


def _shape(
    element: etree._Element,
    places: Mapping[str, etree._Element],
    scale: _Scale,
    *,
    hidden: bool,
) -> Shape:
    holder = element.find(f"./*/{_P}nvPr/{_P}ph")
    kind = "" if holder is None else holder.get("type", "obj")
    transform = element.find(f"{_P}spPr/{_A}xfrm")
    if transform is None:
        transform = element.find(f"{_P}xfrm")
    if transform is None and holder is not None:
        transform = places.get(f"#{holder.get('idx', '0')}", places.get(kind))
    about = element.find(f"./*/{_P}cNvPr")
    return Shape(element, kind, _box(transform, scale), hidden or _is_hidden(about))


def _is_hidden(about: etree._Element | None) -> bool:
    return about is not None and about.get("hidden") in ("1", "true")


def _pair(transform: etree._Element, tag: str, x: str, y: str) -> tuple[float, float] | None:
    found = transform.find(f"{_A}{tag}")
    try:
        return None if found is None else (float(found.get(x, "")), float(found.get(y, "")))
    except ValueError:
        return None


def _box(transform: etree._Element | None, scale: _Scale) -> Box | None:
    if transform is None:
        return None
    start, size = _pair(transform, "off", "x", "y"), _pair(transform, "ext", "cx", "cy")
    if start is None or size is None:
        return None
    x0, y0 = scale.dx + start[0] * scale.fx, scale.dy + start[1] * scale.fy
    return x0, y0, x0 + size[0] * scale.fx, y0 + size[1] * scale.fy


def _inner(transform: etree._Element | None, scale: _Scale) -> _Scale:
    if transform is None:
        return scale
    start, size = _pair(transform, "off", "x", "y"), _pair(transform, "ext", "cx", "cy")
    inner, extent = _pair(transform, "chOff", "x", "y"), _pair(transform, "chExt", "cx", "cy")
    if not (start and size and inner and extent and extent[0] and extent[1]):
        return scale
    fx, fy = size[0] / extent[0], size[1] / extent[1]
    return _Scale(
        scale.dx + (start[0] - inner[0] * fx) * scale.fx,
        scale.dy + (start[1] - inner[1] * fy) * scale.fy,
        scale.fx * fx,
        scale.fy * fy,
    )


def in_reading_order(shapes: Sequence[Shape]) -> list[Shape]:
    """Shapes cut recursively at the widest white lane, rows top down and columns left to right.

    The recursive X-Y cut of Nagy and Seth (1984); shapes without a place keep theirs in the file.
    """
    placed = [shape for shape in shapes if shape.box is not None]
    return _cut(placed, _MAX_CUTS) + [shape for shape in shapes if shape.box is None]


def _cut(shapes: list[Shape], cuts: int) -> list[Shape]:
    if len(shapes) < 2:
        return shapes
    lanes = [lane for axis in (0, 1) if (lane := _widest_lane(shapes, axis))]
    if not lanes or not cuts:
        return sorted(shapes, key=lambda s: (s.box[1], s.box[0]) if s.box else (0.0, 0.0))
    _, axis, at = max(lanes)
    first = [s for s in shapes if s.box and s.box[axis] < at]
    return _cut(first, cuts - 1) + _cut([s for s in shapes if s not in first], cuts - 1)


def _widest_lane(shapes: Sequence[Shape], axis: int) -> tuple[float, int, float] | None:
    """Width, axis (0: between columns, 1: between rows) and place of the widest lane."""
    spans = sorted((s.box[axis], s.box[axis + 2]) for s in shapes if s.box)
    best: tuple[float, int, float] | None = None
    end = spans[0][1]
    for x0, x1 in spans[1:]:
        if x0 >= end and (best is None or x0 - end > best[0]):
            best = (x0 - end, axis, x0)
        end = max(end, x1)
    return best
