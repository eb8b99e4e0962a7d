"""What was told of deleted documents stays gone, also of those deleted by earlier versions."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Forget the versions of documents that are deleted now."""
    op.execute(
        """
        DELETE FROM document_versions AS v
        USING documents AS d
        WHERE d.id = v.document_id AND d.state = 'deleted'
        """
    )
