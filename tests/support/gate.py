"""A gate before a real HTTP server, which turns some requests away as a busy one does."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Gate:
    """Passes requests on as they are, to `beyond`; its own address is `url`, with the same path."""

    def __init__(self, beyond: str) -> None:
        self.beyond = beyond
        self.url = ""
        self.n_passed = 0
        self.n_refused = 0
        self._left = 0
        self._refuse = 0
        self._lock = threading.Lock()

    def turn_away(self, n: int, *, after: int) -> None:
        """Let `after` more requests pass, then refuse `n` with 429 and `Retry-After: 0`."""
        with self._lock:
            self._left, self._refuse = after, n

    def refuses(self) -> bool:
        """Count a request; whether it is turned away."""
        with self._lock:
            if self._left or not self._refuse:
                self._left = max(0, self._left - 1)
                self.n_passed += 1
                return False
            self._refuse -= 1
            self.n_refused += 1
            return True


@contextmanager
def gate(beyond: str) -> Iterator[Gate]:
    """Stand before a server until the block ends."""
    place = urlsplit(beyond)
    found = Gate(beyond)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if found.refuses():
                self._answer(429, {"Retry-After": "0"}, b"")
                return
            server = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
            kept = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
            server.request(self.command, self.path, body, {**kept, "Connection": "close"})
            answer = server.getresponse()
            dropped = ("transfer-encoding", "content-length", "connection")
            named = {k: v for k, v in answer.getheaders() if k.lower() not in dropped}
            self._answer(answer.status, named, answer.read())
            server.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815
        do_PROPFIND = do_REPORT = do_OPTIONS = _pass  # noqa: N815

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found.url = place._replace(netloc=f"127.0.0.1:{server.server_port}").geturl()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
