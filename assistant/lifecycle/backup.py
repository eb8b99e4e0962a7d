"""Backups: one file of the data, and one file of the keys, which is always the newest.

The data are a snapshot of one moment, taken while everything goes on. They hold neither the keys
of the audit log and the secrets, nor those that personal fields are encrypted with: these are in
the file of keys, which each backup and each erasure replaces. So an old backup can't bring back
what was erased since, and neither file is of use alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection

from assistant import __version__, whole_file
from assistant.audit.event import SYSTEM, Event, utc
from assistant.audit.life_cycle import BackupCreated, BackupRestored
from assistant.audit.log import AuditLog
from assistant.errors import AssistantError, BackupUnusable, Conflict, InvalidRequest
from assistant.lifecycle import archive
from assistant.lifecycle.archive import About
from assistant.lifecycle.sealed import install_recipient, recipient
from assistant.store import backups, dumping, heads, ledger
from assistant.store.backups import MadeBackup
from assistant.store.database import Database
from assistant.vault import KEY_FILE

DATA, KEYS = "data", "keys"
HEADS = "audit/heads.jsonl"
_KEY_FILES = ("keys/audit.pem", "keys/audit.pub", KEY_FILE)
_KEY_TABLES = (*dumping.KEYS, "erasures", "tombstones")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back; `n_lost_events` were signed after the backup was made."""

    created_at: str
    n_rows: int
    n_events: int
    n_lost_events: int


def create(database: Database, log: AuditLog, data_dir: Path, path: Path, keys: Path) -> MadeBackup:
    """Write a backup to a new file, and the newest keys to theirs.

    Raises `SettingsError` without a key of backups, `InvalidRequest` if a file can't be written.
    """
    to = recipient(data_dir)
    revision = database.revision() or ""
    with database.snapshot() as conn, archive.written(path, to) as target:
        about = _about(conn, DATA, revision, dumping.tables(conn))
        target.about(about)
        target.file(HEADS, _heads(data_dir, about.n_events))
        for table in about.tables:
            target.table(table.name, dumping.blocks(conn, table))
    try:
        write_keys(database, data_dir, keys)
    except AssistantError:
        # Without the newest keys it would restore less than it seems to.
        path.unlink()
        raise
    made = MadeBackup(str(path.resolve()), str(keys.resolve()), _sha256(path), about.n_events)
    with database.begin() as conn:
        backups.add(conn, made)
        log.append(conn, Event(SYSTEM, BackupCreated(made.sha256, made.n_events)))
    return made


def write_keys(database: Database, data_dir: Path, keys: Path) -> None:
    """Replace the file of keys with what is there now."""
    to = recipient(data_dir)
    revision = database.revision() or ""
    with database.snapshot() as conn, archive.written(keys, to, replace=True) as target:
        about = _about(conn, KEYS, revision, dumping.tables(conn, _KEY_TABLES))
        target.about(about)
        for name in (*_KEY_FILES, HEADS):
            if (data_dir / name).exists():
                target.file(name, (data_dir / name).read_bytes())
        for table in about.tables:
            target.table(table.name, dumping.blocks(conn, table))


def renew_keys(database: Database, data_dir: Path) -> list[str]:
    """Replace the known files of keys, so that no deleted key is left there; return the rest."""
    with database.snapshot() as conn:
        files = sorted({made.keys_file for made in backups.made_backups(conn)})
    left = []
    for file in files:
        try:
            if not Path(file).exists():
                raise InvalidRequest(f"{file} is not there.")
            write_keys(database, data_dir, Path(file))
        except AssistantError:
            left.append(file)
    return left


