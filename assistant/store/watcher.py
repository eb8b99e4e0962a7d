"""Stops the embedded server once nobody holds it: run as a script, standard library only.

`watcher.py DATA_DIR PG_CTL CLUSTER [USER]`. It detaches, keeps `postgres.watcher` locked while it
lives, and blocks until it gets `postgres.holders` alone.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn


def is_dead(cluster: Path) -> bool:
    """Return whether the server that `postmaster.pid` names has ended without being waited for.

    Under an init that reaps no orphans a killed server stays a zombie, which answers `kill(pid, 0)`
    and so passes for alive with `pg_ctl` and with the next server. False where there is no /proc.
    """
    try:
        pid = (cluster / "postmaster.pid").read_text().split("\n", 1)[0]
        about = Path("/proc", pid, "stat").read_text()
    except (OSError, UnicodeDecodeError):
        return False
    return about.rpartition(")")[2].split()[0] in "ZX"


def watch(folder: Path, stop: list[str], user: str | None, watched: int) -> NoReturn:
    """Wait for the last holder to end, stop the server, and exit."""
    with (folder / "postgres.holders").open("r+b") as holders:
        fcntl.flock(holders, fcntl.LOCK_EX)
        # The next holder starts a watcher of its own if it finds this lock free.
        os.close(watched)
        cluster = folder / "postgres"
        if (cluster / "postmaster.pid").exists() and not is_dead(cluster):
            subprocess.run(  # noqa: S603
                stop,
                cwd=cluster,
                user=user,
                extra_groups=[] if user else None,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                check=False,
            )
        # Still locked: who gets the lock next may take it that this process has ended.
        os._exit(0)


def main() -> None:
    """Take the watcher's lock in the foreground, then go on in a detached child."""
    folder = Path(sys.argv[1])
    stop = [sys.argv[2], "-D", sys.argv[3], "-w", "-m", "fast", "stop"]
    user = sys.argv[4] if len(sys.argv) > 4 else None
    watched = os.open(folder / "postgres.watcher", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(watched, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    if os.fork():
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    watch(folder, stop, user, watched)


if __name__ == "__main__":
    main()
