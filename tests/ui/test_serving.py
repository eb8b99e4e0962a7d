"""The page's process: it serves, it is quiet, and it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from assistant.cli.serving import serve_page
from assistant.errors import SettingsError
from assistant.settings import Settings
from tests.ui.acme import INVOICES, REACTOR
from tests.ui.served import ROOT, answers, free_port, page_served, wait
from tests.ui.world import PASSWORD, World
from ui.serve import OPTIONS


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_quietly_and_ends_when_told(world: World, end: signal.Signals) -> None:
    with page_served(world.url) as (child, url):
        assert "<title>" in httpx.get(url).text
        child.send_signal(end)
        said, _ = child.communicate(timeout=30)
        assert child.returncode in (0, -end)
        assert said == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="not run: needs Linux")
def test_it_ends_with_the_process_that_started_it(world: World) -> None:
    starter = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    port = str(free_port())
    command = [sys.executable, "-m", "ui", "serve", "--api", world.url, "--port", port]
    parent = subprocess.Popen(
        [sys.executable, "-c", starter, *command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    wait(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"))
    parent.kill()
    parent.communicate()
    child.wait(30)
    assert not child.is_running()


def test_a_busy_port_is_one_sentence(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = ui("serve", "--api", world.url, "--port", port)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert f"Port {port}" in done.stderr


@pytest.mark.parametrize(
    "line", ["enableAgentApi = true", 'trustedUserHeaders = {"X-User" = "email"}']
)
def test_nobody_may_let_others_say_who_they_are(tmp_path: Path, line: str) -> None:
    file = tmp_path / ".streamlit" / "config.toml"
    file.parent.mkdir()
    file.write_text(f"[server]\n{line}\n")
    done = ui("serve", "--api", "http://127.0.0.1:1", folder=tmp_path)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert f"server.{line.split()[0]}" in done.stderr
    assert str(file) in done.stderr


@pytest.mark.parametrize("variable", ["TRUSTED_USER_HEADERS", "ENABLE_AGENT_API"])
def test_nor_by_a_variable(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(f"STREAMLIT_SERVER_{variable}", "true")
    with pytest.raises(SettingsError, match=variable):
        serve_page(Settings(data_dir=tmp_path), "http://127.0.0.1:1")


def test_nor_by_a_flag() -> None:
    """As `streamlit run` passes them on, which does without `ui.serve`."""
    script = (
        "from streamlit.web import bootstrap\n"
        "bootstrap.load_config_options({'server_enableAgentApi': True})\n"
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('ui/app.py', default_timeout=60)\n"
        "app.secrets['api'] = 'http://127.0.0.1:1'\n"
        "app.run()\n"
        "print([one.value for one in app.error], len(app.text_input))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "server.enableAgentApi" in done.stdout
    assert done.stdout.endswith(" 0\n")


def test_a_file_that_comes_later_changes_nothing() -> None:
    """Streamlit reads its files anew while it runs; what is said at the start counts more."""
    assert OPTIONS["server.enableAgentApi"] is False
    assert OPTIONS["server.trustedUserHeaders"] == "{}"


def test_check_asks_on_the_page(world: World) -> None:
    done = ui("check", "--api", world.url, "--login", "ana", "--question", INVOICES, said=PASSWORD)
    assert done.returncode == 0, done.stderr
    assert "Invoices are kept for ten years in the archive of the head office. [1]" in done.stdout


@pytest.mark.parametrize(
    ("password", "question", "reason"),
    [
        ("wrong", INVOICES, "sign-in was refused"),
        (PASSWORD, REACTOR, "no answer with a citation"),
    ],
)
def test_check_fails_without_a_cited_answer(
    world: World, password: str, question: str, reason: str
) -> None:
    done = ui(
        "check", "--api", world.url, "--login", "bruno", "--question", question, said=password
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert reason in done.stderr


def ui(*arguments: str, said: str = "", folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui", *arguments],
        cwd=folder,
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
