"""Real WebDAV servers: Apache's mod_dav, Radicale (RFC 6578), and wsgidav behind a Nextcloud.

What Nextcloud adds to WebDAV (the OCS Share and provisioning interfaces) is a replay: answers in
the documented form, made from what a test shares.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cheroot import wsgi
from wsgidav.wsgidav_app import WsgiDAVApp  # type: ignore[import-untyped]

from tests.support.daemon import free_port, running

USER, PASSWORD = "ana", "correct horse"
APACHE = Path("/usr/sbin/apache2")
MODULES = Path("/usr/lib/apache2/modules")

_APACHE = """
ServerRoot {work}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {work}/pid
ErrorLog {work}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authn_file_module {modules}/mod_authn_file.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_basic_module {modules}/mod_auth_basic.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule dav_module {modules}/mod_dav.so
LoadModule dav_fs_module {modules}/mod_dav_fs.so
Mutex pthread
DavLockDB {work}/lock/db
Alias /dav {work}/dav
{user}
<Directory {work}/dav>
 Dav On
 AuthType Basic
 AuthName docs
 AuthUserFile {work}/users
 Require valid-user
</Directory>
<Directory {work}/dav/forbidden>
 Require user nobody
</Directory>
"""


@dataclass(frozen=True, slots=True)
class DavServer:
    """A running server and the folder that it serves."""

    url: str
    root: Path


@contextmanager
def work_folder() -> Iterator[Path]:
    """A temporary folder into which another account may look."""
    folder = Path(tempfile.mkdtemp(prefix="dav-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def apache() -> Iterator[DavServer]:
    """Run Apache with mod_dav; `forbidden` may not be listed by anybody."""
    with work_folder() as work:
        (work / "dav").mkdir()
        (work / "lock").mkdir()
        digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        (work / "users").write_text(f"{USER}:{{SHA}}{digest}\n")
        is_root = os.geteuid() == 0
        if is_root:
            shutil.chown(work / "lock", "www-data", "www-data")
        port = free_port()
        config = _APACHE.format(
            work=work,
            port=port,
            modules=MODULES,
            user="User www-data\nGroup www-data" if is_root else "",
        )
        (work / "apache.conf").write_text(config)
        command = [str(APACHE), "-f", str(work / "apache.conf"), "-DFOREGROUND"]
        with running(command, port, work / "apache.log"):
            yield DavServer(f"http://127.0.0.1:{port}/dav", work / "dav")


@contextmanager
def radicale() -> Iterator[str]:
    """Run Radicale with an empty address book and yield its address."""
    with work_folder() as work:
        port = free_port()
        (work / "users").write_text(f"{USER}:{PASSWORD}\n")
        (work / "radicale.conf").write_text(
            f"[server]\nhosts = 127.0.0.1:{port}\n"
            f"[auth]\ntype = htpasswd\nhtpasswd_filename = {work}/users\n"
            "htpasswd_encryption = plain\ndelay = 0\n"
            f"[storage]\nfilesystem_folder = {work}/collections\n"
        )
        command = ["/usr/bin/radicale", "--config", str(work / "radicale.conf")]
        with running(command, port, work / "radicale.log"):
            url = f"http://127.0.0.1:{port}/{USER}/people"
            httpx.request("MKCOL", url, auth=(USER, PASSWORD), content=_ADDRESS_BOOK)
            yield url


_ADDRESS_BOOK = (
    b'<?xml version="1.0"?><d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">'
    b"<d:set><d:prop><d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>"
    b"<d:displayname>People</d:displayname></d:prop></d:set></d:mkcol>"
)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True)
class Cloud:
    """The replayed part of a Nextcloud; `shares` are the documented elements of an answer."""

    dav: Application
    url: str = ""
    root: Path = field(default_factory=Path)
    shares: list[dict[str, Any]] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)
    forbids_groups: bool = False

    def share(self, path: str, kind: int, who: str | None, **more: Any) -> None:
        """Share a path with a user (kind 0), a group (1) or by a public link (3)."""
        share = {"id": str(len(self.shares)), "share_type": kind, "share_with": who, "path": path}
        owner = {"uid_owner": USER, "uid_file_owner": USER, "item_type": "folder"}
        rest = {"permissions": 17, "expiration": None, "stime": 1700000000, **more}
        self.shares.append({**share, **owner, **rest})

    def __call__(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer what is Nextcloud's own, and hand the rest on to wsgidav."""
        path = str(request["PATH_INFO"])
        if not path.startswith("/ocs/v2.php"):
            return self.dav(request, start)
        assert request["HTTP_OCS_APIREQUEST"] == "true"
        assert "format=json" in request["QUERY_STRING"]
        status, data = self._answer(path.removeprefix("/ocs/v2.php"), request["QUERY_STRING"])
        meta = {"status": "ok" if status == 200 else "failure", "statuscode": status}
        body = json.dumps({"ocs": {"meta": meta, "data": data}}).encode()
        start(f"{status} OK", [("Content-Type", "application/json; charset=utf-8")])
        return [body]

    def _answer(self, path: str, query: str) -> tuple[int, Any]:
        if path == "/apps/files_sharing/api/v1/shares":
            assert "reshares=true" in query
            return 200, self.shares
        if self.forbids_groups:
            return 403, []
        name = path.removeprefix("/cloud/groups/")
        return (200, {"users": self.members[name]}) if name in self.members else (404, [])


@contextmanager
def nextcloud() -> Iterator[Cloud]:
    """Run wsgidav where Nextcloud has an account's files, with the replayed interfaces."""
    with work_folder() as work:
        users = {USER: {"password": PASSWORD}}
        dav = WsgiDAVApp(
            {
                "provider_mapping": {f"/remote.php/dav/files/{USER}": str(work)},
                "simple_dc": {"user_mapping": {"*": users}},
                "http_authenticator": {"accept_digest": False, "default_to_digest": False},
                "verbose": 0,
                "logging": {"enable": False},
            }
        )
        cloud = Cloud(dav)
        server = wsgi.Server(("127.0.0.1", 0), cloud)
        server.prepare()
        thread = threading.Thread(target=server.serve)
        thread.start()
        cloud.url = f"http://127.0.0.1:{server.bind_addr[1]}/remote.php/dav/files/{USER}"
        cloud.root = work
        try:
            yield cloud
        finally:
            server.stop()
            thread.join()
