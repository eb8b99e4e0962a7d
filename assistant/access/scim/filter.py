"""Filters of SCIM (RFC 7644, section 3.4.2.2): parsed, matched against resources as JSON.

`eq`, `ne`, `co`, `sw`, `ew` and `pr` with `and`, `or`, `not`, parentheses and value paths.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assistant.access.scim.problem import ScimProblem

MAX_LENGTH = 2000
MAX_DEPTH = 10

_TOKEN = re.compile(r'\s*(?:([()\[\]])|("(?:[^"\\]|\\.)*")|([^\s()\[\]"]+))')
_SPACE = re.compile(r"\s*")
_COMPARING = frozenset({"eq", "ne", "co", "sw", "ew"})
_EXACT = frozenset({"id", "externalid", "members", "members.value"})
"""Attributes whose case counts."""
_SCHEMA = re.compile(r"^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Compared:
    """An attribute, in lower case, compared with a value; `pr` has none."""

    path: str
    operator: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Within:
    """One value of a multi-valued attribute meets all of a filter."""

    path: str
    inner: Filter


@dataclass(frozen=True, slots=True)
class Negated:
    """What doesn't meet a filter."""

    inner: Filter


@dataclass(frozen=True, slots=True)
class Joined:
    """What meets all of some filters, or any of them."""

    operator: str
    parts: tuple[Filter, ...]


Filter = Compared | Within | Negated | Joined


def attribute(path: str) -> str:
    """Return an attribute's path in lower case, without the schema before it."""
    return _SCHEMA.sub("", path).lower()


def parse(text: str) -> Filter:
    """Parse a filter; raises `ScimProblem` (invalidFilter)."""
    if len(text) > MAX_LENGTH:
        raise _invalid(f"it is longer than {MAX_LENGTH} characters")
    reader = _Reader(text)
    found = reader.joined(0)
    reader.end()
    return found


def matches(test: Filter, resource: Mapping[str, Any]) -> bool:
    """Tell whether a resource meets a filter."""
    match test:
        case Compared():
            return any(_holds(test, value) for value in _values(resource, test.path)) or (
                test.operator == "ne" and not list(_values(resource, test.path))
            )
        case Within(path, inner):
            inside = _values(resource, path, whole=True)
            return any(isinstance(one, Mapping) and matches(inner, one) for one in inside)
        case Negated(inner):
            return not matches(inner, resource)
        case Joined(operator, parts):
            met = (matches(part, resource) for part in parts)
            return all(met) if operator == "and" else any(met)


def equalities(test: Filter) -> dict[str, str]:
    """Return the texts that attributes must equal: by these a listing may be narrowed."""
    match test:
        case Compared(path, "eq", str(value)):
            return {path: value}
        case Within(path, Compared("value", "eq", str(value))):
            return {path: value}
        case Joined("and", parts):
            return {k: v for part in parts for k, v in equalities(part).items()}
    return {}


class _Reader:
    """Reads the tokens of a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def joined(self, depth: int) -> Filter:
        """Read filters that `or`, and more tightly `and`, joins."""
        parts = [self._conjunction(depth)]
        while self._accept("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def end(self) -> None:
        """Refuse what stands after the end."""
        if self._at < len(self._tokens):
            raise _invalid(f"{self._tokens[self._at][:40]!r} is one too many")

    def _conjunction(self, depth: int) -> Filter:
        parts = [self._one(depth)]
        while self._accept("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def _one(self, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise _invalid("its parentheses are too deep")
        negated = self._accept("not")
        if self._accept("("):
            found = self.joined(depth + 1)
            self._expect(")")
        elif negated:
            raise _invalid("`not` stands before parentheses")
        else:
            found = self._test(depth)
        return Negated(found) if negated else found

    def _test(self, depth: int) -> Filter:
        path = self._next("an attribute")
        if path[0] in '()[]"':
            raise _invalid(f"an attribute is missing before {path[:40]!r}")
        if self._accept("["):
            inner = self.joined(depth + 1)
            self._expect("]")
            return Within(attribute(path), inner)
        operator = self._next("an operator").lower()
        if operator == "pr":
            return Compared(attribute(path), "pr")
        if operator not in _COMPARING:
            known = ", ".join(sorted(_COMPARING | {"pr"}))
            raise _invalid(f"there is no operator {operator[:40]!r}: use {known}")
        return Compared(attribute(path), operator, _literal(self._next("a value")))

    def _next(self, wanted: str) -> str:
        if self._at >= len(self._tokens):
            raise _invalid(f"it ends before {wanted}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, word: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at].lower() == word
        self._at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise _invalid(f"a {word!r} is missing")


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            if _SPACE.fullmatch(text, at):
                return
            raise _invalid(f"a quotation mark has no second one after character {at}")
        yield found.group().strip()
        at = found.end()


def _literal(token: str) -> object:
    try:
        value = json.loads(token)
    except ValueError:
        # Entra ID quotes booleans, some clients write them with a capital letter.
        if token.lower() in {"true", "false"}:
            return token.lower() == "true"
        raise _invalid(f"the value {token[:40]!r} is not quoted") from None
    if isinstance(value, str) and not value.isprintable():
        raise _invalid("a value holds what can't be printed")
    return value


def _values(resource: Mapping[str, Any], path: str, *, whole: bool = False) -> Iterator[object]:
    """Yield the values at a path; of a complex one in a list its `value`, unless `whole`."""
    name, _, rest = path.partition(".")
    found = next((value for key, value in resource.items() if key.lower() == name), None)
    for one in found if isinstance(found, list) else [found]:
        if rest:
            yield from _values(one, rest, whole=whole) if isinstance(one, Mapping) else ()
        elif isinstance(one, Mapping) and not whole:
            yield one.get("value", one)
        elif one is not None:
            yield one


def _holds(test: Compared, value: object) -> bool:
    if test.operator == "pr":
        return value not in ("", [], {})
    wanted = test.value
    if isinstance(value, bool) and isinstance(wanted, str):
        wanted = wanted.lower() == "true"
    if isinstance(value, str) and isinstance(wanted, str):
        if test.path not in _EXACT:
            value, wanted = value.lower(), wanted.lower()
        if test.operator in {"co", "sw", "ew"}:
            tests = {"co": wanted in value, "sw": value.startswith(wanted)}
            return tests.get(test.operator, value.endswith(wanted))
    elif test.operator in {"co", "sw", "ew"}:
        return False
    same = type(value) is type(wanted) and value == wanted
    return same == (test.operator == "eq")


def _invalid(reason: str) -> ScimProblem:
    return ScimProblem("invalidFilter", f"The filter can't be understood: {reason}.")
