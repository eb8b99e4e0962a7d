"""What an admin says about a FHIR server."""

from __future__ import annotations

import re
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.confinement import PathFields
from connectors.sidecars import Principals

_PRINCIPAL = re.compile(r"everyone|(user|group):\S.*")


class FhirConfig(PathFields):
    """Which server, which resources, and who may read them."""

    reach: ClassVar[frozenset[str]] = frozenset({"url", "token_url"})
    url: str = Field(title="Base URL", description="such as https://ehr.example/fhir/R4")
    types: tuple[str, ...] = Field(
        default=("Patient", "Encounter", "Condition", "Observation", "DiagnosticReport"),
        min_length=1,
        title="Resource types",
    )
    deletes: Literal["listing", "history", "export"] = Field(
        default="listing", title="How changes and deletions are found"
    )
    page_size: int = Field(default=100, ge=1, le=1000, title="Resources a page")
    timeout_s: float = Field(default=30, gt=0, le=600, title="Seconds to wait for an answer")
    export_s: float = Field(default=3600, gt=0, title="Seconds to wait for an export")
    token: SecretStr = Field(default=SecretStr(""), title="Bearer token")
    token_url: str = Field(default="", title="SMART token URL")
    client_id: str = Field(default="", title="SMART client id")
    key_id: str = Field(default="", title="SMART key id")
    scope: str = Field(default="system/*.rs", title="SMART scope")
    private_key: SecretStr = Field(default=SecretStr(""), title="SMART private key (PEM)")
    allow: Principals = Field(default=frozenset(), title="Who may read; nobody if empty")
    patient_group: str = Field(
        default="",
        title="Group of a patient's readers",
        description="such as group:care-team-{id}; it replaces allow for what names a patient",
    )
    labels: dict[str, str] = Field(
        default={"U": "everyone", "L": "everyone", "M": "everyone", "N": "everyone"},
        title="Security labels",
        description="CODE or SYSTEM|CODE to the group that is needed; other labels are for nobody",
    )

    @field_validator("url", "token_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must begin with https:// and name a host")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must hold no password, query or fragment")
        return value.rstrip("/")

    @field_validator("types")
    @classmethod
    def _are_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [one for one in value if not re.fullmatch(r"[A-Z][A-Za-z]+", one)]:
            raise ValueError(f"{wrong[0]!r} is not a resource type such as Patient")
        return tuple(dict.fromkeys(value))

    @model_validator(mode="after")
    def _is_whole(self) -> FhirConfig:
        if not self.url:
            raise ValueError("The base URL is missing.")
        if self.token_url and not (self.client_id and self.private_key.get_secret_value()):
            raise ValueError("A SMART token URL needs a client id and a private key.")
        group = self.patient_group
        if group and not (group.startswith("group:") and "{id}" in group):
            raise ValueError("The group of a patient must look like group:care-team-{id}.")
        if any(not _PRINCIPAL.fullmatch(one) for one in self.labels.values()):
            raise ValueError("A label must lead to group:NAME, user:LOGIN or everyone.")
        return self
