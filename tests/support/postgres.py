"""A PostgreSQL on a port of the loopback address that asks for passwords, as companies run it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from assistant.store.embedded import _server_user, binaries
from tests.support.git import free_port

OWNER = "owner"
OWNER_PASSWORD = "owner-pw"
READER = "reader"
READER_PASSWORD = "r3ader:p@ss/wörd"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; the reader may only connect until it is granted something."""

    port: int

    def url(self, database: str, user: str = READER) -> str:
        """Return the address of a database without a password."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def as_owner(self, database: str) -> Iterator[psycopg.Connection]:
        """Connect as somebody who may write; every statement takes effect at once."""
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname=database,
            user=OWNER,
            password=OWNER_PASSWORD,
            autocommit=True,
        ) as conn:
            yield conn

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Make a database for a test."""
        with self.as_owner("postgres") as conn:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            with self.as_owner("postgres") as conn:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
                conn.execute(drop.format(sql.Identifier(name)))


@contextmanager
def served() -> Iterator[PostgresServer]:
    """Run a server of its own until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="assistant-pg-"))
    cluster, port, programs = folder / "data", free_port(), binaries()
    user = _server_user(programs)
    if user:
        shutil.chown(folder, user)
    (folder / "pw").write_text(OWNER_PASSWORD)
    (folder / "pw").chmod(0o644)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(programs / program), "-D", str(cluster), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            check=True,
        )

    try:
        run(
            "initdb",
            *("-U", OWNER, "--auth=scram-sha-256", f"--pwfile={folder / 'pw'}", "--no-sync"),
            *("--encoding=utf8", "--locale-provider=builtin", "--locale=C.UTF-8"),
        )
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=30"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            server = PostgresServer(port)
            with server.as_owner("postgres") as conn:
                role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                conn.execute(role.format(sql.Identifier(READER), sql.Literal(READER_PASSWORD)))
            yield server
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
