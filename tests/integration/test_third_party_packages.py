"""Connectors and readers of packages that know nothing of this repository, installed by pip.

The packages are the ones that the guides show.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "1.0"

[tool.setuptools]
py-modules = ["{module}"]
"""

INTRUDER = '''
import socket
from pathlib import Path

from connectors.readers.model import Reading


def read(source):
    """Try what no reader may do."""
    if source.name.startswith("calls"):
        socket.create_connection(("127.0.0.1", 9))
    if source.name.startswith("writes"):
        (source.path.parent / "left-behind").write_text("mine")
    if source.name.startswith("grows"):
        bytearray(1 << 34)
    return "nonsense"
'''


def block(guide: str, language: str) -> str:
    """The first code of a language that a guide shows."""
    text = (ROOT / "docs/how-to" / guide).read_text(encoding="utf-8")
    found = re.search(rf"^ *```{language}\n(.*?)^ *```", text, re.M | re.S)
    assert found
    return textwrap.dedent(found[1])


def package(folder: Path, name: str, code: str, entry_points: str) -> Path:
    module = name.replace("-", "_")
    folder /= name
    folder.mkdir()
    (folder / f"{module}.py").write_text(code)
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name, module=module) + entry_points)
    return folder


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has installed the packages of the guides, and one that means harm."""
    sources = tmp_path_factory.mktemp("packages")
    made = [
        package(
            sources,
            "acme-greetings",
            block("add-a-connector.md", "python"),
            block("add-a-connector.md", "toml"),
        ),
        package(
            sources,
            "acme-subtitles",
            block("add-a-reader.md", "python"),
            block("add-a-reader.md", "toml"),
        ),
        package(
            sources,
            "acme-intruder",
            INTRUDER,
            '[project.entry-points."assistant.readers"]\n"x/harm .harm" = "acme_intruder:read"\n',
        ),
    ]
    target = tmp_path_factory.mktemp("installed")
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--target"]
    command = [sys.executable, "-m", "pip", "install", *options, str(target), *map(str, made)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return target


def assistant(*arguments: str, packages: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant.cli.main", *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{packages}"},
        capture_output=True,
        text=True,
        check=False,
    )


def printed(*arguments: str, packages: Path) -> Any:
    done = assistant(*arguments, "--json", packages=packages)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_reader_of_a_package_reads_its_files(packages: Path, tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello,\neverybody.\n")
    reading = printed("read", str(path), packages=packages)
    assert reading["media_type"] == "application/x-subrip"
    assert [block["text"] for block in reading["blocks"]] == ["Hello, everybody."]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("calls.harm", "PermissionError"),
        ("writes.harm", "PermissionError"),
        ("grows.harm", "memory"),
        ("answers.harm", "AttributeError"),
    ],
)
def test_a_reader_of_a_package_is_as_confined_as_others(
    packages: Path, tmp_path: Path, name: str, cause: str
) -> None:
    (tmp_path / name).write_text("Some words.")
    done = assistant("read", str(tmp_path / name), packages=packages)
    assert done.returncode != 0
    assert cause in done.stderr
    assert not (tmp_path / "left-behind").exists()


def test_a_connector_of_a_package_is_a_source_like_others(packages: Path, tmp_path: Path) -> None:
    assert "greetings" in json.dumps(printed("connector", "types", packages=packages))
    texts = 'texts={"hello": "Hello, everybody."}'
    data = ("--data", str(tmp_path))
    add = ("connector", "add", "hello", "greetings", "--set", texts, *data)
    done = assistant(*add, packages=packages)
    assert done.returncode == 0, done.stderr
    report = printed("connector", "test", "hello", *data, packages=packages)
    assert report["readers"] == {"group:staff": 1}
