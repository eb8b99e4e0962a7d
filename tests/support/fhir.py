"""A real FHIR server (Medplum's router on Node.js) and a replay of what it doesn't have."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".venv" / "servers" / "fhir"
START_S = 90


@dataclass(frozen=True)
class FhirServer:
    """A running server with its base URL."""

    url: str

    def put(self, resource: dict[str, Any]) -> None:
        """Create or replace a resource under its own id."""
        name = f"{resource['resourceType']}/{resource['id']}"
        httpx.put(f"{self.url}/{name}", json=resource, timeout=30).raise_for_status()

    def fill(self, resources: Iterable[dict[str, Any]]) -> None:
        """Create or replace many resources, in batches."""
        waiting = [_written(resource) for resource in resources]
        for start in range(0, len(waiting), 1_000):
            bundle = {"resourceType": "Bundle", "type": "batch"}
            entry = waiting[start : start + 1_000]
            answer = httpx.post(self.url, json={**bundle, "entry": entry}, timeout=60)
            answer.raise_for_status()

    def empty(self) -> None:
        """Forget all resources."""
        httpx.post(f"{self.url}/$empty", timeout=30).raise_for_status()

    def delete(self, name: str) -> None:
        """Delete `TYPE/ID`."""
        httpx.delete(f"{self.url}/{name}", timeout=30).raise_for_status()


def _written(resource: dict[str, Any]) -> dict[str, Any]:
    name = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": name}}


@contextmanager
def fhir_server() -> Iterator[FhirServer]:
    """Start a server without a resource, on a free port."""
    node = shutil.which("node")
    if node is None or not (PACKAGES / "node_modules").is_dir():
        pytest.fail("The FHIR tests need Node.js and Medplum's router; run: make servers")
    script = Path(__file__).with_name("fhir_server.mjs")
    command = [node, str(script), str(PACKAGES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], START_S)
            line = process.stdout.readline().strip() if ready else b""
            if not line.isdigit():
                pytest.fail("The FHIR server didn't start; see what node prints above.")
            yield FhirServer(f"http://127.0.0.1:{int(line)}/fhir")
        finally:
            process.kill()


Answer = tuple[int, dict[str, str], str]


@dataclass
class Replay:
    """Answers by path, and what was asked: (method, path with query, headers, body)."""

    url: str = ""
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)

    def say(self, path: str, status: int, body: Any = "", **headers: str) -> None:
        """Answer a path, without its query; underscores in header names become hyphens."""
        text = body if isinstance(body, str) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = lambda: (status, named, text)


@contextmanager
def replay() -> Iterator[Replay]:
    """Start a server that answers what it is told, 404 for the rest."""
    told = Replay()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            told.asked.append((self.command, self.path, dict(self.headers), body))
            answer = told.answers.get(self.path.partition("?")[0])
            status, headers, text = answer() if answer else (404, {}, "")
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
