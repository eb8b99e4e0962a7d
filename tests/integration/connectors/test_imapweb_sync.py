"""From a real mail server and a real web server into the catalog: content, access, deletions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa

from assistant.audit.log import AuditLog
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.settings import SyncSettings
from assistant.store import sources
from assistant.store.database import Database
from connectors.contract import Connector
from connectors.imap import Imap, ImapConfig
from connectors.web import Web, WebConfig
from tests.support import dovecot, website
from tests.support.hashing import HashingEmbedder
from tests.support.website import Website

STATE = sa.text(
    "SELECT d.external_id, a.allow FROM documents d JOIN acls a ON a.id = d.access_id "
    "WHERE d.state = 'live'"
)


def run(database: Database, folder: Path, connector: Connector) -> Report:
    with database.begin() as conn:
        source = sources.source_named(conn, "it")
    job = SyncRun(
        source,
        connector,
        database=database,
        embedder=HashingEmbedder(),
        audit=AuditLog(database, folder),
        settings=SyncSettings(),  # type: ignore[call-arg]
        progress=Silent(),
    )
    return asyncio.run(job.run())


def state(database: Database) -> dict[str, list[str]]:
    with database.begin() as conn:
        return {row[0]: sorted(row[1]) for row in conn.execute(STATE)}


def test_a_mailbox(database: Database, tmp_path: Path) -> None:
    with database.begin() as conn:
        sources.put_source(conn, "it", "imap", {})
    with dovecot.running() as server:
        box = server.login("ana")
        for n in range(3):
            box.append("INBOX", f"Subject: Notice {n}\r\n\r\nPeriod {n} days.\r\n".encode())

        def mail() -> Imap:
            given = {"host": server.host, "port": server.port, "security": "none"}
            given |= {"username": "ana", "password": dovecot.PASSWORD}
            return Imap(ImapConfig.model_validate(given))

        assert run(database, tmp_path, mail()).counts.added == 3
        assert state(database)["INBOX/;UID=1"] == ["user:local|ana"]
        box.setacl("INBOX", "$hr", "lr")
        report = run(database, tmp_path, mail())
        assert (report.counts.access_changed, report.counts.changed) == (3, 0)
        assert state(database)["INBOX/;UID=1"] == ["group:it:hr", "user:local|ana"]
        box.select_folder("INBOX")
        box.delete_messages([2])
        box.expunge([2])
        box.logout()
        run(database, tmp_path, mail())
    assert sorted(state(database)) == ["INBOX/;UID=1", "INBOX/;UID=3"]


def test_a_site(database: Database, tmp_path: Path) -> None:
    with database.begin() as conn:
        sources.put_source(conn, "it", "web", {})
    with website.serving(Website()) as site:
        site.pages = {f"/{n}.html": f"<p>Page {n} says so.</p>".encode() for n in range(3)}
        site.list_pages()

        def web(reader: str) -> Web:
            given = {"site": site.url, "internal_hosts": ["127.0.0.1"], "pace_s": 0}
            return Web(WebConfig.model_validate({**given, "allow": [reader]}))

        assert run(database, tmp_path, web("everyone")).counts.added == 3
        site.requests.clear()
        report = run(database, tmp_path, web("user:ana"))
        assert report.counts.access_changed == 3
        assert not [path for kind, path in site.requests if kind == "GET" and "html" in path]
        del site.pages["/1.html"]
        run(database, tmp_path, web("user:ana"))
        assert sorted(state(database)) == [f"{site.url}/0.html", f"{site.url}/2.html"]
