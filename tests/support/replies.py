"""A server that answers with what a test wrote down: for faults that a real one won't make."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `hangs` answers nothing until the server stops."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    cut: bool = False
    """Whether the connection ends before the last promised byte."""


@dataclass(slots=True)
class Script:
    """Answers in order, the last one again and again; `asked` is `METHOD path` of each request."""

    url: str
    replies: list[Reply]
    asked: list[str] = field(default_factory=list)

    def next(self) -> Reply:
        """Return the answer that comes now."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def scripted(*replies: Reply) -> Iterator[Script]:
    """Run a server that answers with these."""
    script = Script("", list(replies))
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def __getattr__(self, name: str) -> object:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.asked.append(f"{self.command} {self.path}")
            reply = script.next()
            if reply.hangs:
                over.wait(60)
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + reply.cut))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
            self.close_connection = reply.cut

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield script
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
