"""A real Samba server on a free loopback port: one share with NT permissions."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from smbprotocol.connection import Connection
from smbprotocol.file_info import InfoType
from smbprotocol.open import (
    CreateDisposition,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    SMB2SetInfoRequest,
)
from smbprotocol.security_descriptor import (
    AccessAllowedAce,
    AccessDeniedAce,
    AclPacket,
    SDControl,
    SIDPacket,
    SMB2CreateSDBuffer,
)
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from tests.support import daemon

PASSWORD = "pässword-of-the-account"
ACCOUNT, STRANGER = "root", "games"
"""The account that reads everything, and one that may not."""
ANA, BOB, HR = 70_001, 70_002, 70_009
"""Numbers of users and of a group that only exist in permissions."""

_CONF = """
[global]
 workgroup = WG
 server role = standalone server
 smb ports = {port}
 interfaces = lo
 bind interfaces only = yes
 disable netbios = yes
 server signing = mandatory
 lock directory = {base}/lock
 state directory = {base}/state
 cache directory = {base}/cache
 pid directory = {base}/pid
 private dir = {base}/private
 ncalrpc dir = {base}/run
 log file = {base}/smbd.log
 passdb backend = tdbsam:{base}/private/passdb.tdb
 load printers = no
 printcap name = /dev/null
 disable spoolss = yes
 follow symlinks = yes
 wide links = no
 {extra}
[data]
 path = {base}/data
 read only = no
 vfs objects = acl_xattr xattr_tdb
 xattr_tdb:file = {base}/state/xattr.tdb
 acl_xattr:ignore system acls = no
"""


@dataclass(frozen=True, slots=True)
class Samba:
    """A running server with the share `data`, whose files lie in `root`."""

    host: str
    port: int
    root: Path


@contextmanager
def running(extra: str = "") -> Iterator[Samba]:
    """Run a server in a temporary folder until the block ends; `extra` is one global setting."""
    if os.geteuid() != 0:
        raise RuntimeError("The tests of the connector smb give files away: they need root.")
    # A short path: the sockets in it may have at most 108 characters.
    base = Path(tempfile.mkdtemp(prefix="samba-", dir="/tmp"))
    base.chmod(0o755)
    port = daemon.free_port()
    for name in ("lock", "state", "cache", "pid", "private", "run", "data"):
        (base / name).mkdir()
    conf = base / "smb.conf"
    conf.write_text(_CONF.format(base=base, port=port, extra=extra), encoding="utf-8")
    for user in (ACCOUNT, STRANGER):
        subprocess.run(
            ["smbpasswd", "-c", str(conf), "-s", "-a", user],
            input=f"{PASSWORD}\n{PASSWORD}\n".encode(),
            check=True,
            capture_output=True,
        )
    command = ["/usr/sbin/smbd", "-s", str(conf), "--foreground"]
    try:
        with daemon.running(command, port, base / "out"):
            yield Samba("127.0.0.1", port, base / "data")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def set_acl(server: Samba, path: str, entries: list[tuple[str, str, int]]) -> None:
    """Replace an access list; entries are kind (`allow`, `deny`), SID and mask."""
    connection = Connection(uuid4(), server.host, server.port)
    connection.connect(timeout=20)
    try:
        session = Session(connection, ACCOUNT, PASSWORD)
        session.connect()
        tree = TreeConnect(session, rf"\\{server.host}\data")
        tree.connect()
        file = Open(tree, path.replace("/", "\\"))
        rights = FilePipePrinterAccessMask.WRITE_DAC | FilePipePrinterAccessMask.READ_CONTROL
        file.create(ImpersonationLevel.Impersonation, rights, 0, 7, CreateDisposition.FILE_OPEN, 0)
        request = SMB2SetInfoRequest()
        request["info_type"] = InfoType.SMB2_0_INFO_SECURITY
        request["additional_information"] = 0x4
        request["file_id"] = file.file_id
        request["buffer"] = described(entries)
        sent = connection.send(request, session.session_id, tree.tree_connect_id)
        connection.receive(sent)
        file.close()
    finally:
        connection.disconnect()


def described(entries: list[tuple[str, str, int]]) -> bytes:
    """Return a security descriptor with an access list, as the library writes it."""
    acl = AclPacket()
    aces = []
    for kind, sid, mask in entries:
        ace = AccessAllowedAce() if kind == "allow" else AccessDeniedAce()
        named = SIDPacket()
        named.from_string(sid)
        ace["mask"], ace["sid"] = mask, named
        aces.append(ace)
    acl["aces"] = aces
    found = SMB2CreateSDBuffer()
    found["control"].set_flag(SDControl.SELF_RELATIVE)
    found.set_dacl(acl)
    return bytes(found.pack())


def give(path: Path, uid: int, gid: int, mode: int) -> None:
    """Give a file or folder an owner, a group and rights."""
    os.chown(path, uid, gid)
    path.chmod(mode)
