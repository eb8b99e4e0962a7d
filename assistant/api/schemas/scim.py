"""Bodies of SCIM requests, as far as they are looked at before the resource itself is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from assistant.access.scim.patch import Operation

Resource = dict[str, Any]
"""A user or a group of RFC 7643."""


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class _Body(BaseModel):
    """A body whose names count in whatever case."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        known = {name.lower(): name for name in cls.model_fields}
        return {known.get(str(key).lower(), key): one for key, one in value.items()}


class OperationBody(_Body):
    """One change."""

    op: Annotated[Literal["add", "replace", "remove"], BeforeValidator(_lower)]
    path: Annotated[str, Field(max_length=2000)] | None = None
    value: Any = None


class PatchBody(_Body):
    """Changes, all of which are made or none."""

    Operations: Annotated[list[OperationBody], Field(min_length=1, max_length=1000)]

    def operations(self) -> list[Operation]:
        """Return the changes in their order."""
        return [Operation(one.op, one.path or "", one.value) for one in self.Operations]