def restore(
    database: Database, data_dir: Path, path: Path, keys: Path, identity: X25519PrivateKey
) -> Restored:
    """Bring a backup back into an empty database, in one transaction.

    The erasures that the file of keys knows of come along, to be applied next; until `end_restore`
    the database is not opened for anything else, and a restore of the same file goes on where one
    was cut short. Raises `Conflict` unless database and data folder are empty, `BackupUnusable`
    for files that are not whole.
    """
    name = _name(path)
    with database.snapshot() as conn:
        begun = heads.restoring(conn)
        if begun is not None and begun != name:
            raise Conflict("Another backup was being restored here; go on with that file.")
        if begun is None and not dumping.is_unused(conn):
            raise Conflict(
                "The database is in use: restore into an empty data folder (`--data`) or database."
            )
    with archive.opened(keys, identity) as found:
        about = found.about()
        _insist(about, KEYS)
        files = dict(found.files())
        tables = [(table, list(found.table(table.name))) for table in about.tables]
        found.finish()
    with archive.opened(path, identity) as found:
        data = found.about()
        _insist(data, DATA)
        if data.revision > about.revision:
            raise BackupUnusable("The file of keys is older than the backup; use the newest one.")
        files_of_data = dict(found.files())
        if begun is None:
            database.migrate(data.revision)
            with database.begin() as conn:
                _load(conn, data, found)
                # Before migrations, which may seal something with them.
                _replace(conn, tables, dumping.KEYS)
                heads.mark_restoring(conn, name)
    database.migrate()
    with database.begin() as conn:
        _replace(conn, tables, set(_KEY_TABLES) - {*dumping.KEYS})
    n_lost = _put_files(data_dir, files, files_of_data[HEADS], data.n_events)
    install_recipient(data_dir, identity.public_key())
    n_rows = sum(table.n_rows for table in data.tables)
    return Restored(data.created_at, n_rows, data.n_events, n_lost)


def end_restore(database: Database) -> None:
    """Open a restored database for everything, once the erasures were applied."""
    with database.begin() as conn:
        heads.end_restoring(conn)


def insist_whole(database: Database) -> None:
    """Raise `Conflict` if a restore of this database was cut short."""
    with database.reading() as conn:
        if heads.restoring(conn) is not None:
            raise Conflict(
                "A restore was cut short, so what was erased may be back: run the same "
                "`assistant backup restore` again, which goes on."
            )


def restored_event(found: Restored, path: Path) -> Event:
    """Return what the log says of a restore."""
    return Event(SYSTEM, BackupRestored(_sha256(path), found.n_events, found.n_lost_events))


def _about(conn: Connection, kind: str, revision: str, tables: Sequence[dumping.Dumped]) -> About:
    size = ledger.frontier(conn)
    return About(
        kind=kind,
        revision=revision,
        created_at=utc(datetime.now(UTC)),
        tables=tuple(tables),
        counters=dumping.counters(conn),
        n_events=size.size if size else 0,
        version=__version__,
    )


def _heads(data_dir: Path, n_events: int) -> bytes:
    """Return the signed heads outside the database that the snapshot has the events of."""
    path = data_dir / HEADS
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return b"".join(line + b"\n" for line in lines if json.loads(line)["size"] <= n_events)


def _put_files(data_dir: Path, files: dict[str, bytes], kept: bytes, n_events: int) -> int:
    """Write keys and heads; newer heads than the backup go beside. Return the events lost."""
    newer = [
        line
        for line in files.pop(HEADS, b"").split(b"\n")
        if line and json.loads(line)["size"] > n_events
    ]
    for name, content in {**files, HEADS: kept}.items():
        _put(data_dir / name, content)
    if not newer:
        return 0
    _put(data_dir / "audit" / f"heads-after-{n_events}.jsonl", b"\n".join(newer) + b"\n")
    return max(int(json.loads(line)["size"]) for line in newer) - n_events


def _put(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() != content:
        raise Conflict(f"{path} is another one than the backup's; restore into an empty folder.")
    whole_file.put(path, content)


def _load(conn: Connection, data: About, found: archive.ArchiveReader) -> None:
    dumping.clear(conn)
    for table in data.tables:
        dumping.load(conn, table, found.table(table.name))
        _insist_rows(conn, table)
    found.finish()
    dumping.set_counters(conn, data.counters)


def _replace(
    conn: Connection, tables: Sequence[tuple[dumping.Dumped, list[bytes]]], names: Collection[str]
) -> None:
    for table, blocks in tables:
        if table.name in names:
            dumping.replace(conn, table, blocks)


def _name(path: Path) -> int:
    """Return a number that names a file by its content."""
    return int(_sha256(path)[:15], 16)


def _insist(about: About, kind: str) -> None:
    if about.kind != kind:
        raise BackupUnusable(f"This is a file of {about.kind}; a file of {kind} is needed here.")


def _insist_rows(conn: Connection, table: dumping.Dumped) -> None:
    if dumping.count(conn, table) != table.n_rows:
        raise BackupUnusable(f"The table {table.name} has other rows than the backup says.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
