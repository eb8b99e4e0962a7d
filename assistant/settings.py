"""Every setting, from a TOML file, the environment and a secrets folder, in one frozen tree.

`assistant.toml` in the working folder (or the file that `ASSISTANT_CONFIG` names) is read first;
`ASSISTANT_GENERATOR__URL=…` overrides `[generator] url`; a file of that name in the folder that
`ASSISTANT_SECRETS_DIR` names overrides both. An unknown name is an error.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from assistant.domain import Role
from assistant.errors import SettingsError
from assistant.personal.finding import Kind
from assistant.personal.policy import Outcome

SigningAlgorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]
"""Signatures with a key pair: with a shared secret the API could write tokens itself."""


class Section(BaseModel):
    """A frozen part of the tree that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(Section):
    """Where PostgreSQL is; without `url` an embedded server runs in the data folder."""

    url: SecretStr | None = Field(None, description="postgresql://user:password@host:5432/name")


class ModelSettings(Section):
    """Which model turns text into vectors, and perhaps one that reranks what was found."""

    embedder: str = Field(
        "bundled",
        description="`bundled`, a folder, the name of a sentence-transformers model, or the base "
        "URL of a server that embeds, such as `http://127.0.0.1:8001/v1`",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where models run in this process"
    )
    batch_tokens: int = Field(16_384, ge=512, description="most tokens in one embedding batch")
    served_name: str = Field(
        "", description="the embedder's name at its server; empty takes the first one"
    )
    revision: str = Field("", description="which weights the server has; change it with them")
    query_prompt: str = Field("", description="goes before questions that a server embeds")
    document_prompt: str = Field("", description="goes before passages that a server embeds")
    api_key: SecretStr | None = Field(None, description="sent to the server as a bearer token")
    timeout_s: float = Field(60.0, gt=0, description="seconds the server may take for a batch")
    reranker: str = Field(
        "",
        description="a cross-encoder's folder or name, the URL of a server with `/rerank` such as "
        "`http://host:8000/v1`, or `english` (extra `rerank-en`); empty for none",
    )
    reranker_model: str = Field(
        "", description="the reranker's name at the server; empty takes its first model"
    )
    reranker_api_key: SecretStr | None = Field(
        None, description="sent to the reranker's server as a bearer token"
    )
    reranker_timeout_s: float = Field(
        5.0, gt=0, description="seconds a server may rerank before its opinion is left out"
    )

    @property
    def is_served(self) -> bool:
        """Whether the embedder is a server's address."""
        return self.embedder.startswith(("http://", "https://"))


class GeneratorSettings(Section):
    """Who writes the answers: quote mode, or a vLLM or other OpenAI-compatible server."""

    kind: Literal["quotes", "openai"] = Field(
        "quotes", description="`quotes` cites verbatim and needs no model; `openai` calls `url`"
    )
    url: str = Field(
        "http://127.0.0.1:8000/v1", description="base URL of the OpenAI-compatible API"
    )
    model: str = Field("", description="the model's name at the server; empty takes its first")
    api_key: SecretStr | None = Field(None, description="sent as a bearer token")
    deadline_s: float = Field(60.0, gt=0, description="seconds an answer may take")
    max_tokens: int = Field(512, ge=16, description="most tokens of an answer")
    temperature: float = Field(0.0, ge=0, le=2, description="0 is repeatable")
    cache_salt: bool = Field(
        True, description="send vLLM's `cache_salt`; switch off where a server refuses it"
    )


class RetrievalSettings(Section):
    """How much is searched and read for an answer."""

    n_passages: int = Field(8, ge=1, le=50, description="passages an answer may use")
    n_candidates: int = Field(100, ge=10, le=1000, description="chunks each search fetches")
    n_reranked: int = Field(
        20, ge=2, le=100, description="best passages that a reranker may put in another order"
    )


class IndexSettings(Section):
    """Where vectors are searched, and how the index is kept in the data folder."""

    save_every: int = Field(
        5_000, ge=0, description="document changes after which it is saved again; 0 never"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where vectors are searched: `auto` takes a GPU, `cuda` insists on it"
    )
    device_memory_mb: int = Field(
        0, ge=0, description="most of the GPU's memory for vectors; 0 is four fifths of the free"
    )


