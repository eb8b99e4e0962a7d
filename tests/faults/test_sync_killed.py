"""A sync run killed at any moment and started again ends where an undisturbed one ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from assistant.settings import load
from assistant.store.database import open_database
from assistant.store.document import vector_of

N_FILES = 43

DOCUMENTS = sa.text(
    """
    SELECT d.external_id, d.version, d.version_no, d.title, d.lang, d.content_sha256, d.state,
           a.allow, a.deny, a.all_of
    FROM documents d JOIN acls a ON a.id = d.access_id ORDER BY d.external_id
    """
)
CHUNKS = sa.text(
    """
    SELECT d.external_id, c.ord, c.text, c.heading, c.kind, c.lang, c.page, c.start, c."end",
           c.sha256, c.embedder, c.embedding
    FROM chunks c JOIN documents d ON d.id = c.document_id ORDER BY d.external_id, c.ord
    """
)

Moment = Callable[[list[dict[str, Any]]], bool]


def reads(n: int) -> Moment:
    return lambda seen: sum(e.get("event") == "sync.read" for e in seen) >= n


def pages(n: int) -> Moment:
    return lambda seen: sum(e.get("event") == "sync.page" for e in seen) >= n


MOMENTS: dict[str, Moment] = {
    "while the first page is read": reads(3),
    "while the first page is embedded": reads(20),
    "between two commits": pages(1),
    "while the second page is read": reads(25),
    "before the last commit": pages(2),
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "company"
    for number in range(N_FILES):
        department = folder / ("finance" if number % 3 else "people")
        department.mkdir(parents=True, exist_ok=True)
        (department / f"note-{number:02}.md").write_text(
            f"# Note {number}\n\nThe budget line {number} is R$ {number * 1_111}.\n\n"
            f"## Owner\n\nThe owner of line {number} is desk {number % 7}.\n"
        )
    (folder / "finance/.access.toml").write_text('allow = ["group:finance"]\n')
    (folder / "people/.access.toml").write_text('allow = ["user:ana"]\ndeny = ["user:bob"]\n')
    (folder / ".groups.toml").write_text('[groups]\nfinance = ["user:ana", "user:bob"]\n')
    return folder


def assistant(*arguments: str, data: Path) -> list[str]:
    return [sys.executable, "-m", "assistant.cli.main", *arguments, "--data", str(data)]


def run_to_the_end(data: Path) -> None:
    done = subprocess.run(
        assistant("sync", "run", data=data), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def kill_at(data: Path, moment: Moment) -> None:
    """Start a run and kill -9 it as soon as its log says that the moment has come."""
    arguments = assistant("sync", "run", data=data)
    arguments.insert(3, "--verbose")
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seen: list[dict[str, Any]] = []
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith(b"{"):
            seen.append(json.loads(line))
        if moment(seen):
            os.kill(child.pid, signal.SIGKILL)
            break
    child.stderr.close()
    assert child.wait() == -signal.SIGKILL, f"the run ended before the moment: {seen}"


def content(data: Path) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[bytes]]:
    database = open_database(load(data_dir=data))
    try:
        with database.begin() as conn:
            documents = [tuple(row) for row in conn.execute(DOCUMENTS)]
            chunks = [tuple(row) for row in conn.execute(CHUNKS)]
    finally:
        database.close()
    return documents, [row[:-1] for row in chunks], [bytes(row[-1]) for row in chunks]


def add_source(data: Path, company: Path) -> None:
    command = assistant("sync", "add", "company", str(company), data=data)
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, company: Path, model_data_dir: Path
) -> Path:
    data = tmp_path_factory.mktemp("undisturbed")
    (data / "models").symlink_to(model_data_dir / "models")
    add_source(data, company)
    run_to_the_end(data)
    return data


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_resumes_to_the_same_state(
    moment: str, company: Path, undisturbed: Path, model_data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").symlink_to(model_data_dir / "models")
    add_source(tmp_path, company)
    kill_at(tmp_path, MOMENTS[moment])
    run_to_the_end(tmp_path)
    documents, chunks, embeddings = content(tmp_path)
    expected_documents, expected_chunks, expected_embeddings = content(undisturbed)
    assert len(documents) == N_FILES
    assert documents == expected_documents
    assert chunks == expected_chunks
    for one, other in zip(embeddings, expected_embeddings, strict=True):
        assert float(np.dot(vector_of(one), vector_of(other))) > 0.999
