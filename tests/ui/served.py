"""The page's process, as production runs it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def page_served(api: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the page on a free port until it answers; yields the process and its address."""
    port = str(free_port())
    child = subprocess.Popen(
        [sys.executable, "-m", "ui", "serve", "--api", api, "--port", port],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait(lambda: answers(f"{url}/_stcore/health"))
        yield child, url
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Say whether a server answers."""
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.HTTPError:
        return False


def wait(happened: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that has to happen."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)
