"""A replay of what Microsoft documents of Graph, on loopback; Microsoft was not asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

DRIVE, SITE = "b!drive", "contoso.sharepoint.com,1,2"
SECRET, TOKEN = "secret-of-the-application", "token-of-the-application"
PAGE = 2


@dataclass
class Replay:
    """One library whose items, permissions, people and groups a test may change.

    `busy` says how many more requests of a path are turned away.
    """

    url: str = ""
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    permissions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    people: list[dict[str, Any]] = field(default_factory=list)
    members: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    answer: tuple[int, dict[str, str]] | None = None
    busy: dict[str, int] = field(default_factory=dict)
    oldest: int = 0
    page: int = PAGE

    def put(self, name: str, body: str, *grants: dict[str, Any], folder: str = "") -> None:
        """Write a file whose id is its name."""
        self.bodies[name] = body.encode()
        tag = f"c:{{{name}}},{len(self.log)}"
        self.items[name] = {
            "id": name,
            "name": name,
            "cTag": tag,
            "file": {"mimeType": "text/plain"},
            "webUrl": f"https://contoso.sharepoint.com/Shared/{name}",
            "lastModifiedDateTime": "2026-01-02T03:04:05Z",
            "parentReference": {"path": f"/drives/{DRIVE}/root:{folder}"},
        }
        self.share(name, *grants)

    def share(self, name: str, *grants: dict[str, Any]) -> None:
        """Replace who a file is shared with, which is a change of the file."""
        self.permissions[name] = list(grants)
        self.log.append(name)

    def delete(self, name: str) -> None:
        """Delete a file."""
        self.items[name] = {"id": name, "deleted": {"state": "deleted"}, "file": {}}
        self.log.append(name)

    def folder(self, name: str) -> None:
        """Change a folder."""
        self.items[name] = {"id": name, "name": name, "folder": {"childCount": 1}}
        self.log.append(name)

    def ask(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """Return status and JSON of a path below v1.0."""
        parts = path.strip("/").split("/")
        if parts[0] == "users":
            return 200, self._page(self.people, path, query)
        if parts[0] == "groups" and len(parts) == 1:
            asked = query.get("$select", ["id"])[0].split(",")
            rows = [{"id": one, "displayName": self.titles.get(one)} for one in self.members]
            shown = [{name: row[name] for name in asked} for row in rows]
            return 200, self._page(shown, path, query)
        if parts[0] == "groups":
            return 200, self._page(self.members[parts[1]], path, query)
        if path.startswith("/sites/contoso.sharepoint.com:/sites/hr"):
            return 200, {"id": SITE}
        if path == f"/sites/{SITE}/drives":
            return 200, {"value": [{"id": DRIVE}]}
        if parts[:2] != ["drives", DRIVE]:
            return 404, {"error": {"code": "itemNotFound"}}
        if parts[2:] == ["root", "delta"]:
            return self._delta(query)
        item = self.items.get(parts[3], {"deleted": {}})
        if "deleted" in item:
            return 404, {"error": {"code": "itemNotFound"}}
        if parts[4:] == ["permissions"]:
            return 200, {"value": self.permissions[parts[3]]}
        return 200, {
            **item,
            "@microsoft.graph.downloadUrl": f"{self.url}/download/{quote(parts[3])}",
        }

    def _delta(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        since, at = (int(one) for one in query.get("token", ["0.0"])[0].split("."))
        if query and not at and since < self.oldest:
            return 410, {"error": {"code": "resyncChangesApplyDifferences"}}
        changed = list(dict.fromkeys(self.log[since:]))
        found = [self.items[one] for one in changed]
        if not query:
            found = [one for one in found if "deleted" not in one]
        link = f"{self.url}/v1.0/drives/{DRIVE}/root/delta?token="
        page = {"value": found[at : at + self.page]}
        if at + self.page < len(found):
            return 200, {**page, "@odata.nextLink": f"{link}{since}.{at + self.page}"}
        return 200, {**page, "@odata.deltaLink": f"{link}{len(self.log)}.0"}

    def _page(self, rows: list[Any], path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        at = int(query.get("$skiptoken", ["0"])[0])
        page: dict[str, Any] = {"value": rows[at : at + PAGE]}
        if at + PAGE < len(rows):
            kept = f"$select={query['$select'][0]}&" if "$select" in query else ""
            page["@odata.nextLink"] = f"{self.url}/v1.0{path}?{kept}$skiptoken={at + PAGE}"
        return page


def user(name: str, enabled: bool = True) -> dict[str, Any]:
    """A person of the directory; the id is `id-NAME`."""
    upn = f"{name}@contoso.com"
    return {
        "@odata.type": "#microsoft.graph.user",
        "id": f"id-{name}",
        "userPrincipalName": upn,
        "mail": upn,
        "accountEnabled": enabled,
    }


def granted(*roles: str, **who: dict[str, str]) -> dict[str, Any]:
    """A permission for a user, group or siteGroup."""
    return {"id": "1", "roles": list(roles), "grantedToV2": who}


@contextmanager
def serving() -> Iterator[Replay]:
    """Serve on a free port until left."""
    replay = Replay()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = parse_qs(body)
            replay.forms.append(form)
            good = form.get("client_secret") == [SECRET] or "client_assertion" in form
            token = {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
            self._send(200 if good else 401, json.dumps(token if good else {}).encode())

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = unquote(parts.path)
            replay.asked.append(path)
            if path.startswith("/download/"):
                has_token = "Authorization" in self.headers
                self._send(400 if has_token else 200, replay.bodies[path.rpartition("/")[2]])
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._send(401, b"{}")
            elif replay.busy.get(path, 0):
                replay.busy[path] -= 1
                self._send(429, b"{}", {"Retry-After": "0"})
            elif replay.answer is not None:
                self._send(replay.answer[0], b"{}", replay.answer[1])
            else:
                asked = parse_qs(parts.query).items()
                query = {k: v for k, v in asked if "token" in k or k == "$select"}
                status, found = replay.ask(path.removeprefix("/v1.0"), query)
                self._send(status, json.dumps(found).encode())

        def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        replay.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield replay
        server.shutdown()
        thread.join()
