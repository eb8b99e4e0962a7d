"""Looking into XML of a known vocabulary by local names, whatever prefix or version it uses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NoReturn

from lxml import etree

from connectors.readers.errors import ReadError
from connectors.readers.record import Quantity, day, decimal
from connectors.readers.text import clean

Element = etree._Element


@lru_cache(maxsize=2048)
def _steps(path: str) -> str:
    return "/".join(step if step in (".", "..") else "{*}" + step for step in path.split("/"))


def first(element: Element, path: str) -> Element | None:
    """Return the first element at a path of local names (`Acct/Id/IBAN`), else None."""
    return element.find(_steps(path))


def every(element: Element, path: str) -> list[Element]:
    """Return all elements at a path of local names."""
    return element.findall(_steps(path))


def text(element: Element | None, *paths: str) -> str:
    """Return the text at the first of several paths that has some, else an empty string."""
    if element is None:
        return ""
    if not paths:
        return content(element)
    for path in paths:
        found = element.find(_steps(path))
        if found is not None and (shown := content(found)):
            return shown
    return ""


def texts(element: Element, path: str) -> list[str]:
    """Return the texts of all elements at a path, without the empty ones."""
    return [shown for found in every(element, path) if (shown := content(found))]


def content(element: Element) -> str:
    """Return an element's whole text as one line."""
    return clean("".join(str(piece) for piece in element.itertext()))


def number(element: Element, *paths: str) -> Decimal | None:
    """Return the number at a path; raises `ReadError` if something else stands there."""
    for path in paths:
        found = element.find(_steps(path))
        if found is not None and content(found):
            return amount_of(found)
    return None


def amount_of(element: Element) -> Decimal:
    """Return the number that an element holds; raises `ReadError` naming line and element."""
    value = decimal(content(element))
    if value is None:
        refuse(element, "is not a number")
    return value


def money(element: Element, path: str, currency: str) -> Quantity | None:
    """Return the amount at a path in a currency, which an attribute of its own may replace."""
    found = element.find(_steps(path))
    if found is None or not content(found):
        return None
    own = attribute(found, "currencyID") or attribute(found, "Ccy")
    return Quantity(amount_of(found), own or currency)


def when(element: Element | None, *paths: str) -> date | None:
    """Return the day at the first of several paths that has one."""
    for path in paths:
        if found := day(text(element, path)):
            return found
    return None


def attribute(element: Element, name: str) -> str:
    """Return an attribute by its local name, else an empty string."""
    names = (key for key in element.attrib if key == name or local(key) == name)
    return next((clean(str(element.attrib[key])) for key in names), "")


def local(name: object) -> str:
    """Return a tag or attribute without its namespace."""
    return str(name).rpartition("}")[2] if isinstance(name, str) else ""


def inside(element: Element) -> Iterator[Element]:
    """Yield the children that are elements."""
    return (child for child in element if isinstance(child.tag, str))


def refuse(element: Element, problem: str) -> NoReturn:
    """Raise a `ReadError` that names the line and the element."""
    where = f"line {element.sourceline or '?'}, element {local(element.tag)}"
    shown = "" if len(element) else content(element)[:40]
    value = f" ({shown!r})" if shown else ""
    raise ReadError("corrupt", f"The XML breaks its format: {where}{value} {problem}.")
