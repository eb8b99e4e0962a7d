"""Who may read a file of a folder: `*.access.toml` sidecars and `.groups.toml`.

A sidecar looks like this (each key is optional, an unknown key is an error)::

    allow = ["group:finance", "user:ana"]   # or "everyone"; [] is nobody
    deny = ["group:interns"]
    all_of = ["group:employees"]            # a reader must hold each of them, too

    [meta]
    lang = "pt"
    date = 2024-03-31
    collection = "policies"
    superseded_by = "policy-2025.docx"      # relative to the sidecar's folder

`.access.toml` applies to its folder and everything below, `NAME.EXT.access.toml` to the file
beside it. The rules:

1. `allow` and `all_of` come together from the nearest sidecar that has one of them; they are
   never merged with those further out. Where no sidecar has one, nobody may read.
2. `deny` accumulates: a sidecar further in can add to the denies above it, never undo one. A
   sidecar with only `deny` narrows what applies there anyway.
3. A sidecar that can't be understood (unreadable, not TOML, an unknown key or principal, empty as
   after a full disk) means nobody for all it covers, also below nearer sidecars: it may have
   held a `deny`.
4. `meta` is inherited key by key, the nearer value wins; `title` counts only beside its file.
"""

from __future__ import annotations

import math
import posixpath
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, StrictStr, ValidationError

from connectors.contract import Access, ConnectorError, Failed, Frozen, Group

SIDECAR = ".access.toml"
"""The name of a folder's sidecar, and what a file's sidecar appends to the file's name."""
GROUPS_FILE = ".groups.toml"
MAX_SIDECAR_BYTES = 65_536

_PRINCIPAL = re.compile(r"everyone|(?:user|group):[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*\S)?")


NOBODY = Access()


class SidecarError(ConnectorError):
    """A sidecar can't be understood; the message says why, without the file's name."""


def _principal(value: str) -> str:
    if not _PRINCIPAL.fullmatch(value):
        raise ValueError(f"{value!r} is neither user:LOGIN, group:NAME nor everyone")
    return value


def _json(value: Any) -> JsonValue:
    """Turn a date or time into ISO 8601; raises ValueError for what can't be stored."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list) and not any(isinstance(one, list) for one in value):
        return [_json(one) for one in value]
    if isinstance(value, str) and "\x00" not in value:
        return value
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError("a value must be a text, number, date, true, false or a list of them")


def _json_table(table: dict[str, Any]) -> dict[str, JsonValue]:
    if any("\x00" in key for key in table):
        raise ValueError("a key holds a NUL character")
    return {key: _json(value) for key, value in table.items()}


Principals = frozenset[Annotated[StrictStr, AfterValidator(_principal)]]
Member = Annotated[StrictStr, AfterValidator(_principal), Field(pattern="^(user|group):")]


class Sidecar(Frozen):
    """One sidecar as it is written."""

    allow: Principals | None = None
    deny: Principals = frozenset()
    all_of: Principals | None = None
    meta: Annotated[dict[str, Any], AfterValidator(_json_table)] = Field(default_factory=dict)


class _GroupsFile(Frozen):
    groups: dict[str, frozenset[Member]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the sidecars from the root down to one place say; the start is nobody."""

    access: Access = NOBODY
    meta: dict[str, JsonValue] = field(default_factory=dict)
    closed: bool = False

    def then(self, sidecar: Sidecar) -> Rule:
        """Return the rule of a nearer place whose sidecar is this one."""
        deny = self.access.deny | sidecar.deny
        states = sidecar.allow is not None or sidecar.all_of is not None
        allow = (sidecar.allow or frozenset()) if states else self.access.allow
        all_of = (sidecar.all_of or frozenset()) if states else self.access.all_of
        access = Access(allow=allow, deny=deny, all_of=all_of)
        return replace(self, access=access, meta={**self.meta, **sidecar.meta})

    def close(self) -> Rule:
        """Return the rule of a place whose sidecar can't be understood: nobody, for good."""
        return replace(self, closed=True)

    def granted(self) -> Access:
        """Return who may read."""
        return NOBODY if self.closed else self.access

    def narrowed(self, other: Rule) -> Rule:
        """Return this rule with the denies of another: what reaches a place by two ways."""
        access = self.access.model_copy(update={"deny": self.access.deny | other.access.deny})
        return replace(self, access=access, closed=self.closed or other.closed)

    def below(self) -> Rule:
        """Return what a folder's rule hands down: everything but the title."""
        meta = {key: value for key, value in self.meta.items() if key != "title"}
        return replace(self, meta=meta)


def parse_sidecar(content: bytes, folder: str) -> Sidecar:
    """Read a sidecar that lies in `folder` (relative to the root, "" for the root itself).

    `superseded_by` becomes relative to the root. Raises `SidecarError`.
    """
    table = _toml(content)
    if not table:
        raise SidecarError("it says nothing; write allow = [] if nobody may read")
    try:
        sidecar = Sidecar.model_validate(table)
    except ValidationError as error:
        raise SidecarError(_sentence(error)) from error
    for key in ("title", "lang", "date", "collection", "industry", "superseded_by"):
        if not isinstance(sidecar.meta.get(key, ""), str):
            raise SidecarError(f"meta.{key} must be a text or a date")
    if newer := sidecar.meta.get("superseded_by"):
        target = posixpath.normpath(posixpath.join(folder, str(newer)))
        if target.startswith(("/", "../")) or target in ("..", "."):
            raise SidecarError("meta.superseded_by must name a file inside the folder")
        return sidecar.model_copy(update={"meta": {**sidecar.meta, "superseded_by": target}})
    return sidecar


def parse_access(table: Mapping[str, list[str]]) -> Access:
    """Read `allow`, `deny` and `all_of` as a sidecar has them; raises `SidecarError`."""
    try:
        return Rule().then(Sidecar.model_validate(table)).access
    except ValidationError as error:
        raise SidecarError(_sentence(error)) from error


def judged(rule: Rule, name: str, content: bytes) -> tuple[Rule, Failed | None]:
    """Return a rule with the sidecar `name` (its path from the root) applied.

    One that can't be understood closes the rule, and is returned as `Failed`, too.
    """
    try:
        return rule.then(parse_sidecar(content, posixpath.dirname(name))), None
    except SidecarError as error:
        return closed(rule, name, f"{name} is wrong: {error}.")


def closed(rule: Rule, name: str, why: str) -> tuple[Rule, Failed]:
    """Return the closed rule and the failure of a sidecar that can't be read or understood."""
    return rule.close(), Failed(id=name, error=f"{why} Nobody may read what it covers.")


def parse_groups(content: bytes) -> list[Group]:
    """Read `.groups.toml`: `[groups]` with `name = ["user:…", "group:…"]`.

    Raises `SidecarError`.
    """
    try:
        groups = _GroupsFile.model_validate(_toml(content)).groups
        for name in groups:
            _principal(f"group:{name}")
    except ValidationError as error:
        raise SidecarError(_sentence(error)) from error
    except ValueError as error:
        raise SidecarError(str(error)) from error
    return [Group(id=f"group:{name}", members=groups[name]) for name in sorted(groups)]


def _toml(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_SIDECAR_BYTES:
        raise SidecarError(f"it is larger than {MAX_SIDECAR_BYTES} bytes")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SidecarError("it is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise SidecarError(f"it is not valid TOML: {error}") from error
    except RecursionError as error:
        raise SidecarError("it is nested too deeply") from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    if first["type"] == "extra_forbidden":
        return f"there is no key {place!r}"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"
