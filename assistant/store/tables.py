"""The tables, as SQLAlchemy Core values; `migrations/` creates them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _json(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=sa.text("'{}'::jsonb"))


def _now(name: str) -> Column[object]:
    return Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _time(name: str) -> Column[object]:
    return Column(name, sa.DateTime(timezone=True))


def _texts(name: str) -> Column[list[str]]:
    return Column(name, ARRAY(Text), nullable=False, server_default=sa.text("'{}'::text[]"))


def _source(*, nullable: bool = False) -> Column[int]:
    return Column(
        "source_id", BigInteger, ForeignKey("sources.id", ondelete="CASCADE"), nullable=nullable
    )


heads = Table("heads", metadata, Column("name", Text, primary_key=True), _int("value"))

sources = Table(
    "sources",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("connector", Text, nullable=False),
    _json("config"),
    _json("secrets"),
    _text("title"),
    _text("industry"),
    Column("cursor", JSONB(none_as_null=True)),
    Column("whole", sa.Boolean, nullable=False, server_default=sa.text("false")),
    _int("run_no"),
    Column("lease_holder", Text),
    _int("lease_token"),
    _time("lease_until"),
    _time("groups_at"),
    _time("synced_at"),
    Column("schedule", JSONB(none_as_null=True)),
    _time("next_run_at"),
    _time("pass_at"),
    _time("content_at"),
    _time("deletes_at"),
    _time("access_at"),
    _now("created_at"),
)

acls = Table(
    "acls",
    metadata,
    Column("id", Integer, primary_key=True),
    _texts("allow"),
    _texts("deny"),
    _texts("all_of"),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Index("ix_acls_allow", "allow", postgresql_using="gin"),
)

originals = Table(
    "originals",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    _source(),
    Column("external_id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("version_no", Integer, nullable=False),
    _text("uri"),
    _text("title"),
    _text("media_type"),
    _text("lang"),
    _text("collection"),
    _text("industry"),
    Column("dated", sa.Date),
    _time("modified_at"),
    Column("access_id", Integer, ForeignKey("acls.id"), nullable=False),
    _json("meta"),
    Column("content_sha256", Text, nullable=False),
    Column("original_sha256", Text, ForeignKey("originals.sha256")),
    Column("superseded_by_external", Text),
    Column("n_chunks", Integer, nullable=False, server_default="0"),
    Column("state", Text, nullable=False, server_default="live"),
    _int("seen_run"),
    Column("seq", BigInteger),
    Column("content_seq", BigInteger),
    _now("created_at"),
    _now("updated_at"),
    _time("deleted_at"),
    sa.UniqueConstraint("source_id", "external_id"),
    sa.CheckConstraint("state IN ('live', 'deleted')", name="state"),
    Index("ix_documents_seq", "seq"),
    Index("ix_documents_unnumbered", "id", postgresql_where=sa.text("seq IS NULL")),
    Index("ix_documents_content_sha256", "content_sha256"),
    Index("ix_documents_original_sha256", "original_sha256"),
    Index("ix_documents_access_id", "access_id"),
)

document_history = Table(
    "document_history",
    metadata,
    Column("document_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("access_id", Integer, nullable=False),
    Column("version_no", Integer, nullable=False),
    Column("live", sa.Boolean, nullable=False),
)

principal_sets = Table(
    "principal_sets",
    metadata,
    Column("sha256", Text, primary_key=True),
    _texts("principals"),
)

document_versions = Table(
    "document_versions",
    metadata,
    Column("document_id", Text, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("version_no", Integer, primary_key=True),
    Column("version", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    _text("title"),
    _now("created_at"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("document_id", Text, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("version_no", Integer, nullable=False),
    Column("ord", Integer, nullable=False),
    Column("text", Text, nullable=False),
    _texts("heading"),
    _text("kind"),
    _text("lang"),
    Column("page", Integer),
    Column("boxes", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("embedding", LargeBinary, nullable=False),
    Column("embedder", Text, nullable=False),
    Column("instruction", sa.Float, nullable=False, server_default="0"),
    Column("omitted", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.UniqueConstraint("document_id", "ord"),
)

records = Table(
    "records",
    metadata,
    Column("document_id", Text, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("ord", Integer, nullable=False),
    Column("chunk_ord", Integer),
    Column("kind", Text, nullable=False),
    *map(_text, ("record_id", "subject")),
    *(Column(name, sa.Date) for name in ("starts_on", "ends_on")),
    _json("values"),
    sa.PrimaryKeyConstraint("document_id", "ord"),
    Index("ix_records_kind_ends_on", "kind", "ends_on"),
    Index("ix_records_subject", "subject"),
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("chunk_id", BigInteger, ForeignKey("chunks.id", ondelete="CASCADE"), nullable=False),
    Column("embedder", Text, nullable=False),
    Column("embedding", LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("chunk_id", "embedder"),
)

index_lists = Table(
    "index_lists",
    metadata,
    Column("embedder", Text, primary_key=True),
    Column("n_trained", BigInteger, nullable=False),
    Column("n_chunks", BigInteger, nullable=False),
    Column("directions", LargeBinary, nullable=False),
    Column("chunk_ids", LargeBinary, nullable=False),
    Column("numbers", LargeBinary, nullable=False),
    _now("saved_at"),
)

failures = Table(
    "failures",
    metadata,
    _source(),
    Column("external_id", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="1"),
    _now("first_at"),
    _now("last_at"),
    _time("next_try_at"),
    Column("item", JSONB(none_as_null=True)),
    sa.PrimaryKeyConstraint("source_id", "external_id"),
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", BigInteger, primary_key=True),
    _source(),
    Column("kind", Text, nullable=False, server_default="sync"),
    Column("state", Text, nullable=False, server_default="running"),
    _json("options"),
    Column("by_worker", sa.Boolean, nullable=False, server_default=sa.text("false")),
    _text("wish"),
    _text("requested_by"),
    _int("n_lost"),
    _now("queued_at"),
    _time("started_at"),
    _time("beat_at"),
    _time("finished_at"),
    *map(_json, ("progress", "counts", "seconds", "curation", "stages")),
    _text("error"),
    _text("note"),
    _int("token"),
    sa.CheckConstraint(
        "state IN ('queued', 'running', 'paused', 'done', 'failed', 'stopped', 'cancelled')",
        name="state",
    ),
    sa.CheckConstraint("kind IN ('sync', 'dry_run', 'retry')", name="kind"),
    Index("ix_sync_runs_source_id_id", "source_id", "id"),
    Index(
        "ix_sync_runs_active",
        "id",
        postgresql_where=sa.text("state IN ('queued', 'running', 'paused')"),
    ),
)

memberships = Table(
    "memberships",
    metadata,
    _source(nullable=True),
    Column("group_name", Text, nullable=False),
    Column("member", Text, nullable=False),
    _time("expires_at"),
    sa.UniqueConstraint("source_id", "group_name", "member", postgresql_nulls_not_distinct=True),
    Index("ix_memberships_member", "member"),
)

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("login", Text, nullable=False, unique=True),
    _text("name"),
    Column("email", Text),
    Column("password_hash", Text),
    _texts("roles"),
    _text("lang"),
    _text("company"),
    _time("disabled_at"),
    _now("created_at"),
    sa.UniqueConstraint("issuer", "subject"),
    sa.CheckConstraint(
        "NOT ('auditor' = ANY (roles) AND roles && ARRAY['admin', 'integrator'])",
        name="roles_exclude",
    ),
)


def _person() -> Column[str]:
    return Column("person_id", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False)


sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    _person(),
    _now("created_at"),
    Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    _time("revoked_at"),
    Index("ix_sessions_person_id", "person_id"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    _person(),
    _text("title"),
    _now("created_at"),
    _now("updated_at"),
    _time("deleted_at"),
    Index("ix_conversations_person_id_updated_at", "person_id", "updated_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column(
        "conversation_id", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False
    ),
    Column("role", Text, nullable=False),
    _json("body"),
    _text("receipt"),
    _now("created_at"),
    sa.CheckConstraint("role IN ('user', 'assistant')", name="role"),
    Index("ix_messages_conversation_id_id", "conversation_id", "id"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("message_id", BigInteger, ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    _person(),
    Column("reason", Text, nullable=False),
    _text("comment"),
    _now("created_at"),
    sa.PrimaryKeyConstraint("message_id", "person_id"),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

audit_terms = Table(
    "audit_terms",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", sa.DateTime(timezone=True), nullable=False),
    Column("type", Text, nullable=False),
    _text("person_id"),
    _text("query_id"),
    _texts("subjects"),
    Index("ix_audit_terms_person_id_seq", "person_id", "seq"),
    Index("ix_audit_terms_type_seq", "type", "seq"),
    Index("ix_audit_terms_at", "at"),
    Index("ix_audit_terms_query_id", "query_id", postgresql_where=sa.text("query_id <> ''")),
    Index("ix_audit_terms_subjects", "subjects", postgresql_using="gin"),
)

audit_frontier = Table(
    "audit_frontier",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("nodes", LargeBinary, nullable=False),
    sa.CheckConstraint("one = 1", name="single"),
)

tree_heads = Table(
    "tree_heads",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("sealed_at", Text, nullable=False),
)
