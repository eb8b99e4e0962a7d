"""What Alembic runs around the migrations: they use the connection that `upgrade` opened."""

from __future__ import annotations

from alembic import context

from assistant.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
