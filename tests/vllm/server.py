"""A real vLLM server on a free loopback port, for as long as a block lasts."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

MODEL_NAME = "smollm2"
_START_S = 600
_STOP_S = 30


@dataclass(frozen=True)
class VllmServer:
    """Where the server listens: `url` ends in `/v1`."""

    url: str

    def n_running(self) -> int:
        """Return how many requests hold a slot or wait for one, from the server's metrics."""
        text = httpx.get(self.url.removesuffix("/v1") + "/metrics", trust_env=False).text
        found = re.findall(r"^vllm:num_requests_(?:running|waiting)\{.*\} ([\d.]+)$", text, re.M)
        if not found:
            raise AssertionError("the server's metrics no longer count requests by these names")
        return int(sum(map(float, found)))


@contextmanager
def vllm_server(python: Path, model: Path, log: Path) -> Iterator[VllmServer]:
    """Start the server in a process group of its own and stop that group at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(model),
        "--served-model-name", MODEL_NAME, "--host", "127.0.0.1", "--port", str(port),
        "--dtype", "bfloat16", "--max-model-len", "4096", "--max-num-seqs", "4",
    ]  # fmt: skip
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=environment, start_new_session=True,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(process, url, log)
            yield VllmServer(f"{url}/v1")
        finally:
            _stop(process)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(1)
    raise RuntimeError("vLLM did not start:\n" + log.read_text(errors="replace")[-3000:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
            process.wait(_STOP_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
