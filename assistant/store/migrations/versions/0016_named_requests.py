"""Access for a while is asked for by any name of a document, refused, and found in the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add what was named and who refused; let the log be searched by the id of a request."""
    op.add_column("break_glass", sa.Column("named", sa.Text(), server_default="", nullable=False))
    op.add_column("break_glass", sa.Column("refused_by", sa.Text()))
    op.add_column("break_glass", sa.Column("answer", sa.Text(), server_default="", nullable=False))
    op.create_foreign_key(
        "fk_break_glass_refused_by", "break_glass", "people", ["refused_by"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_break_glass_refused_by_another"), "break_glass", "refused_by <> person_id"
    )
    # 0015 left the naming convention to name it once more.
    op.drop_constraint(op.f("ck_break_glass_ck_break_glass_one_target"), "break_glass")
    op.create_check_constraint(
        op.f("ck_break_glass_one_target"),
        "break_glass",
        "(document_id = '' AND named = '') <> (collection = '')",
    )
    op.execute(
        """
        UPDATE audit_terms AS t
        SET subjects = ARRAY(
            SELECT DISTINCT unnest(
                array_append(
                    t.subjects, convert_from(e.body, 'UTF8')::jsonb #>> '{data,request_id}'
                )
            ) ORDER BY 1
        )
        FROM audit_events AS e
        WHERE e.seq = t.seq AND t.type LIKE 'access.break_glass%'
        """
    )
