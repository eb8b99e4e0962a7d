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
def page_served(
    api: str, port: int = 0, sign_in: str = ""
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the page, by default on a free port, until it answers; yields process and address.

    `sign_in` says as JSON where people sign in.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "ui", "serve", "--api", api, "--port", str(port)]
    child = subprocess.Popen(
        [*command, "--sign-in"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdin is not None
    with child.stdin as said:
        said.write(sign_in)
    child.stdin = None
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
