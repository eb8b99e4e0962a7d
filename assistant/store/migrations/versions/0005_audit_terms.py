"""What events of the audit log can be found by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table, and fill it from the events there are."""
    op.create_table(
        "audit_terms",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), server_default="", nullable=False),
        sa.Column("query_id", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "subjects", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_terms"),
    )
    op.create_index("ix_audit_terms_person_id_seq", "audit_terms", ["person_id", "seq"])
    op.create_index("ix_audit_terms_type_seq", "audit_terms", ["type", "seq"])
    op.create_index("ix_audit_terms_at", "audit_terms", ["at"])
    op.create_index(
        "ix_audit_terms_query_id",
        "audit_terms",
        ["query_id"],
        postgresql_where=sa.text("query_id <> ''"),
    )
    op.create_index("ix_audit_terms_subjects", "audit_terms", ["subjects"], postgresql_using="gin")
    op.execute(
        """
        INSERT INTO audit_terms (seq, at, type, person_id, query_id, subjects)
        SELECT
            seq,
            (event ->> 'at')::timestamptz,
            event ->> 'type',
            event #>> '{actor,person_id}',
            coalesce(event #>> '{data,query_id}', ''),
            ARRAY(
                SELECT DISTINCT found #>> '{}'
                FROM
                    unnest(ARRAY[
                        'document_id', 'source', 'conversation_id', 'person_id', 'login', 'subject'
                    ]) AS name,
                    jsonb_path_query(
                        event -> 'data', ('strict $.**."' || name || '"')::jsonpath, silent => true
                    ) AS found
                WHERE jsonb_typeof(found) = 'string' AND found #>> '{}' <> ''
                ORDER BY 1
            )
        FROM (
            SELECT seq, convert_from(body, 'UTF8')::jsonb AS event FROM audit_events
        ) AS events
        """
    )
