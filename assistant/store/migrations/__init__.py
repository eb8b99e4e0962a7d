"""Alembic migrations, run by the program itself; `HEAD` is the version it works with."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from assistant.errors import DatabaseUnavailable

HEAD = "0019"
LOCK = 0x656E_7472_6167
"""Key of the advisory lock: one process migrates, the others wait."""


def revision(conn: sa.Connection) -> str | None:
    """Return the version of the database's tables; None for an empty database."""
    if conn.scalar(sa.text("SELECT to_regclass('alembic_version')")) is None:
        return None
    version: str | None = conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def upgrade(engine: sa.Engine, to: str = HEAD) -> None:
    """Upgrade in one transaction, or do nothing (and not even load Alembic) when there.

    Raises `DatabaseUnavailable` if the database, or `to`, is of a newer program.
    """
    with engine.connect() as conn:
        if revision(conn) == to:
            return

    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as conn:
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        present = revision(conn)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if newer := {present, to} - {None} - known:
            raise DatabaseUnavailable(
                f"These are the tables of a newer version ({newer.pop()}); install that version "
                "of the assistant, or restore a backup made by this one."
            )
        config.attributes["connection"] = conn
        command.upgrade(config, to)
