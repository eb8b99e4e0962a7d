"""Settings → ready objects: the only place that constructs things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, SecretStr, ValidationError

from assistant.access import policy
from assistant.answering.answer import Answerer
from assistant.answering.record import Record
from assistant.answering.verify import similarity_of
from assistant.audit import keys
from assistant.audit.event import SYSTEM, Event, PolicyChanged
from assistant.audit.log import AuditLog
from assistant.errors import SettingsError
from assistant.ingest.configuration import checked, connector_class, problems, spread, whole
from assistant.ingest.confinement import Confinement
from assistant.ingest.connections import Draft
from assistant.ingest.discretion import Discreet, Discretion
from assistant.ingest.jobs import Worker
from assistant.ingest.progress import Progress, Silent
from assistant.ingest.sync import SyncRun
from assistant.ingest.task import Task
from assistant.lifecycle import backup
from assistant.models import embedder as embedders
from assistant.models import english_reranker
from assistant.models.quotes import Quotes
from assistant.models.served import ServedEmbedder
from assistant.models.weights import Progress as WeightsProgress
from assistant.ports import Embedder, Generator, Reranker
from assistant.retrieval.generations import Generations
from assistant.retrieval.rerank import Reranking
from assistant.retrieval.retriever import Retriever
from assistant.settings import Settings
from assistant.store import policies
from assistant.store.database import Database, open_database
from assistant.store.sources import Source
from assistant.vault import vault
from connectors import registry
from connectors.contract import Connector, ConnectorError
from indexes import gpu
from indexes.device import Device, DeviceUnavailable


@dataclass(frozen=True, slots=True)
class Assistant:
    """Everything a face of the product needs, ready to use."""

    settings: Settings
    database: Database
    audit: AuditLog
    embedder: Embedder
    generator: Generator
    retriever: Retriever
    answerer: Answerer


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """Open the database with its tables up to date, and close it at the end.

    Raises `Conflict` if a restore was cut short.
    """
    opened = open_database(settings)
    try:
        opened.migrate()
        backup.insist_whole(opened)
        yield opened
    finally:
        opened.close()


def embedder(settings: Settings, progress: WeightsProgress | None = None) -> Embedder:
    """Load the embedding model that the settings name, or find its server."""
    if settings.models.is_served:
        return ServedEmbedder(settings.models)
    return embedders.load(
        settings.models.embedder,
        settings.data_dir,
        device=settings.models.device,
        batch_tokens=settings.models.batch_tokens,
        progress=progress,
    )


def generator(settings: Settings, embedder: Embedder) -> Generator:
    """Return the generator that the settings choose."""
    if settings.generator.kind == "quotes":
        return Quotes(embedder)
    from assistant.models.generator import OpenAIGenerator  # its packages take seconds to import

    return OpenAIGenerator(settings.generator)


def reranker(settings: Settings) -> Reranker | None:
    """Load the reranker that the settings name, or None."""
    chosen = settings.models
    if not chosen.reranker:
        return None
    if chosen.reranker == english_reranker.ENGLISH:
        return english_reranker.load()
    if chosen.reranker.startswith(("http://", "https://")):
        from assistant.models.served_reranker import ServedReranker

        key = chosen.reranker_api_key
        return ServedReranker(
            chosen.reranker,
            chosen.reranker_model,
            api_key=key.get_secret_value() if key else "",
            timeout_s=chosen.reranker_timeout_s,
        )
    from assistant.models import cross_encoder

    return cross_encoder.load(chosen.reranker, device=chosen.device)


def audit_log(settings: Settings, opened: Database) -> AuditLog:
    """Return the audit log of an open database."""
    elsewhere = settings.audit.sealer == "separate"
    return AuditLog(opened, settings.data_dir, sealed_elsewhere=elsewhere)


def sealer(
    settings: Settings, opened: Database, key_folder: Path | None, copy: Path | None
) -> AuditLog:
    """Return the audit log as the one who seals it: with the key of a folder of its own, if named.

    Raises `SettingsError` without a folder where the settings say that the sealer is separate.
    """
    if key_folder is None:
        if settings.audit.sealer == "separate":
            raise SettingsError(
                "`audit.sealer` is `separate`: name the sealer's folder with --keys."
            )
        return AuditLog(opened, settings.data_dir, copy=copy)
    key = keys.signing_key(key_folder)
    keys.publish(settings.data_dir / "keys", key.public_key())
    return AuditLog(opened, settings.data_dir, key=key, copy=copy)


@contextmanager
def assistant(settings: Settings, progress: WeightsProgress | None = None) -> Iterator[Assistant]:
    """Assemble the assistant, its index filled from the catalog."""
    with database(settings) as opened:
        made = assembled(settings, opened, embedder(settings, progress))
        try:
            yield made
        finally:
            made.retriever.close()


def assembled(
    settings: Settings, opened: Database, model: Embedder, writer: Generator | None = None
) -> Assistant:
    """Assemble the assistant over an open database, a loaded embedder, perhaps a generator."""
    audit = audit_log(settings, opened)
    enforce_policy(settings, opened, audit)
    kept = generations(settings, opened)
    judge = reranker(settings)
    retriever = Retriever(
        opened,
        model,
        kept.start(model.name, model.dimension),
        kept,
        n_candidates=settings.retrieval.n_candidates,
        acl_max_age_s=settings.sync.acl_max_age_s,
        reranking=Reranking(judge, settings.retrieval.n_reranked) if judge else None,
    )
    writer = writer or generator(settings, model)
    answerer = Answerer(
        retriever,
        writer,
        Record(opened, audit),
        similarity_of(model),
        settings.retrieval.n_passages,
    )
    return Assistant(settings, opened, audit, model, writer, retriever, answerer)


def enforce_policy(settings: Settings, opened: Database, audit: AuditLog) -> None:
    """Put the policy that the settings name in force, for all processes, and record a change.

    Raises `SettingsError` if the file can't be read or has a fault.
    """
    if settings.access.policy is None:
        return
    text = policy.text_of(settings.access.policy)
    rules = policy.parsed(text, str(settings.access.policy))
    with opened.begin() as conn:
        before = policies.enforce(conn, text)
        if before is not None:
            names = policy.sha256(text), policy.sha256(before) if before else ""
            changed = PolicyChanged(*names, len(rules.collections))
            audit.append(conn, Event(SYSTEM, changed))


def generations(settings: Settings, opened: Database) -> Generations:
    """Return the saved generations of the index, in the data folder."""
    folder = settings.data_dir / "index"
    return Generations(opened, folder, settings.index.save_every, device(settings))


def device(settings: Settings) -> Device | None:
    """Return the device that searches vectors, tested, or None for the CPU.

    Raises `SettingsError` if the settings insist on a GPU that can't be used.
    """
    try:
        return gpu.opened(settings.index.device, settings.index.device_memory_mb * 1_000_000)
    except DeviceUnavailable as error:
        raise SettingsError(f"`index.device` is `cuda`, but: {error}") from error


@contextmanager
def shelf(settings: Settings, opened: Database) -> Iterator[Generations]:
    """Open the saved generations to look after them: none is saved unless one is told to be."""
    kept = Generations(opened, settings.data_dir / "index")
    try:
        yield kept
    finally:
        kept.close()


def confinement(settings: Settings) -> Confinement:
    """Return what sources may read of this machine when they come over the API."""
    return Confinement(settings.connectors.local_roots, settings.data_dir)


def connector(
    settings: Settings, source: Source, *, confined: Confinement | None = None
) -> Connector:
    """Construct the connector of a source, which keeps its secrets out of errors.

    Raises `SettingsError` if its configuration is wrong or its secrets can't be opened, and
    `InvalidRequest` if it leads out of the confinement.
    """
    try:
        cls = registry.connector_class(source.connector)
    except ConnectorError as error:
        raise SettingsError(f"{source.name}: {error}") from error
    secrets = vault(settings).unseal(source.name, source.secrets) if source.secrets else {}
    try:
        config = cls.Config.model_validate(whole(cls.Config, source.config, secrets))
    except ValidationError as error:
        raise SettingsError(
            f"The source {source.name} is misconfigured: {problems(error, secrets)}."
        ) from None
    if confined:
        confined.admit(source.name, config)
    return _discreet(cls, config, secrets)


def drafted(draft: Draft, confined: Confinement) -> Connector:
    """Construct the connector of a source that is not stored.

    Raises `InvalidRequest` with a sentence for each field that is unknown, missing or wrong, or
    leads out of the confinement.
    """
    cls = connector_class(draft.connector)
    secrets = spread(cls.Config, draft.secrets)
    stored = checked(cls.Config, draft.config, secrets)
    config = cls.Config.model_validate(whole(cls.Config, stored, secrets))
    confined.admit(draft.name, config)
    return _discreet(cls, config, secrets)


def _discreet(
    cls: type[Connector], config: BaseModel, secrets: Mapping[str, SecretStr]
) -> Connector:
    """Construct a connector that keeps its secrets out of errors."""
    if not secrets:
        return cls(config)
    texts = [secret.get_secret_value() for secret in secrets.values()]
    with Discretion(texts):
        return Discreet(cls(config), texts)


def sync_run(
    settings: Settings,
    opened: Database,
    model: Embedder,
    source: Source,
    *,
    progress: Progress | None = None,
    task: Task = Task(),  # noqa: B008
) -> SyncRun:
    """Return a run of a source, ready to start."""
    return SyncRun(
        source,
        connector(settings, source),
        database=opened,
        embedder=model,
        audit=audit_log(settings, opened),
        settings=settings.sync,
        curation=settings.curation,
        progress=progress or Silent(),
        task=task,
    )


def worker(settings: Settings, opened: Database, model: Embedder) -> Worker:
    """Return a worker that does sync runs, ready to start."""

    def make(source: Source, task: Task) -> SyncRun:
        return sync_run(settings, opened, model, source, task=task)

    return Worker(opened, audit_log(settings, opened), settings.sync, make)