class SyncSettings(Section):
    """How sync jobs behave."""

    max_delete_share: float = Field(
        0.3, ge=0, le=1, description="a run that would delete more of a source stops and asks"
    )
    max_file_bytes: int = Field(100_000_000, ge=1, description="larger files are quarantined")
    read_timeout_s: float = Field(60.0, gt=0, description="wall seconds a reader may take")
    lease_s: float = Field(
        60.0, ge=1, description="seconds after which another worker takes over from a silent one"
    )
    parallel_runs: int = Field(
        2, ge=1, le=64, description="runs of different sources that a worker does at once"
    )
    acl_max_age_s: float = Field(
        0.0, ge=0, description="documents whose access is older are hidden; 0 switches this off"
    )


class AccessSettings(Section):
    """Rules above what sources allow."""

    policy: Path | None = Field(
        None,
        description="TOML file with rules for whole collections, put in force at the start; "
        "without one, the last that was in force stays: name an empty file to lift it",
    )
    break_glass_hours: int = Field(
        8, ge=1, le=168, description="most hours for which two people give access"
    )


class CurationSettings(Section):
    """What happens to personal data before anything is embedded or stored."""

    personal_data: dict[str, dict[Kind | Literal["any"], Outcome]] = Field(
        default={},
        description="by collection and kind: `keep`, `mask` or `refuse`; `*` is every other "
        "collection, `any` every other kind; what is not named is kept",
    )


class ConnectorSettings(Section):
    """How the secrets of connectors are kept, and what sources may read of this machine."""

    secret_keys: SecretStr | None = Field(
        default=None,
        description="Fernet keys that seal the secrets, by spaces; the first seals, all open; "
        "without any, those in `secret.key` of the data folder, which is made",
    )
    local_roots: tuple[Path, ...] = Field(
        default=(),
        description="folders of this machine below which sources may read that are added, changed "
        "or tested over the API; the command line is not bound by it",
    )


class AuditSettings(Section):
    """Who signs the audit log, and how long its questions, and conversations, can be read."""

    sealer: Literal["built-in", "separate"] = Field(
        "built-in",
        description="`separate`: only `assistant audit seal --keys FOLDER` has the key, and signs",
    )
    retention_months: int = Field(72, ge=1, le=1200, description="months a retention run keeps")


LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]")
"""Beginnings of addresses on this machine, which need no TLS."""


class OidcSettings(Section):
    """Which identity provider's access tokens the API accepts, and what it reads from them."""

    issuer: str = Field("", description="the provider's issuer, exactly; empty for none")
    audience: str = Field("", description="what its access tokens for this API have as `aud`")
    algorithms: tuple[SigningAlgorithm, ...] = Field(
        ("RS256", "PS256", "ES256", "EdDSA", "Ed25519"), description="signatures that are accepted"
    )
    token_types: tuple[str, ...] = Field(
        ("at+jwt",),
        description="what the header's `typ` may be; some providers write `JWT`, or nothing: ``",
    )
    leeway_s: int = Field(30, ge=0, le=300, description="seconds that clocks may differ")
    max_lifetime_s: int = Field(
        600, ge=60, le=86_400, description="tokens that were issued for longer are refused"
    )
    subject_claim: str = Field("sub", description="never changes for a person: `sub`, or `oid`")
    name_claim: str = Field("name", description="how the person is called")
    email_claim: str = Field("email", description="shown to admins; never used to find a person")
    groups_claim: str = Field("groups", description="groups: `x` becomes `group:oidc:x`")
    roles_claim: str = Field("roles", description="what `roles` turns into roles")
    roles: dict[str, Role] = Field(default={}, description="role by value of the roles claim")
    default_roles: tuple[Role, ...] = Field(
        ("employee",), description="roles of everybody whom the provider signs in"
    )

    @model_validator(mode="after")
    def _complete(self) -> OidcSettings:
        if self.issuer and not self.audience:
            raise ValueError("set `audience` too, or tokens for other services would be accepted")
        if self.issuer and not self.issuer.startswith(("https://", *LOCAL)):
            raise ValueError("`issuer` must begin with https://")
        return self


class ScimSettings(Section):
    """People and groups that the identity provider pushes (SCIM 2.0), with a key of that scope."""

    subject: Literal["externalId", "userName"] = Field(
        "externalId", description="the pushed attribute that equals `identity.oidc.subject_claim`"
    )


