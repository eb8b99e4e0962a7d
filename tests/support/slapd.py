"""A real OpenLDAP server on free loopback ports: people, nested groups, TLS."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap3

from tests.support import daemon, dovecot

BASE = "dc=example,dc=com"
ADMIN, PASSWORD = f"cn=admin,{BASE}", "pässword-of-admin"

_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {base}/windows.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {base}/pid
TLSCertificateFile {base}/cert.pem
TLSCertificateKeyFile {base}/key.pem
sizelimit size.soft=200 size.hard=200 size.prtotal=unlimited
database mdb
suffix {suffix}
rootdn {admin}
rootpw {password}
directory {base}/db
limits * size=200 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth
access to * by users read
"""
# What Active Directory keeps with its people and groups, for OpenLDAP.
_WINDOWS = """
attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.1 NAME 'windowsEntry' SUP top AUXILIARY
  MAY ( objectSid $ userAccountControl $ primaryGroupID $ accountExpires ) )
"""


@dataclass(frozen=True, slots=True)
class Slapd:
    """A running server; `ca_file` is its certificate's authority, for `localhost`."""

    host: str
    port: int
    tls_port: int
    ca_file: Path

    def connect(self) -> Any:
        """Return a connection that may write."""
        server = ldap3.Server(self.host, self.port, get_info=ldap3.NONE)
        return ldap3.Connection(
            server, ADMIN, PASSWORD, auto_bind=True, raise_exceptions=True, check_names=False
        )


@contextmanager
def running() -> Iterator[Slapd]:
    """Run a server with an empty tree until the block ends."""
    base = Path(tempfile.mkdtemp(prefix="slapd-", dir="/tmp"))
    (base / "db").mkdir()
    (base / "windows.schema").write_text(_WINDOWS)
    dovecot.certify(base)
    conf = base / "slapd.conf"
    filled = _CONF.format(base=base, suffix=BASE, admin=ADMIN, password=PASSWORD)
    conf.write_text(filled, encoding="utf-8")
    tree = (
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n"
    )
    subprocess.run(
        ["/usr/sbin/slapadd", "-f", str(conf)], input=tree.encode(), check=True, capture_output=True
    )
    port, tls_port = daemon.free_port(), daemon.free_port()
    urls = f"ldap://127.0.0.1:{port}/ ldaps://127.0.0.1:{tls_port}/"
    command = ["/usr/sbin/slapd", "-d", "0", "-f", str(conf), "-h", urls]
    try:
        with daemon.running(command, tls_port, base / "out"):
            yield Slapd("127.0.0.1", port, tls_port, base / "cert.pem")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def sid(text: str) -> bytes:
    """Return the binary form of a security identifier."""
    _, revision, authority, *parts = text.split("-")
    head = bytes([int(revision), len(parts)]) + int(authority).to_bytes(6, "big")
    return head + b"".join(int(part).to_bytes(4, "little") for part in parts)
