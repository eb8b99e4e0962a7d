"""However it is changed, saved, damaged and started again, the index holds the catalog."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from assistant.retrieval.comparison import compared
from assistant.retrieval.follower import Follower
from assistant.retrieval.generations import Generations
from assistant.store.database import Database
from indexes.model import SearchIndexError
from tests.support.company import Company
from tests.support.hashing import HashingEmbedder

NAME, DIMENSION = HashingEmbedder.name, HashingEmbedder.dimension
WORDS = ["pump", "valve", "report", "income", "canteen", "menu", "ship", "navio", "bomba", "lucro"]
N_STEPS = 250
N_SAVED = 6


class World:
    """A company whose index is served by a process that may end at any time."""

    def __init__(self, company: Company, folder: Path, rng: random.Random) -> None:
        self.company = company
        self.folder = folder
        self.rng = rng
        self.generations, self.follower = self._started()
        self.n_from_snapshot = 0

    def _started(self) -> tuple[Generations, Follower]:
        generations = Generations(self.company.database, self.folder)
        return generations, generations.start(NAME, DIMENSION)

    def name(self) -> str:
        return f"document-{self.rng.randrange(25)}"

    def write(self) -> None:
        texts = [" ".join(self.rng.choices(WORDS, k=5)) for _ in range(self.rng.randrange(1, 4))]
        groups = self.rng.choice([["everyone"], ["group:sales"], ["group:finance"]])
        lang = self.rng.choice(["en", "pt"])
        self.company.document(self.name(), *texts, allow=groups, lang=lang)

    def delete(self) -> None:
        self.company.delete(self.name())

    def allow(self) -> None:
        self.company.allow(self.name(), self.rng.choice(["everyone", "group:hr"]))

    def refresh(self) -> None:
        with self.company.database.begin() as conn:
            self.follower.refresh(conn)

    def save(self) -> None:
        self.generations.save(self.follower)

    def compact(self) -> None:
        self.follower.index.fold()

    def rollback(self) -> None:
        """Go back if there is a previous generation, and it isn't one that was damaged."""
        with suppress(SearchIndexError):
            self.generations.snapshots.rollback()

    def damage(self) -> None:
        """Flip a bit of the current generation; the next save must not be hindered by it."""
        name = self.generations.snapshots.roles().current
        if name:
            files = sorted(p for p in (self.folder / name).rglob("*") if p.is_file())
            path = self.rng.choice([p for p in files if p.stat().st_size])
            raw = bytearray(path.read_bytes())
            raw[self.rng.randrange(len(raw))] ^= 1 << self.rng.randrange(8)
            # The running process keeps its own, mapped file, as after a fault of the disk alone.
            path.unlink()
            path.write_bytes(raw)

    def crash(self) -> None:
        """Forget everything that wasn't saved, and start anew."""
        with suppress(SearchIndexError):
            self.generations.opened("current", NAME).index.close()
            self.n_from_snapshot += 1
        self.follower.index.close()
        self.generations, self.follower = self._started()
        self.check()

    def check(self) -> None:
        found = compared(self.follower, self.company.database)
        assert found.is_equal, found


def test_a_long_life_with_crashes(database: Database, tmp_path: Path) -> None:
    rng = random.Random(11)
    world = World(Company(database), tmp_path / "index", rng)
    actions: list[tuple[Callable[[], None], int]] = [
        (world.write, 10),
        (world.delete, 4),
        (world.allow, 4),
        (world.refresh, 6),
        (world.save, 4),
        (world.compact, 1),
        (world.rollback, 1),
        (world.damage, 1),
        (world.crash, 3),
    ]
    steps, weights = zip(*actions, strict=True)
    for step in rng.choices(steps, weights, k=N_STEPS):
        step()
    world.check()
    assert world.n_from_snapshot > 8


def test_what_is_saved_among_changes_is_whole(database: Database, tmp_path: Path) -> None:
    """One thread changes and applies, others save: each generation is one moment's state."""
    world = World(Company(database), tmp_path / "index", random.Random(5))
    enough, done = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def change() -> None:
        try:
            while not enough.is_set():
                world.write()
                world.delete()
                world.allow()
                world.refresh()
        except BaseException as error:  # a thread has no other way to tell
            failures.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(N_SAVED):
            world.save()
            opened = world.generations.opened("current", NAME)
            found = compared(opened, database)
            opened.index.close()
            assert found.is_equal, found
            assert not done.is_set()
    finally:
        enough.set()
        thread.join()
    assert failures == []


SAVER = """
import os, signal, sys
from contextlib import suppress
from pathlib import Path
from pydantic import SecretStr
from assistant.settings import DatabaseSettings, Settings
from assistant.store.database import open_database
from assistant.retrieval.generations import Generations

data, url, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
database = open_database(Settings(data_dir=data, database=DatabaseSettings(url=SecretStr(url))))
generations = Generations(database, data / "index")
follower = generations.start("hashed-words@1", 256)
fsync = os.fsync

def counted(descriptor):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(descriptor)

os.fsync = counted
generations.save(follower)
"""


def test_a_process_killed_while_it_saves_costs_the_next_nothing(
    database: Database, postgres_url: str, tmp_path: Path
) -> None:
    world = World(Company(database), tmp_path / "index", random.Random(2))
    for _ in range(20):
        world.write()
    world.refresh()
    world.save()
    generation = world.follower.generation
    for n_calls in (1, 9, 25, 10_000):
        world.write()
        child = subprocess.run(
            [sys.executable, "-c", SAVER, str(tmp_path), postgres_url, str(n_calls)], check=False
        )
        was_killed = child.returncode == -signal.SIGKILL
        assert was_killed or child.returncode == 0
        opened = world.generations.opened("current", NAME)
        assert (opened.generation > generation) != was_killed
        opened.index.close()
        world.crash()
    left = [path for path in world.folder.iterdir() if path.name.startswith("work-")]
    assert set(left) <= {world.generations._workplace.folder}
    shutil.rmtree(world.folder)
