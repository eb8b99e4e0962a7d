"""Git repositories, and the servers that companies keep them on: Apache over TLS, and OpenSSH."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, TOKEN = "reader", "s3cret-tök:en"
DEADLINE_S = 20

_APACHE = """
ServerRoot /usr/lib/apache2
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/httpd.pid
ErrorLog {folder}/error.log
{identity}
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authn_file_module modules/mod_authn_file.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_user_module modules/mod_authz_user.so
LoadModule auth_basic_module modules/mod_auth_basic.so
LoadModule alias_module modules/mod_alias.so
LoadModule env_module modules/mod_env.so
LoadModule headers_module modules/mod_headers.so
LoadModule cgid_module modules/mod_cgid.so
LoadModule ssl_module modules/mod_ssl.so
Mutex file:{folder}
ScriptSock {folder}/cgi.sock
SSLEngine on
SSLCertificateFile {folder}/server.pem
SSLCertificateKeyFile {folder}/server.key
SetEnv GIT_PROJECT_ROOT {folder}/repositories
SetEnv GIT_HTTP_EXPORT_ALL 1
SetEnv GIT_CONFIG_COUNT 1
SetEnv GIT_CONFIG_KEY_0 safe.directory
SetEnv GIT_CONFIG_VALUE_0 *
ScriptAlias /git/ /usr/lib/git-core/git-http-backend/
Redirect 503 /busy/
Redirect 500 /broken/
Redirect 302 /moved/ https://127.0.0.1:{port}/git/
<LocationMatch "^/busy/">
  Header always set Retry-After 7
</LocationMatch>
<Directory /usr/lib/git-core>
  Options +ExecCGI
  AuthType Basic
  AuthName git
  AuthUserFile {folder}/users
  Require valid-user
</Directory>
"""

_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AcceptEnv GIT_PROTOCOL
"""


@dataclass(frozen=True, slots=True)
class Depot:
    """A bare repository at `path`; commits are written into it by Git itself."""

    path: Path

    @classmethod
    def made(cls, path: Path, *options: str) -> Depot:
        """Make an empty repository with the branch `main`."""
        git("init", "-q", "--bare", "-b", "main", *options, str(path))
        return cls(path)

    def commit(
        self,
        changes: Mapping[str, str | bytes | None],
        *,
        branch: str = "main",
        links: Mapping[str, str] | None = None,
        submodules: Mapping[str, str] | None = None,
        rewrites: bool = False,
    ) -> str:
        """Write files (None deletes one) as one commit, by `git fast-import`; return its id.

        `rewrites` starts the branch anew instead of going on from its head.
        """
        stream = [f"commit refs/heads/{branch}\n".encode()]
        stamp = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
        stream.append(f"committer Ana <ana@acme.example> {stamp} +0000\ndata 6\nchange\n".encode())
        if not rewrites and self.head(branch):
            stream.append(f"from {self.head(branch)}\n".encode())
        for path, content in changes.items():
            quoted = _quoted(path)
            if content is None:
                stream.append(b"D " + quoted + b"\n")
            else:
                stream.append(_file(b"100644", quoted, content))
        for path, target in (links or {}).items():
            stream.append(_file(b"120000", _quoted(path), target))
        for path, commit in (submodules or {}).items():
            stream.append(b"M 160000 %s %s\n" % (commit.encode(), _quoted(path)))
        git("-C", str(self.path), "fast-import", "--quiet", "--force", fed=b"".join(stream))
        return self.head(branch)

    def rename(self, old: str, new: str) -> str:
        """Rename a file as one commit."""
        blob = git("-C", str(self.path), "rev-parse", f"main:{old}").strip()
        stream = (
            b"commit refs/heads/main\ncommitter Ana <ana@acme.example> 1767225600 +0000\n"
            b"data 6\nrename\nfrom %s\nD %s\nM 100644 %s %s\n"
        ) % (self.head().encode(), _quoted(old), blob.encode(), _quoted(new))
        git("-C", str(self.path), "fast-import", "--quiet", fed=stream)
        return self.head()

    def head(self, branch: str = "main") -> str:
        """Return the id of a branch's newest commit, "" if it has none."""
        found = subprocess.run(
            ["git", "-C", str(self.path), "rev-parse", "-q", "--verify", f"refs/heads/{branch}"],
            capture_output=True,
            text=True,
            check=False,
        )
        return found.stdout.strip()

    def pack(self) -> None:
        """Pack everything as tightly as Git can, with deltas."""
        git("-C", str(self.path), "repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50")


