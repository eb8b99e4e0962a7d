"""What the audit log costs: events appended a second, and events verified a second.

    python -m benchmarks.audit [--events N] [--writers N] [--json]

Each append is a transaction of its own in the built-in database, durable when it returns; with
several writers, each in a thread with a connection of its own, they queue for the frontier. The
log is verified in the database and, as an export, by the stand-alone program. A database that
synchronises to disk as often, and does nothing else, is the peer: a one-row table, one insert a
transaction.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assistant import wiring
from assistant.audit import verifier
from assistant.audit.event import SYSTEM, Event, PromptedChunk, QueryPrompted
from assistant.audit.log import AuditLog
from assistant.settings import Settings
from assistant.store.database import Database

CHUNKS = tuple(
    PromptedChunk(n, f"0f5e3c{n:02}-document", 1, "ab" * 32, True, "allow everyone")
    for n in range(8)
)


def event(number: int) -> Event:
    """Return an event as a question with eight passages leaves it."""
    return Event(
        SYSTEM,
        QueryPrompted(f"q{number}", "What is the limit?", CHUNKS, 7, "42", "cd" * 32, "quotes"),
    )


def appended(log: AuditLog, n_events: int, n_writers: int) -> tuple[float, list[float]]:
    """Append events from several threads; return events a second and each one's seconds."""

    def one(number: int) -> float:
        started = time.perf_counter()
        log.record(event(number))
        return time.perf_counter() - started

    started = time.perf_counter()
    with ThreadPoolExecutor(n_writers) as pool:
        seconds = list(pool.map(one, range(n_events)))
    return n_events / (time.perf_counter() - started), seconds


def inserted(database: Database, n_rows: int) -> float:
    """Insert rows into a plain table, a transaction each; return rows a second."""
    with database.begin() as conn:
        conn.execute(sa.text("CREATE TABLE IF NOT EXISTS peer (body bytea)"))
    body = b"x" * 1200
    started = time.perf_counter()
    for _ in range(n_rows):
        with database.begin() as conn:
            conn.execute(sa.text("INSERT INTO peer VALUES (:body)"), {"body": body})
    return n_rows / (time.perf_counter() - started)


def run(folder: Path, n_events: int, n_writers: int) -> dict[str, Any]:
    """Return the figures of one run."""
    settings = Settings(data_dir=folder)
    with wiring.database(settings) as database:
        log = wiring.audit_log(settings, database)
        appended(log, 50, 1)
        peer = [inserted(database, n_events // 4)]
        alone, seconds = appended(log, n_events, 1)
        peer.append(inserted(database, n_events // 4))
        together, _ = appended(log, n_events, n_writers)
        log.seal()
        started, cpu = time.perf_counter(), time.process_time()
        found = log.verify()
        verified, verified_cpu = time.perf_counter() - started, time.process_time() - cpu
        lines = b"".join(log.export()).rstrip(b"\n").split(b"\n")
        started = time.perf_counter()
        n_proven = verifier.check_export(lines, log.public_key, [])
        offline = n_proven / (time.perf_counter() - started)
    quantiles = statistics.quantiles(seconds, n=20)
    return {
        "events": found.n_events,
        "verifies": found.ok,
        "append, events/s": round(alone),
        "append, p50 ms": round(statistics.median(seconds) * 1000, 2),
        "append, p95 ms": round(quantiles[-1] * 1000, 2),
        f"append with {n_writers} writers, events/s": round(together),
        "plain insert, rows/s": round(statistics.mean(peer)),
        "append ÷ plain insert": round(alone / statistics.mean(peer), 2),
        "verify in the database, events/s": round(found.n_events / verified),
        "verify in the database, events per CPU second": round(found.n_events / verified_cpu),
        "verify an export offline, events/s": round(offline),
    }


def main() -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), chosen.events, chosen.writers)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:<48} {value:>10,}")
    return int(not found["verifies"])


if __name__ == "__main__":
    sys.exit(main())
