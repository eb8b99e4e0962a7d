"""The first tables."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    _counters_and_access()
    _sources()
    _runs()
    _originals()
    _documents()
    _versions()
    _chunks()
    _people()
    _conversations()
    _feedback()
    _audit()
    _first_rows()


def _counters_and_access() -> None:
    """Create the counters and the distinct ACLs."""
    op.create_table(
        "heads",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_heads"),
    )
    op.create_table(
        "acls",
        sa.Column("id", sa.Integer(), nullable=False),
        _texts("allow"),
        _texts("deny"),
        _texts("all_of"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_acls"),
        sa.UniqueConstraint("digest", name="uq_acls_digest"),
    )
    op.create_index("ix_acls_allow", "acls", ["allow"], postgresql_using="gin")


def _sources() -> None:
    """Create the sources and the members of their groups."""
    op.create_table(
        "sources",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        _json("config"),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("industry", sa.Text(), server_default="", nullable=False),
        sa.Column("cursor", postgresql.JSONB(none_as_null=True)),
        sa.Column("whole", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("run_no", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_holder", sa.Text()),
        sa.Column("lease_token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("groups_at", sa.DateTime(timezone=True)),
        sa.Column("synced_at", sa.DateTime(timezone=True)),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("name", name="uq_sources_name"),
    )
    op.create_table(
        "memberships",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_memberships_source_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "group_name", "member", name="pk_memberships"),
    )
    op.create_index("ix_memberships_member", "memberships", ["member"])


def _runs() -> None:
    """Create sync runs and what failed in them."""
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        _now("started_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        _json("counts"),
        _json("seconds"),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'failed', 'stopped')", name="ck_sync_runs_state"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_sync_runs_source_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sync_runs"),
    )
    op.create_index("ix_sync_runs_source_id_id", "sync_runs", ["source_id", "id"])
    op.create_table(
        "failures",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        _now("first_at"),
        _now("last_at"),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_failures_source_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "external_id", name="pk_failures"),
    )


def _originals() -> None:
    """Create the files themselves."""
    op.create_table(
        "originals",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_originals"),
    )


def _documents() -> None:
    """Create documents."""
    op.create_table(
        "documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("uri", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("media_type", sa.Text(), server_default="", nullable=False),
        sa.Column("lang", sa.Text(), server_default="", nullable=False),
        sa.Column("collection", sa.Text(), server_default="", nullable=False),
        sa.Column("industry", sa.Text(), server_default="", nullable=False),
        sa.Column("dated", sa.Date()),
        sa.Column("modified_at", sa.DateTime(timezone=True)),
        sa.Column("access_id", sa.Integer(), nullable=False),
        _json("meta"),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("original_sha256", sa.Text()),
        sa.Column("superseded_by_external", sa.Text()),
        sa.Column("n_chunks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="live", nullable=False),
        sa.Column("seen_run", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seq", sa.BigInteger()),
        sa.Column("content_seq", sa.BigInteger()),
        _now("created_at"),
        _now("updated_at"),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('live', 'deleted')", name="ck_documents_state"),
        sa.ForeignKeyConstraint(["access_id"], ["acls.id"], name="fk_documents_access_id"),
        sa.ForeignKeyConstraint(
            ["original_sha256"], ["originals.sha256"], name="fk_documents_original_sha256"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_documents_source_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
        sa.UniqueConstraint("source_id", "external_id", name="uq_documents_source_id_external_id"),
    )
    op.create_index("ix_documents_access_id", "documents", ["access_id"])
    op.create_index("ix_documents_content_sha256", "documents", ["content_sha256"])
    op.create_index("ix_documents_original_sha256", "documents", ["original_sha256"])
    op.create_index("ix_documents_seq", "documents", ["seq"])
    op.create_index(
        "ix_documents_unnumbered", "documents", ["id"], postgresql_where=sa.text("seq IS NULL")
    )


def _versions() -> None:
    """Create the versions of documents."""
    op.create_table(
        "document_versions",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        _now("created_at"),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name="fk_document_versions_document_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "version_no", name="pk_document_versions"),
    )


def _chunks() -> None:
    """Create chunks with their embeddings."""
    op.create_table(
        "chunks",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _texts("heading"),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("lang", sa.Text(), server_default="", nullable=False),
        sa.Column("page", sa.Integer()),
        sa.Column(
            "boxes", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_chunks_document_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_chunks"),
        sa.UniqueConstraint("document_id", "ord", name="uq_chunks_document_id_ord"),
    )


def _people() -> None:
    """Create people and sessions."""
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("password_hash", sa.Text()),
        _texts("roles"),
        sa.Column("lang", sa.Text(), server_default="", nullable=False),
        sa.Column("company", sa.Text(), server_default="", nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        _now("created_at"),
        sa.CheckConstraint(
            "NOT ('auditor' = ANY (roles) AND roles && ARRAY['admin', 'integrator'])",
            name="ck_people_roles_exclude",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("issuer", "subject", name="uq_people_issuer_subject"),
        sa.UniqueConstraint("login", name="uq_people_login"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        _now("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_sessions_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_person_id", "sessions", ["person_id"])


def _conversations() -> None:
    """Create conversations and messages."""
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_conversations_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index(
        "ix_conversations_person_id_updated_at", "conversations", ["person_id", "updated_at"]
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        _json("body"),
        sa.Column("receipt", sa.Text(), server_default="", nullable=False),
        _now("created_at"),
        sa.CheckConstraint("role IN ('user', 'assistant')", name="ck_messages_role"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_messages_conversation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_conversation_id_id", "messages", ["conversation_id", "id"])


def _feedback() -> None:
    """Create what people think of answers."""
    op.create_table(
        "feedback",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        _now("created_at"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_feedback_message_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_feedback_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "person_id", name="pk_feedback"),
    )


def _audit() -> None:
    """Create the audit log, which only grows."""
    op.create_table(
        "audit_events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_events"),
    )
    op.create_table(
        "audit_frontier",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("nodes", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("one = 1", name="ck_audit_frontier_single"),
        sa.PrimaryKeyConstraint("one", name="pk_audit_frontier"),
    )
    op.create_table(
        "tree_heads",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_tree_heads"),
    )
    _append_only("audit_events")
    _append_only("tree_heads")


def _texts(name: str) -> sa.Column[list[str]]:
    empty = sa.text("'{}'::text[]")
    return sa.Column(name, postgresql.ARRAY(sa.Text()), server_default=empty, nullable=False)


def _json(name: str) -> sa.Column[object]:
    empty = sa.text("'{}'::jsonb")
    return sa.Column(name, postgresql.JSONB(), server_default=empty, nullable=False)


def _now(name: str) -> sa.Column[datetime]:
    moment = sa.DateTime(timezone=True)
    return sa.Column(name, moment, server_default=sa.func.now(), nullable=False)


def _append_only(table: str) -> None:
    """Refuse updates and deletes: a guard against accidents, the hash tree finds the rest."""
    op.execute(
        f"""
        CREATE FUNCTION {table}_only_grows() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{table} only grows'; END $$
        """
    )
    op.execute(
        f"""
        CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        EXECUTE FUNCTION {table}_only_grows()
        """
    )


def _first_rows() -> None:
    """Add the rows that must exist: the counters, the ACL of nobody, the empty tree."""
    op.execute("INSERT INTO heads (name, value) VALUES ('feed', 0), ('epoch', 0)")
    op.execute("INSERT INTO acls (id, digest) VALUES (0, '')")
    op.execute("INSERT INTO audit_frontier (one, size, nodes) VALUES (1, 0, '')")