def git(*arguments: str, fed: bytes = b"") -> str:
    """Run Git without anybody's configuration and return what it prints."""
    done = subprocess.run(
        ["git", *arguments],
        input=fed,
        capture_output=True,
        check=True,
        env={"PATH": os.defpath, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.decode()


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its repositories lie in `folder`, reached below `url`.

    `secret` is the private key that may read; `trusted` the certificate or host keys to trust.
    """

    url: str
    folder: Path
    secret: str
    trusted: str


@contextmanager
def over_https() -> Iterator[Server]:
    """Serve repositories by Apache and git-http-backend, over TLS with a password."""
    folder = Path(tempfile.mkdtemp(prefix="assistant-apache-"))
    port = free_port()
    try:
        (folder / "repositories").mkdir()
        _certificate(folder)
        (folder / "users").write_text(
            subprocess.run(
                ["htpasswd", "-niB", USER], input=TOKEN, capture_output=True, text=True, check=True
            ).stdout
        )
        identity = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        if identity:
            owner = pwd.getpwnam("www-data")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        folder.chmod(0o755)
        conf = folder / "httpd.conf"
        conf.write_text(_APACHE.format(port=port, folder=folder, identity=identity))
        with _running(["apache2", "-f", str(conf), "-D", "FOREGROUND"], port):
            pem = str(folder / "server.pem")
            url = f"https://127.0.0.1:{port}"
            yield Server(url, folder / "repositories", TOKEN, pem)
    finally:
        shutil.rmtree(folder)


@contextmanager
def over_ssh() -> Iterator[Server]:
    """Serve repositories by OpenSSH to whoever has the key."""
    folder = Path(tempfile.mkdtemp(prefix="assistant-sshd-"))
    port = free_port()
    try:
        (folder / "repositories").mkdir()
        for name in ("host_key", "key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True)
        (folder / "authorized_keys").write_text((folder / "key.pub").read_text())
        conf = folder / "sshd.conf"
        conf.write_text(_SSHD.format(port=port, folder=folder))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with _running(["/usr/sbin/sshd", "-D", "-f", str(conf)], port):
            host_key = " ".join((folder / "host_key.pub").read_text().split()[:2])
            yield Server(
                f"ssh://{getpass.getuser()}@127.0.0.1:{port}{folder}/repositories",
                folder / "repositories",
                (folder / "key").read_text(),
                f"[127.0.0.1]:{port} {host_key}",
            )
    finally:
        shutil.rmtree(folder)


def free_port() -> int:
    """Return a port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    """Run a server until the end of the block, from when it takes connections."""
    path = f"{os.defpath}:/usr/sbin:/sbin"
    program = shutil.which(command[0], path=path)
    if program is None:
        raise RuntimeError(f"{command[0]} is missing: run make servers")
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        [program, *command[1:]], stdin=quiet, stdout=quiet, stderr=quiet, cwd="/"
    )
    try:
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start") from None
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _file(mode: bytes, quoted: bytes, content: str | bytes) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return b"M %s inline %s\ndata %d\n%s\n" % (mode, quoted, len(data), data)


def _quoted(path: str) -> bytes:
    """Write a path for fast-import; surrogates stand for bytes that are not UTF-8."""
    plain = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return b'"%s"' % os.fsencode(plain)


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "server.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "server.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
