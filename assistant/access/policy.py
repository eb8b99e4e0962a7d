"""Rules of the house over whole collections, above what any source allows; a reviewed TOML file.

    [purposes.treatment]
    groups = ["group:people:clinicians"]      # who may state this purpose

    [collections.patients]
    only = ["group:people:clinicians"]        # whoever holds none of these reads nothing
    deny = ["group:people:interns"]
    purposes = ["treatment"]                  # one of them must be stated

    [tenants.acme]
    collections = ["acme"]                    # for people of this company alone

A rule can only take away. It speaks of principals, among them `purpose:NAME`, which a request
states, and `tenant:NAME`, the company of a person.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from sqlalchemy import Connection

from assistant.access.principals import PURPOSE, TENANT, named
from assistant.domain import Principal
from assistant.errors import InvalidRequest, SettingsError
from assistant.store import policies

MAX_BYTES = 1_000_000


def _written(text: str) -> Principal:
    try:
        return named(text)
    except InvalidRequest as error:
        raise ValueError(str(error)) from error


Named = Annotated[str, AfterValidator(_written)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Purpose(_Part):
    """A purpose of reading, and the principals of whom one must be held to state it."""

    groups: Annotated[tuple[Named, ...], Field(min_length=1)]


class CollectionRule(_Part):
    """What a reader of a collection must hold and must not; empty tuples ask nothing."""

    only: tuple[Named, ...] = ()
    deny: tuple[Named, ...] = ()
    purposes: tuple[str, ...] = ()


class Tenant(_Part):
    """A company's collections, which nobody else reads."""

    collections: Annotated[tuple[str, ...], Field(min_length=1)]


class Policy(_Part):
    """All rules; collections that no rule names are open to whom their sources allow."""

    purposes: dict[Name, Purpose] = {}
    collections: dict[str, CollectionRule] = {}
    tenants: dict[Annotated[str, StringConstraints(min_length=1)], Tenant] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        for name, rule in self.collections.items():
            if unknown := set(rule.purposes) - self.purposes.keys():
                raise ValueError(f"collection {name!r} needs the unknown purpose {min(unknown)!r}")
        owners = Counter(name for tenant in self.tenants.values() for name in tenant.collections)
        if shared := [name for name, n in owners.items() if n > 1]:
            raise ValueError(f"collection {min(shared)!r} belongs to more than one tenant")
        return self

    def refusal(self, collection: str, principals: frozenset[Principal]) -> str:
        """Return the rule that closes a collection to a holder of these; empty if none does."""
        return next(self._refusals(collection, principals), "")

    def closed(self, principals: frozenset[Principal]) -> frozenset[str]:
        """Return the collections that the rules close to a holder of these principals."""
        ruled = set(self.collections)
        ruled.update(name for tenant in self.tenants.values() for name in tenant.collections)
        return frozenset(name for name in ruled if self.refusal(name, principals))

    def _refusals(self, collection: str, principals: frozenset[Principal]) -> Iterator[str]:
        for tenant, its in self.tenants.items():
            if collection in its.collections and f"{TENANT}{tenant}" not in principals:
                yield f"policy tenant {tenant}"
        rule = self.collections.get(collection)
        if rule is None:
            return
        if denied := principals.intersection(rule.deny):
            yield f"policy deny {min(denied)}"
        if rule.only and not principals.intersection(rule.only):
            yield "policy only"
        if rule.purposes and not any(self._stated(name, principals) for name in rule.purposes):
            yield f"policy purpose {' or '.join(sorted(rule.purposes))}"

    def _stated(self, purpose: str, principals: frozenset[Principal]) -> bool:
        """Whether a purpose was stated by somebody who may state it."""
        held = principals.intersection(self.purposes[purpose].groups)
        return f"{PURPOSE}{purpose}" in principals and bool(held)


def parsed(text: str, name: str) -> Policy:
    """Return the policy of a file's text; raises `SettingsError` with a sentence for each fault."""
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The policy {name} is not valid TOML: {error}.") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(f"The policy {name} is wrong: {faults}.") from error


def text_of(path: Path) -> str:
    """Read a policy file; raises `SettingsError` if it can't be."""
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise SettingsError(f"The policy {path} has more than {MAX_BYTES:,} bytes.")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The policy {path} can't be read; check `access.policy`.") from error


def sha256(text: str) -> str:
    """Return the name of a policy's text in the audit log, as hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def policy_now(conn: Connection) -> Policy:
    """Return the policy in force: that of the last start that named one, for all processes."""
    return _known(policies.current(conn))


def policy_at(conn: Connection, epoch: int) -> Policy:
    """Return the policy that was in force at a policy epoch."""
    return _known(policies.at(conn, epoch))


@lru_cache(maxsize=16)
def _known(text: str) -> Policy:
    return parsed(text, "in the database")
