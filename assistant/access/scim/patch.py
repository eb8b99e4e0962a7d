"""PATCH of SCIM (RFC 7644, section 3.5.2) on a resource as JSON, as Entra ID and Okta send it.

Beyond the RFC: `op` in any case, members to remove as a value, and paths as keys of a value
without a path. Attributes that are not kept here are left out instead of refused, or one
attribute too many in the provider's mapping would keep somebody from being disabled.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.access.scim.filter import Compared, Filter, attribute, matches, parse
from assistant.access.scim.problem import ScimProblem

Json = dict[str, Any]

_PATH = re.compile(r"^([^\[\]]+?)(?:\[(.*)\])?(?:\.([A-Za-z$]+))?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Operation:
    """One change; without a path `value` holds attributes."""

    op: Literal["add", "replace", "remove"]
    path: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a change goes: an attribute, perhaps some of its values, perhaps a part of them."""

    name: str
    which: Filter | None
    part: str


def patched(
    resource: Mapping[str, Any], operations: Sequence[Operation], kept: Mapping[str, frozenset[str]]
) -> Json:
    """Return the resource after all operations; raises `ScimProblem`.

    `kept` are the names of the attributes there are, each with those of its parts.
    """
    new = copy.deepcopy(dict(resource))
    for operation in operations:
        if operation.path:
            _change(new, operation, kept)
        elif not isinstance(operation.value, Mapping):
            raise ScimProblem("invalidValue", "An operation without a path needs attributes.")
        else:
            for path, value in operation.value.items():
                _change(new, Operation(operation.op, path, value), kept)
    return new


def _change(resource: Json, operation: Operation, kept: Mapping[str, frozenset[str]]) -> None:
    target = _target(operation.path, kept)
    if target is None:
        return
    if target.which is not None:
        _change_some(resource, target, target.which, operation)
    elif target.part:
        inside = resource.setdefault(target.name, {})
        if not isinstance(inside, dict):
            raise _no_path(operation.path)
        _put(inside, target.part, operation)
    else:
        _put(resource, target.name, operation)


def _target(path: str, kept: Mapping[str, frozenset[str]]) -> Target | None:
    """Return the place of a path, None if it is of an attribute that is not kept."""
    found = _PATH.match(attribute(path) if "[" not in path else path)
    if found is None:
        raise _no_path(path)
    name, inner, part = found.groups()
    name = attribute(name)
    known = {one.lower(): one for one in kept}
    if name not in known:
        return None
    parts = {one.lower(): one for one in kept[known[name]]}
    if part and part.lower() not in parts:
        return None
    which = parse(inner) if inner is not None else None
    return Target(known[name], which, parts[part.lower()] if part else "")


def _put(inside: Json, name: str, operation: Operation) -> None:
    """Add, replace or remove an attribute as a whole; to lists, what is new is added."""
    present, value = inside.get(name), operation.value
    if operation.op == "remove":
        if isinstance(present, list) and value is not None:
            gone = {_identity(one) for one in (value if isinstance(value, list) else [value])}
            inside[name] = [one for one in present if _identity(one) not in gone]
        else:
            inside.pop(name, None)
    elif operation.op == "add" and isinstance(present, list):
        added = value if isinstance(value, list) else [value]
        held = {_identity(one) for one in present}
        inside[name] = present + [one for one in added if _identity(one) not in held]
    elif isinstance(present, dict) and isinstance(value, Mapping):
        inside[name] = {**present, **value}
    else:
        inside[name] = value


def _change_some(resource: Json, target: Target, which: Filter, operation: Operation) -> None:
    """Change those values of a list that meet a filter."""
    values = resource.get(target.name) or []
    if not isinstance(values, list):
        raise _no_path(operation.path)
    chosen = [one for one in values if isinstance(one, dict) and matches(which, one)]
    if operation.op == "remove":
        if target.part:
            for one in chosen:
                one.pop(target.part, None)
        else:
            values = [one for one in values if one not in chosen]
    else:
        if not chosen:
            chosen = [_made(which, operation.path)]
            values = [*values, *chosen]
        for one in chosen:
            one.update({target.part: operation.value} if target.part else _part(operation.value))
    resource[target.name] = values


def _made(which: Filter, path: str) -> Json:
    """Return the value that a filter such as `type eq "work"` describes, for lists without one."""
    if isinstance(which, Compared) and which.operator == "eq" and which.path != "value":
        return {which.path: which.value}
    raise ScimProblem("noTarget", f"Nothing meets the filter of {path[:100]!r}.")


def _part(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ScimProblem("invalidValue", "A value chosen by a filter needs attributes.")
    return value


def _identity(one: object) -> str:
    return str(one.get("value")) if isinstance(one, Mapping) else str(one)


def _no_path(path: str) -> ScimProblem:
    return ScimProblem("invalidPath", f"The path {path[:100]!r} leads nowhere.")
