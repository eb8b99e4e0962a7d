"""A real Dovecot on free loopback ports: mailboxes of a few people, rights, TLS, tombstones."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imapclient import IMAPClient

START_S = 20.0
PASSWORD = "pässword-of-ana"
TOKEN = "token-of-ana"

_CONF = """
base_dir = {base}/run
state_dir = {base}/run
log_path = {base}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{base}/cert.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
mail_location = maildir:{base}/mail/%u:UTF-8
first_valid_uid = 0
mail_plugins = acl
mail_max_userip_connections = {max_connections}
protocol imap {{
  mail_plugins = acl imap_acl
}}
plugin {{
  acl = vfile
}}
namespace own {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {base}/passwd
}}
passdb {{
  driver = passwd-file
  mechanisms = xoauth2
  args = {base}/tokens
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running server; every login has the same password and token."""

    host: str
    port: int
    tls_port: int
    base: Path

    @property
    def ca_file(self) -> Path:
        """The certificate, which is its own authority."""
        return self.base / "cert.pem"

    def login(self, user: str) -> Any:
        """Return a logged-in client without TLS, to change a mailbox with."""
        client = IMAPClient(self.host, port=self.port, ssl=False, timeout=30)
        client.plain_login(user, PASSWORD)
        return client


@contextmanager
def running(*, capability: str = "", max_connections: int = 50) -> Iterator[Dovecot]:
    """Run a server in a temporary folder until the block ends.

    `capability` replaces what the server says it can do; the users are `ana` and `u0` to `u99`.
    """
    # A short path: the sockets in it may have at most 108 characters.
    base = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))
    port, tls_port = _free_ports(2)
    root = os.geteuid() == 0
    me = os.getlogin() if not root and _has_terminal() else str(os.geteuid())
    uid, gid = ("mail", "mail") if root else (str(os.geteuid()), str(os.getegid()))
    conf = _CONF.format(
        base=base,
        port=port,
        tls_port=tls_port,
        uid=uid,
        gid=gid,
        max_connections=max_connections,
        login_user="dovenull" if root else me,
        internal_user="dovecot" if root else me,
        internal_group="dovecot" if root else gid,
    )
    if capability:
        conf = conf.replace(
            "protocol imap {", f"protocol imap {{\n  imap_capability = {capability}"
        )
    (base / "conf").write_text(conf, encoding="utf-8")
    users = ["ana", *(f"u{n}" for n in range(100))]
    for name, secret in (("passwd", PASSWORD), ("tokens", TOKEN)):
        text = "".join(f"{user}:{{PLAIN}}{secret}\n" for user in users)
        (base / name).write_text(text, encoding="utf-8")
    certify(base)
    for folder in ("run", "mail"):
        (base / folder).mkdir()
    if root:
        shutil.chown(base / "mail", "mail", "mail")
        base.chmod(0o755)
    server = subprocess.Popen(
        ["/usr/sbin/dovecot", "-F", "-c", str(base / "conf")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(server, port, base)
        yield Dovecot("127.0.0.1", port, tls_port, base)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)
        shutil.rmtree(base, ignore_errors=True)


def _has_terminal() -> bool:
    try:
        os.getlogin()
    except OSError:
        return False
    return True


def _free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait(server: subprocess.Popen[bytes], port: int, base: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as one:
                if one.recv(4) == b"* OK":
                    return
        except OSError:
            time.sleep(0.05)
    log = base / "log"
    said = log.read_text(errors="replace") if log.exists() else "nothing"
    raise RuntimeError(f"Dovecot did not start; it said: {said}")


def certify(base: Path) -> None:
    """Write `cert.pem` for localhost, its own authority, and `key.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (base / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (base / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
