"""What is wrong with a SCIM request, in the words of RFC 7644 (section 3.12)."""

from __future__ import annotations

from typing import ClassVar, Literal

from assistant.errors import AssistantError

Kind = Literal[
    "invalidFilter", "invalidSyntax", "invalidPath", "invalidValue", "mutability", "noTarget"
]


class ScimProblem(AssistantError):
    """The SCIM request is not valid; the message says which part."""

    slug = "scim-request"
    status = 400

    def __init__(self, kind: Kind = "invalidValue", message: str | None = None) -> None:
        super().__init__(message)
        self.scim_type: str = kind


class NotUnique(AssistantError):
    """Another person or group has this name or sign-in already; change that one."""

    slug = "scim-uniqueness"
    status = 409
    scim_type: ClassVar[str] = "uniqueness"
