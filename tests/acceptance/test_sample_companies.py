"""The main job, end to end, on the sample companies and through real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from tests.acceptance.conftest import assistant

GOLDEN = Path(__file__).resolve().parents[2] / "examples" / "golden"


def test_golden_questions_are_answered_from_the_right_passage(demo_data: Path) -> None:
    done = assistant("eval", "run", str(GOLDEN), "--data", str(demo_data), "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert figures["n_questions"] == 60
    assert figures["leaks"] == 0
    assert figures["citation_valid"] == 1.0
    assert figures["cited_first"] >= 0.8, done.stderr
    assert figures["cited"] >= 0.9, done.stderr
    assert figures["abstained_unanswerable"] >= 0.8, done.stderr
    assert figures["false_abstention"] <= 0.1, done.stderr


def test_ask_prints_one_json_document(demo_data: Path) -> None:
    question = "What was the CET1 ratio at the end of 2025?"
    done = assistant("ask", question, "--as", "ana", "--data", str(demo_data), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "12.9%" in answer["answer"]
    assert not answer["abstained"]
    first = answer["citations"][0]
    assert first["document"] == "reports/annual-report-2025.pdf"
    assert (first["n"], first["version"], first["verdict"]) == (1, 1, "verified")
    assert first["page"] > 0
    assert "12.9%" in first["quote"]
    receipt = assistant("audit", "receipt", answer["receipt"], "--data", str(demo_data))
    assert json.loads(receipt.stdout)["event"]["type"] == "query.finished"
    assert assistant("audit", "verify", "--data", str(demo_data)).returncode == 0


def test_a_colleague_without_the_right_is_told_nothing(demo_data: Path) -> None:
    question = "Qual é o limite de exposição com o Banco Horizonte?"
    done = assistant("ask", question, "--as", "bruno", "--data", str(demo_data), "--json")
    answer = json.loads(done.stdout)
    assert answer["abstained"]
    assert not [c for c in answer["closest"] if "treasury" in c["uri"]]


def test_read_prints_what_a_reader_understood(demo_data: Path) -> None:
    file = demo_data / "companies/banco-aurora/reports/annual-report-2025.pdf"
    done = assistant("read", str(file), "--json")
    body = json.loads(done.stdout)
    assert set(body) == {"media_type", "title", "lang", "blocks", "records", "warnings"}
    assert body["media_type"] == "application/pdf"
    assert body["lang"] == "en"
    assert set(body["blocks"][0]) == {"kind", "text", "page", "boxes", "heading", "cells"}


def test_demo_check_asks_every_company(demo_data: Path) -> None:
    done = assistant("demo", "--check", "--data", str(demo_data))
    assert done.returncode == 0, done.stdout + done.stderr
    for company in ("Banco Aurora", "Hospital Santa Clara", "Casa Verde", "Metalnorte"):
        assert company in done.stdout
    assert done.stdout.count("API:  ") == done.stdout.count("Page: ") == 4


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_behind_when_the_demo_is_stopped(
    demo_data: Path, signal_number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "assistant.cli.main", "demo", "--data", str(demo_data)]
    demo = subprocess.Popen(
        [*command, "--port", "0", "--ui-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    patience = threading.Timer(200, demo.kill)
    patience.start()
    assert demo.stdout is not None
    for line in demo.stdout:
        said.append(line)
        if "Ctrl-C stops everything" in line:
            break
    assert demo.poll() is None, "".join(said)
    if signal_number == signal.SIGINT:
        os.killpg(demo.pid, signal_number)
    else:
        os.kill(demo.pid, signal_number)
    rest, _ = demo.communicate()
    patience.cancel()
    assert demo.returncode == 0, "".join(said) + rest
    assert running_on(demo_data) == []


def running_on(folder: Path) -> list[str]:
    """Name the live processes that work in a data folder."""
    found = []
    for process in psutil.process_iter(["pid", "status", "cmdline", "cwd"]):
        words = [*(process.info["cmdline"] or ()), process.info["cwd"] or ""]
        live = process.info["status"] != psutil.STATUS_ZOMBIE and process.pid != os.getpid()
        if live and any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found
