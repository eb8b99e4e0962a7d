"""A real web server on loopback whose pages, delays and faults a test may change."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Website:
    """`pages` are bodies by path; `answers` replace a path by status and headers.

    `busy` says how many more requests of a path are turned away.
    """

    url: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)
    lastmods: dict[str, str] = field(default_factory=dict)
    has_etags: bool = True
    compressed: set[str] = field(default_factory=set)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def list_pages(self) -> None:
        """Write a sitemap of all pages that end with .html."""
        rows = []
        for path in sorted(p for p in self.pages if p.endswith(".html")):
            lastmod = self.lastmods.get(path, "")
            rows.append(f"<url><loc>{self.url}{path}</loc><lastmod>{lastmod}</lastmod></url>")
        self.pages["/sitemap.xml"] = sitemap("urlset", rows)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """Return what answers the requests."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append((self.command, self.path))
                status, headers = site.answers.get(self.path, (200, {}))
                if site.busy.get(self.path, 0):
                    site.busy[self.path] -= 1
                    status, headers = 429, {"Retry-After": "0"}
                body = site.pages.get(self.path, b"")
                if self.path not in site.pages and self.path not in site.answers:
                    status = 404
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if site.has_etags and status == 200:
                    self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:12]}"')
                if self.path in site.compressed:
                    body = gzip.compress(body)
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay quiet."""

        return Handler


def sitemap(root: str, rows: list[str]) -> bytes:
    """Return a sitemap or an index of sitemaps."""
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0"?><{root} xmlns="{space}">{"".join(rows)}</{root}>'.encode()


@contextmanager
def serving(site: Website) -> Iterator[Website]:
    """Run the server on a free loopback port until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), site.handler())
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
