"""A small server that speaks /v1/embeddings over real HTTP, with the faults of real ones."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from tests.support.hashing import HashingEmbedder


@dataclass
class EmbeddingServer:
    """Serves `models`; `replies` are statuses and bodies to send before the right ones.

    A status of 0 hangs up without a word. While `trickles`, bodies come byte by byte.
    """

    url: str = ""
    models: list[str] = field(default_factory=lambda: ["tiny"])
    replies: list[tuple[int, Any]] = field(default_factory=list)
    speaks_base64: bool = True
    knows_truncation: bool = True
    trickles: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if self.replies:
            return self.replies.pop(0)
        if path == "/v1/models":
            return 200, {"data": [{"id": name} for name in self.models]}
        if path != "/v1/embeddings" or body["model"] not in self.models:
            return 404, {"error": {"message": "not found"}}
        if not self.knows_truncation and "truncate_prompt_tokens" in body:
            return 400, {"error": {"message": "Unrecognized argument: truncate_prompt_tokens"}}
        self.requests.append(body)
        vectors = 3 * HashingEmbedder().embed_documents(body["input"])
        items = [{"index": i, "embedding": self.spoken(vector)} for i, vector in enumerate(vectors)]
        return 200, {"data": items[::-1]}

    def spoken(self, vector: Any) -> Any:
        if self.speaks_base64:
            return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
        return vector.tolist()


@contextmanager
def serving(server: EmbeddingServer) -> Iterator[EmbeddingServer]:
    """Run the server on a free loopback port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply({})

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, body: dict[str, Any]) -> None:
            server.keys.append(self.headers.get("Authorization"))
            status, found = server.answer(self.path, body)
            self.close_connection = status == 0
            if status == 0:
                return
            raw = found.encode() if isinstance(found, str) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):
                for piece in trickled(raw) if server.trickles else [raw]:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{running.server_address[1]}/v1"
    try:
        yield server
    finally:
        running.shutdown()
        running.server_close()
        thread.join(timeout=10)


def trickled(raw: bytes) -> Iterator[bytes]:
    """Yield the bytes one by one, so slowly that a timeout for each would never be reached."""
    for n in range(len(raw)):
        time.sleep(0.05)
        yield raw[n : n + 1]
