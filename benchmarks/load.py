"""Many people asking at once: what they see, how long they wait, and what the audit log kept.

    python -m benchmarks.load [--streams N] [--minutes N] [--json] [--report FILE]

A company of eight departments, whose documents carry a secret word each, a model server that
writes twenty tokens a second (`benchmarks.paced`; in every other answer it adds what somebody else
was told) and the API, in three processes. First so many people ask again and again; then four
times as many, of whom those too many are told to wait; then clients who leave in the middle of
their answer. In the end the audit log is verified: every question must have ended in it.

`first byte` is from sending a question to the first event of its answer, `gap` between two events
of an answer. The exit code is 1 unless nobody saw a foreign word and nothing is missing in the log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from assistant import wiring
from assistant.access.identity import create_person
from assistant.access.principals import qualify
from assistant.audit.log import AuditLog
from assistant.domain import Chunk
from assistant.settings import Settings
from assistant.store import catalog, ledger, memberships, people, sources
from assistant.store.acls import acl_id
from assistant.store.database import Database
from assistant.store.document import Facts, NewChunk, NewDocument
from benchmarks.visitors import (
    CITIES,
    DEPARTMENTS,
    OVERLOAD,
    SUBJECTS,
    Crowd,
    Visitors,
    quantiles,
)

SESSION_S = 7_200
OVERLOAD_S = 60.0
N_VANISHED = 1_000
END_S = 30.0


def founded(database: Database, settings: Settings, n_people: int) -> Crowd:
    """Fill an empty database with the company."""
    crowd, model = Crowd(), wiring.embedder(settings)
    crowd.words = {name: f"K{secrets.token_hex(6)}" for name in DEPARTMENTS}
    with database.begin() as conn:
        source = sources.put_source(conn, "intranet", "files", {"folder": "/nowhere"})
        groups: dict[str, set[str]] = {name: set() for name in DEPARTMENTS}
        for n in range(n_people):
            department = DEPARTMENTS[n % len(DEPARTMENTS)]
            person = create_person(conn, f"p{n}", f"P {n}", ["employee"])
            groups[department].add(f"p{n}")
            crowd.members.append((people.start_session(conn, person.id, SESSION_S), department))
        memberships.replace_groups(
            conn,
            source.id,
            {
                qualify("intranet", f"group:{name}"): {
                    qualify("intranet", f"user:{login}") for login in logins
                }
                for name, logins in groups.items()
            },
        )
    for department, word in crowd.words.items():
        for subject in SUBJECTS:
            texts = [
                f"The {subject} budget of the {department} department in {city} is {n + 11} "
                f"thousand reais, filed under {word}. Requests go to the {department} desk in "
                f"{city} by the {n + 3}th of the month, with the code {word}."
                for n, city in enumerate(CITIES)
            ]
            vectors = model.embed_documents(texts)
            chunks = [
                NewChunk(Chunk(text, (), "paragraph", "en", n, n + 1), vector, model.name)
                for n, (text, vector) in enumerate(zip(texts, vectors, strict=True))
            ]
            name = f"{department}-{subject}"
            with database.begin() as conn:
                access = acl_id(conn, {qualify("intranet", f"group:{department}")})
                facts = Facts(title=f"{subject} {department}".title(), lang="en", collection="all")
                new = NewDocument(source.id, name, "1", name, access, facts)
                catalog.upsert_document(conn, new, chunks)
    return crowd


def kept(database: Database, log: AuditLog, receipts: list[str]) -> dict[str, Any]:
    """Return what the audit log holds, once every question has ended in it."""
    until = time.monotonic() + END_S
    while True:
        with database.snapshot() as conn:
            bodies = {str(event.seq): json.loads(event.body) for event in ledger.events(conn)}
        kinds = Counter(body["type"] for body in bodies.values())
        n_ended = kinds["query.finished"] + kinds["query.aborted"]
        if n_ended >= kinds["query.prompted"] or time.monotonic() > until:
            break
        time.sleep(0.5)
    finished = {seq for seq, body in bodies.items() if body["type"] == "query.finished"}
    return {
        "events": len(bodies),
        "prompted": kinds["query.prompted"],
        "finished": kinds["query.finished"],
        "aborted": kinds["query.aborted"],
        "without_end": kinds["query.prompted"] - n_ended,
        "receipts_lost": sum(receipt not in finished for receipt in receipts),
        "verified": log.verify().ok,
    }


@contextmanager
def processes(folder: Path, n_slots: int) -> Iterator[str]:
    """Run the model server and the API; yields the address of the API."""
    model, api = _free_port(), _free_port()
    environment = os.environ | {
        "ASSISTANT_DATA_DIR": str(folder),
        "ASSISTANT_GENERATOR__KIND": "openai",
        "ASSISTANT_GENERATOR__URL": f"http://127.0.0.1:{model}/v1",
        "ASSISTANT_SERVE__ANSWERS_AT_ONCE": str(n_slots),
        "HF_HUB_OFFLINE": "1",
    }
    run = [sys.executable, "-m"]
    served = ["assistant.cli.main", "serve", "--only", "api", "--port", str(api)]
    with ExitStack() as stack, (folder / "api.log").open("wb") as log:
        for command in ([*run, "benchmarks.paced", "--port", str(model)], [*run, *served]):
            child = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            stack.callback(child.wait)
            stack.callback(child.terminate)
        url = f"http://127.0.0.1:{api}"
        _await(f"{url}/readyz")
        yield url


def run(folder: Path, n_streams: int, minutes: float) -> dict[str, Any]:
    """Return the figures of all phases."""
    settings = Settings(data_dir=folder)
    with wiring.database(settings) as database:
        crowd = founded(database, settings, OVERLOAD * n_streams)
        with processes(folder, n_streams) as url:
            visitors = Visitors(url, crowd)
            calm = asyncio.run(visitors.steady(n_streams, 60 * minutes))
            crowded, calm_after = asyncio.run(
                visitors.overload(n_streams, min(OVERLOAD_S, 60 * minutes))
            )
            gone, waits = asyncio.run(visitors.vanish(N_VANISHED, n_streams))
            receipts = calm.receipts + crowded.receipts
            audit = kept(database, wiring.audit_log(settings, database), receipts)
        logged = (folder / "api.log").read_text(errors="replace")
    return {
        "streams": n_streams,
        "minutes": minutes,
        "calm": calm.figures(),
        "overload": crowded.figures() | {"calm_after_s": calm_after},
        "vanished": gone.figures() | {"slot_wait_ms": quantiles(waits)},
        "audit": audit,
        "words_in_the_servers_log": sum(word in logged for word in crowd.words.values()),
    }


def is_sound(found: dict[str, Any]) -> bool:
    """Return whether nobody saw what is not theirs, and nothing is missing."""
    audit, phases = found["audit"], [found[name] for name in ("calm", "overload", "vanished")]
    problems = sum(phase["ended"].get("problem", 0) for phase in phases)
    leaks = sum(phase["foreign"] for phase in phases) + found["words_in_the_servers_log"]
    lost = audit["without_end"] + audit["receipts_lost"]
    return not (problems or leaks or lost) and audit["verified"]


def table(found: dict[str, Any]) -> str:
    """Return the figures for reading, as Markdown."""
    lines = [
        f"{found['streams']} streams, {found['minutes']:g} minutes.",
        "",
        "| phase | ended | foreign words | withheld | first byte: p50, p99, most | gap: the same |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name in ("calm", "overload", "vanished"):
        own = found[name]
        ended = ", ".join(f"{kind} {n}" for kind, n in sorted(own["ended"].items()))
        times = [" / ".join(f"{ms:.0f} ms" for ms in own[key]) for key in ("first_ms", "gap_ms")]
        lines.append(
            f"| {name} | {ended} | {own['foreign']} | {own['withheld']} | {times[0]} | {times[1]} |"
        )
    waits = " / ".join(f"{ms:.0f} ms" for ms in found["vanished"]["slot_wait_ms"])
    lines += [
        "",
        f"Calm {found['overload']['calm_after_s']:.1f} s after the overload. After clients who "
        f"left, the next waited {waits} for a slot and its first events (p50, p99, most).",
        "",
        "Audit log: " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in found["audit"].items()),
        f"Secret words in the server's log: {found['words_in_the_servers_log']}",
    ]
    return "\n".join(lines)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _await(url: str, seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=5, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{url} did not answer within {seconds:g} s; see api.log in the data folder.")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--report", type=Path, help="a file for the tables as well")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), asked.streams, asked.minutes)
    print(json.dumps(found, indent=2) if asked.json else table(found))
    if asked.report:
        asked.report.parent.mkdir(parents=True, exist_ok=True)
        asked.report.write_text(f"# Load\n\n{table(found)}\n")
    return 0 if is_sound(found) else 1


if __name__ == "__main__":
    sys.exit(main())
