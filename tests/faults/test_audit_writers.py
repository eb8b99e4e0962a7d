from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from assistant.audit.log import AuditLog
from assistant.store import ledger
from assistant.store.database import Database

WRITER = """
import sys
from pathlib import Path
from assistant.audit.event import SYSTEM, Event, QueryAccepted
from assistant.audit.log import AuditLog
from assistant.settings import load
from assistant.store.database import open_database
url, data_dir, name = sys.argv[1:]
database = open_database(load(database={"url": url}, data_dir=Path(data_dir)))
log = AuditLog(database, Path(data_dir))
for number in range(10**6):
    with database.begin() as conn:
        seq = log.append(conn, Event(SYSTEM, QueryAccepted(f"{name}-{number}", "?")))
    print(seq, f"{name}-{number}", flush=True)
    if number % 10 == 0:
        log.seal()
    if name != "killed" and number >= 30:
        break
"""


def test_four_writers_of_which_one_is_killed_lose_nothing(
    database: Database, tmp_path: Path
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    acknowledged: dict[int, str] = {}
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-W", "error", "-c", WRITER, url, str(tmp_path), name],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name in ("killed", "b", "c", "d")
        ]
        victim = writers[0]
        assert victim.stdout
        said = [victim.stdout.readline() for _ in range(15)]
        victim.kill()
        # A line that the kill cut short was not acknowledged.
        said += [line for line in victim.stdout.read().splitlines(True) if line.endswith("\n")]
        for writer in writers[1:]:
            assert writer.stdout
            said += writer.stdout.read().splitlines()
    assert [writer.returncode for writer in writers] == [-9, 0, 0, 0]
    for line in said:
        seq, name = line.split()
        assert int(seq) not in acknowledged
        acknowledged[int(seq)] = name
    with database.begin() as conn:
        stored = {e.seq: json.loads(e.body)["data"]["query_id"] for e in ledger.events(conn)}
    assert list(stored) == list(range(len(stored)))
    assert acknowledged.items() <= stored.items()
    # At most the one event that was committed but not yet acknowledged.
    assert len(stored) - len(acknowledged) <= 1
    found = AuditLog(database, tmp_path).verify()
    assert (found.ok, found.n_events) == (True, len(stored))
