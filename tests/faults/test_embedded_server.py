from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

# Ends without closing the database: `atexit` has to do it.
HOLDER = """
import sys
from pathlib import Path
from assistant.settings import load
from assistant.store.database import open_database
database = open_database(load(data_dir=Path(sys.argv[1])))
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="assistant-faults-"))
    yield made
    assert not processes_of(made)
    shutil.rmtree(made)


def hold(stack: ExitStack, folder: Path) -> subprocess.Popen[str]:
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", HOLDER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    )
    stack.callback(process.kill)
    return process


def await_up(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "up\n"


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.close()
    assert process.wait() == 0


def processes_of(folder: Path) -> list[str]:
    """The server and watcher processes of a folder that still run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            inside = process.cwd().startswith(str(folder)) or str(folder) in " ".join(words)
            if inside and process.status() != psutil.STATUS_ZOMBIE and "-c" not in words:
                found.append(" ".join(words))
    return found


def is_up(folder: Path) -> bool:
    return (folder / "postgres" / "postmaster.pid").exists()


def await_watcher(folder: Path) -> None:
    """Wait until nobody holds the folder any more and its watcher has ended."""
    for name in ("postgres.watcher", "postgres.holders"):
        with (folder / name).open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
    while processes_of(folder):
        time.sleep(0.01)


def test_the_last_of_several_processes_stops_the_server(folder: Path) -> None:
    with ExitStack() as stack:
        holders = [hold(stack, folder) for _ in range(3)]
        for holder in holders:
            await_up(holder)
        for holder in holders[:-1]:
            end(holder)
            assert is_up(folder)
        end(holders[-1])
        assert not is_up(folder)
        assert processes_of(folder) == []


def test_a_killed_process_does_not_keep_the_server_up(folder: Path) -> None:
    with ExitStack() as stack:
        killed, other = hold(stack, folder), hold(stack, folder)
        await_up(killed)
        await_up(other)
        killed.kill()
        killed.wait()
        assert is_up(folder)
        end(other)
        assert not is_up(folder)
        assert processes_of(folder) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_stops_after_its_only_process_was_killed(folder: Path, number: int) -> None:
    with ExitStack() as stack:
        holder = hold(stack, folder)
        await_up(holder)
        os.killpg(holder.pid, number)
        assert holder.wait() == -number
        await_watcher(folder)
        assert not is_up(folder)


def test_a_server_that_was_killed_comes_up_again(folder: Path) -> None:
    with ExitStack() as stack:
        holder = hold(stack, folder)
        await_up(holder)
        server = int((folder / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        os.kill(server, signal.SIGKILL)
        next_one = hold(stack, folder)
        await_up(next_one)
        end(holder)
        assert is_up(folder)
        end(next_one)
        assert not is_up(folder)


def test_an_interrupted_first_start_is_made_up_for(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
    with ExitStack() as stack:
        holder = hold(stack, folder)
        await_up(holder)
        end(holder)
    assert not (folder / "postgres.new").exists()


def test_a_folder_with_a_long_path_works(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    with ExitStack() as stack:
        holders = [hold(stack, deep) for _ in range(2)]
        for holder in holders:
            await_up(holder)
        for holder in holders:
            end(holder)
    assert not is_up(deep)
