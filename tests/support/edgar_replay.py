"""A replay of EDGAR's documented interface on loopback; nothing here was asked of the SEC."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Replay:
    """Answers by path; `status` and `headers`, if set, answer everything.

    `busy` says how many more requests of a path are turned away.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.busy: dict[str, int] = {}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b""
        self.url = ""

    def company(self, cik: int, recent: dict[str, list[Any]], **older: dict[str, Any]) -> None:
        names = [{"name": f"CIK{cik:010d}-submissions-{key}.json"} for key in older]
        head = {"name": "Ünïted Pumps", "filings": {"recent": recent, "files": names}}
        self.files[f"/submissions/CIK{cik:010d}.json"] = json.dumps(head).encode()
        for name, table in zip(names, older.values(), strict=True):
            self.files[f"/submissions/{name['name']}"] = json.dumps(table).encode()


def table(*rows: tuple[str, str, str, str]) -> dict[str, list[Any]]:
    """Filings as columns, from rows of number, form, date and document."""
    keys = ("accessionNumber", "form", "filingDate", "primaryDocument")
    found: dict[str, list[Any]] = {key: [row[n] for row in rows] for n, key in enumerate(keys)}
    return {**found, "isXBRL": [1] * len(rows)}


@contextmanager
def serving() -> Iterator[Replay]:
    """Serve on a free port until left."""
    replay = Replay()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            replay.asked.append(self.path)
            named = "@" in self.headers.get("User-Agent", "")
            body = replay.body if replay.status != 200 else replay.files.get(self.path)
            status = replay.status if body is not None else 404
            headers = replay.headers
            if replay.busy.get(self.path, 0):
                replay.busy[self.path] -= 1
                status, headers = 429, {"Retry-After": "0"}
            self.send_response(status if named else 403)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        replay.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield replay
        server.shutdown()
        thread.join()
