"""What goes wrong on the command line is one sentence with the next step, and an exit code."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def assistant(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of an error, without its mark."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("✗")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0].removeprefix("✗ ")


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    file = tmp_path / "assistant.toml"
    file.write_text('[generator]\nkindd = "quotes"\n')
    done = assistant("config", "check", ASSISTANT_CONFIG=str(file))
    assert done.returncode == 3
    assert "generator.kindd" in said(done)


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    done = assistant("config", "check", ASSISTANT_CONFIG=str(tmp_path / "nowhere.toml"))
    assert done.returncode == 3
    assert "nowhere.toml" in said(done)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    done = assistant("sync", "add", "x", str(tmp_path / "nowhere"), "--data", str(tmp_path))
    assert done.returncode == 2
    assert "nowhere" in said(done)


def test_a_folder_that_vanished_stops_the_sync(tmp_path: Path, model_data_dir: Path) -> None:
    folder, data = tmp_path / "docs", tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("A note.")
    data.mkdir()
    (data / "models").symlink_to(model_data_dir / "models")
    assert assistant("sync", "add", "docs", str(folder), "--data", str(data)).returncode == 0
    (folder / "a.txt").unlink()
    folder.rmdir()
    done = assistant("sync", "run", "docs", "--data", str(data))
    assert done.returncode == 1
    assert str(folder) in said(done)


def test_a_busy_port_is_named(tmp_path: Path, model_data_dir: Path) -> None:
    (tmp_path / "models").symlink_to(model_data_dir / "models")
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        done = assistant("serve", "--only", "api", "--port", port, "--data", str(tmp_path))
    assert done.returncode == 3
    assert f"Port {port}" in said(done)
    assert "--port" in said(done)


def test_an_unreachable_database_is_a_dependency(tmp_path: Path) -> None:
    url = "postgresql://nobody:secret@127.0.0.1:1/nothing"
    done = assistant("user", "list", "--data", str(tmp_path), ASSISTANT_DATABASE__URL=url)
    assert done.returncode == 4
    assert "database.url" in said(done)
    assert "secret" not in done.stderr


def test_an_unreachable_model_is_found_by_doctor(tmp_path: Path, model_data_dir: Path) -> None:
    (tmp_path / "models").symlink_to(model_data_dir / "models")
    environment = {
        "ASSISTANT_GENERATOR__KIND": "openai",
        "ASSISTANT_GENERATOR__URL": "http://127.0.0.1:1/v1",
    }
    done = assistant("doctor", "--data", str(tmp_path), **environment)
    assert done.returncode == 4
    assert "127.0.0.1:1" in done.stdout


def test_a_gpu_that_is_insisted_on_and_missing_is_found_by_doctor(
    tmp_path: Path, model_data_dir: Path
) -> None:
    (tmp_path / "models").symlink_to(model_data_dir / "models")
    done = assistant("doctor", "--data", str(tmp_path), ASSISTANT_INDEX__DEVICE="cuda")
    assert done.returncode == 3
    assert "`index.device` is `cuda`" in " ".join(done.stdout.split())
    done = assistant("doctor", "--data", str(tmp_path), ASSISTANT_INDEX__DEVICE="auto")
    assert done.returncode == 0
    assert "searched on the CPU" in " ".join(done.stdout.split())


def test_an_unknown_person_and_an_empty_question_are_refused(
    tmp_path: Path, model_data_dir: Path
) -> None:
    (tmp_path / "models").symlink_to(model_data_dir / "models")
    unknown = assistant("ask", "Anything?", "--as", "nobody", "--data", str(tmp_path))
    assert unknown.returncode == 1
    assert "nobody" in said(unknown)
    empty = assistant("ask", "  ", "--as", "nobody", "--data", str(tmp_path))
    assert empty.returncode == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="not run: mounting a small disk needs root")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    script = (
        f"mount -t tmpfs -o size=8m tmpfs {tmp_path} && "
        f"exec {sys.executable} -m assistant.cli.main user list --data {tmp_path}"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4, done.stderr
    assert "No space is left" in said(done)
