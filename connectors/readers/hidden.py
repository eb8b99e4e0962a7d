"""Which HTML elements no person sees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_HIDING = re.compile(
    r"display:none|visibility:(hidden|collapse)|opacity:0?(\.0+)?(;|$|!)"
    r"|font-size:(0?\.\d+|[01](\.\d+)?)(px|pt)"
    r"|font-size:0?\.?0\d*(em|rem|%)?(;|$|!)|text-indent:-\d{3,}|(left|top|right):-\d{3,}"
    r"|clip:rect\(0|clip-path:inset\((50|100)%|(max-)?(height|width):0(px)?(;|$|!)"
)
_COLOR = re.compile(r"(?:^|;)color:([^;!]+)")
_BACKGROUND = re.compile(r"(?:^|;)background(?:-color)?:([^;!]+)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"^(?:\w+)?([.#][\w-]+)$")
_WHITE = frozenset(
    {"#fff", "#ffff", "#ffffff", "#fffffe", "#fefefe", "white", "rgb(255,255,255)", "transparent"}
)


def squeezed(style: str) -> str:
    """A style without white space and in lower case."""
    return re.sub(r"/\*.*?\*/|\s+", "", style, flags=re.DOTALL).lower()


def hidden_selectors(sheets: Iterable[str]) -> frozenset[str]:
    """The simple selectors (`.x`, `#x`) that a style sheet hides outside media queries."""
    found = set()
    for sheet in sheets:
        screen = re.sub(r"@media\s+print[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", sheet)
        for selectors, style in _RULE.findall(screen[:500_000]):
            if _HIDING.search(squeezed(style)):
                for selector in selectors.split(","):
                    if match := _SELECTOR.match(selector.strip()):
                        found.add(match.group(1))
    return frozenset(found)


def is_hidden(attributes: Mapping[str, str | None], selectors: frozenset[str], paper: str) -> bool:
    """Whether an element is invisible on a background `paper` (a colour, white by default)."""
    if "hidden" in attributes or (attributes.get("aria-hidden") or "").lower() == "true":
        return True
    names = {f".{name}" for name in (attributes.get("class") or "").split()}
    names.add(f"#{attributes.get('id') or ''}")
    if names & selectors:
        return True
    style = squeezed(attributes.get("style") or "")
    if _HIDING.search(style):
        return True
    color = _COLOR.search(style)
    return bool(color and _same(color.group(1), background(attributes, paper)))


def background(attributes: Mapping[str, str | None], inherited: str) -> str:
    """The colour behind an element's text."""
    match = _BACKGROUND.search(squeezed(attributes.get("style") or ""))
    return match.group(1) if match else squeezed(attributes.get("bgcolor") or "") or inherited


def _same(color: str, paper: str) -> bool:
    return color == paper or color == "transparent" or (color in _WHITE and paper in _WHITE)
