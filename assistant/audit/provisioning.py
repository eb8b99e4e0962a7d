"""Events of what identity providers push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class PersonPushed:
    """The identity provider pushed a person: added, linked, changed, disabled, enabled, removed."""

    type: ClassVar[str] = "policy.person_pushed"
    person_id: str
    change: str
    user_name: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupPushed:
    """The identity provider pushed a group: added, changed or removed, with who joined and left."""

    type: ClassVar[str] = "policy.group_pushed"
    group_id: str
    change: str
    name: str
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