class PageSettings(Section):
    """How people sign in to the pages at the identity provider; without `client_id`, they don't."""

    client_id: str = Field("", description="what the provider calls the pages")
    client_secret: SecretStr | None = Field(None, description="the pages' secret at the provider")
    url: str = Field(
        "", description="where people open the pages; the provider allows `<url>/oauth2callback`"
    )
    cookie_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="signs the pages' cookie; without one, each start makes its own, and people "
        "sign in again",
    )
    scopes: tuple[str, ...] = Field(
        ("openid", "profile", "email"), description="what is asked for; add the API's own scope"
    )
    prompt: str = Field("login", description="`login` asks for the password each time")
    parameters: dict[str, str] = Field(
        default={}, description="what else is asked with, such as `audience` or `resource`"
    )

    @model_validator(mode="after")
    def _complete(self) -> PageSettings:
        if self.client_id and not (self.client_secret and self.url):
            raise ValueError("set `client_secret` and `url` too")
        if self.url and not self.url.startswith(("https://", *LOCAL)):
            raise ValueError("`url` must begin with https://")
        return self


class IdentitySettings(Section):
    """Who vouches for people and programs, and how much they may ask."""

    oidc: OidcSettings = OidcSettings()  # type: ignore[call-arg]
    page: PageSettings = PageSettings()  # type: ignore[call-arg]
    scim: ScimSettings = ScimSettings()  # type: ignore[call-arg]
    key_pepper: SecretStr | None = Field(
        None,
        min_length=32,
        description="what API keys are hashed with; without one, `pepper.key` in the data folder, "
        "which is made; another pepper ends every key",
    )
    questions_per_minute: int = Field(
        0, ge=0, description="questions and searches a person, and a key, may send; 0 is no limit"
    )

    @model_validator(mode="after")
    def _known(self) -> IdentitySettings:
        if self.page.client_id and not self.oidc.issuer:
            raise ValueError("set `oidc.issuer` too: it says where the pages send people")
        return self


class ServeSettings(Section):
    """Where the API and the chat page listen."""

    host: str = Field("127.0.0.1", description="address of both servers")
    port: int = Field(8080, ge=0, le=65535, description="port of the API")
    ui_port: int = Field(8501, ge=0, le=65535, description="port of the chat page")
    worker: bool = Field(
        True, description="do sync jobs in the API's process; `assistant worker` does them alone"
    )
    answers_at_once: int = Field(
        32,
        ge=1,
        description="answers that the API's process gives at once; one more is told to wait",
    )
    session_s: int = Field(8 * 3600, ge=60, description="seconds a sign-in lasts")


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix="ASSISTANT_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Field(Path("data"), description="folder of the embedded database and models")
    database: DatabaseSettings = DatabaseSettings()  # type: ignore[call-arg]
    models: ModelSettings = ModelSettings()  # type: ignore[call-arg]
    generator: GeneratorSettings = GeneratorSettings()  # type: ignore[call-arg]
    retrieval: RetrievalSettings = RetrievalSettings()  # type: ignore[call-arg]
    index: IndexSettings = IndexSettings()  # type: ignore[call-arg]
    sync: SyncSettings = SyncSettings()  # type: ignore[call-arg]
    access: AccessSettings = AccessSettings()  # type: ignore[call-arg]
    curation: CurationSettings = CurationSettings()
    connectors: ConnectorSettings = ConnectorSettings()
    audit: AuditSettings = AuditSettings()  # type: ignore[call-arg]
    identity: IdentitySettings = IdentitySettings()  # type: ignore[call-arg]
    serve: ServeSettings = ServeSettings()  # type: ignore[call-arg]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, secrets, environment, TOML file."""
        del dotenv_settings, file_secret_settings
        sources = [init_settings]
        if secrets := os.environ.get("ASSISTANT_SECRETS_DIR"):
            files = SecretsSettingsSource(settings_cls, secrets_dir=secrets)
            sources.append(NestedSecretsSettingsSource(files, secrets_nested_delimiter="__"))
        sources += [env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file())]
        return tuple(sources)


def config_file() -> Path:
    """Return the TOML file that is read, whether it exists or not."""
    return Path(os.environ.get("ASSISTANT_CONFIG", "assistant.toml"))


def load(**overrides: object) -> Settings:
    """Read the settings; raises `SettingsError` with a sentence for each wrong one."""
    named = os.environ.get("ASSISTANT_CONFIG")
    if named and not Path(named).is_file():
        raise SettingsError(f"The file {named} that ASSISTANT_CONFIG names doesn't exist.")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(
            f"Wrong settings: {details}. See docs/reference/settings.md for every setting."
        ) from error
    except ValueError as error:
        raise SettingsError(f"{config_file()} is not valid TOML: {error}.") from error


def variables_set(*names: str) -> list[str]:
    """Return which of these environment variables are set."""
    return [name for name in names if os.environ.get(name)]
