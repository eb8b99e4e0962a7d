"""The fences of the house: what a linter can't say, a small test says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("assistant", "connectors", "indexes", "ui")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
EDGES = {"assistant/api/problems.py", "assistant/cli/main.py", "assistant/ingest/intake.py"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def test_there_are_modules_to_check() -> None:
    assert len(MODULES) > 40


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_fits_one_reading(path: Path) -> None:
    n_lines = path.read_text(encoding="utf-8").count("\n")
    assert n_lines <= 400, f"{name(path)} has {n_lines} lines: find the missing noun"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{name(path)}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_broad_excepts_stand_only_at_the_edges(path: Path) -> None:
    if name(path) in EDGES:
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = getattr(node.type, "id", None)
            assert node.type is not None, f"{name(path)}:{node.lineno} catches everything"
            assert caught not in {"Exception", "BaseException"}, f"{name(path)}:{node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    if name(path) == "assistant/settings.py":
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            pytest.fail(f"{name(path)}:{node.lineno} reads the environment")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_unsafe_is_loaded(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("import pickle", "allow_dangerous_deserialization", "trust_remote_code=True"):
        assert word not in text, f"{name(path)} uses {word}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_the_store_speaks_sql(path: Path) -> None:
    if name(path).startswith(("assistant/store/", "connectors/", "indexes/")):
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or ""
            names = {alias.name for alias in node.names}
            imports_sql = module.startswith("sqlalchemy") and names - {"Connection", "Engine"}
            assert not imports_sql, f"{name(path)}:{node.lineno} imports {module}"
            assert not any(n.startswith(("sqlalchemy", "psycopg")) for n in names), name(path)


CLOCKS = {
    "assistant/api/completion.py": "a field of OpenAI's answers",
    "assistant/audit/event.py": "when a process took an event to happen",
    "assistant/audit/log.py": "when a head was signed",
    "assistant/cli/index.py": "how long ago, for people",
    "assistant/lifecycle/backup.py": "the date on a backup",
    "assistant/lifecycle/erasure.py": "the date on a certificate",
    "assistant/lifecycle/retention.py": "the month that it is",
    "assistant/store/subject_keys.py": "the month that it is",
}
"""Who may ask the machine for the time, and for what; all else goes by the database's clock."""


def test_decisions_go_by_the_clock_of_the_database() -> None:
    asking = set()
    for path in MODULES:
        if not name(path).startswith("assistant/") or "/evaluation/" in name(path):
            continue
        for call in calls(path):
            if ast.unparse(call.func) in {
                "datetime.now",
                "datetime.utcnow",
                "date.today",
                "time.time",
            }:
                asking.add(name(path))
    assert asking == set(CLOCKS)


def test_only_the_retriever_searches_the_index() -> None:
    callers = set()
    for path in MODULES:
        if not name(path).startswith("assistant/") or "/evaluation/" in name(path):
            continue
        for call in calls(path):
            function = call.func
            if isinstance(function, ast.Attribute) and function.attr in {
                "search",
                "search_dense",
                "search_lexical",
            }:
                owner = ast.unparse(function.value)
                if owner.endswith("index"):
                    callers.add(name(path))
    assert callers == {"assistant/retrieval/retriever.py"}
