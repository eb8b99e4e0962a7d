"""Where a Git repository is, and a copy of its branch that is always opened from this disk.

A path is opened as it is. Anything else (`https://`, `ssh://` or `user@host:path`, `file://`) is
fetched into a bare repository in the cache folder, with the history of the one branch: by it a
rewritten branch is told from one that went on. Redirects are not followed, host keys must be known
beforehand, and neither the user's nor the system's configuration of Git and SSH is read.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import shlex
import shutil
import tempfile
import traceback
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

import urllib3
from dulwich.client import (
    GitClient,
    HTTPUnauthorized,
    LocalGitClient,
    SubprocessSSHVendor,
    default_user_agent_string,
)
from dulwich.errors import (
    ApplyDeltaError,
    ChecksumMismatch,
    FileFormatException,
    GitProtocolError,
    HangupException,
    NotGitRepository,
    WrongObjectException,
)
from dulwich.graph import can_fast_forward
from dulwich.objects import Commit, ObjectID, Tag
from dulwich.refs import Ref
from dulwich.repo import Repo

from connectors.contract import ConnectorError, RetryLater
from connectors.git_transport import Http, Ssh

if TYPE_CHECKING:
    pass

MAX_PACKS = 60
"""A copy of more packs (each fetch brings one) is fetched anew."""

_KEPT = Ref(b"refs/heads/kept")
_HEAD = Ref(b"HEAD")
_OUR_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES})


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository's address, one of its branches ("" is its own choice), and the way in."""

    url: str
    branch: str
    cache: Path
    username: str = ""
    password: str = field(default="", repr=False)
    ssh_key: str = field(default="", repr=False)
    known_hosts: str = field(default="", repr=False)
    ca_file: Path | None = None
    timeout_s: float = 60

    @property
    def is_here(self) -> bool:
        """Say whether the repository is opened where it is, without a copy."""
        return "://" not in address(self.url)

    def look(self) -> None:
        """Raise `ConnectorError` unless the branch can be had."""
        if self.is_here:
            self._opened(Path(self.url)).close()
            return
        with self._client() as (client, path), self._explained():
            self._wanted(dict(client.get_refs(path.encode()).refs))
        try:
            self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConnectorError(
                f"The cache folder {self.cache} can't be used: {error.strerror}; name another."
            ) from error

    def refresh(self) -> Checkout:
        """Bring the copy to the state of the remote and open it; the caller closes it.

        Raises `ConnectorError` and `RetryLater`.
        """
        if self.is_here:
            return self._opened(Path(self.url))
        folder = self.cache / hashlib.sha256(f"{self.url}\n{self.branch}".encode()).hexdigest()[:20]
        try:
            self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self.cache / f"{folder.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                return self._refreshed(folder)
        except OSError as error:
            raise ConnectorError(
                f"The copy of {self.url} in {self.cache} can't be written: {error.strerror}; make "
                "room, or remove the copy so that it is fetched anew."
            ) from error

    def _refreshed(self, folder: Path) -> Checkout:
        if folder.exists() and len(list(folder.glob("objects/pack/*.pack"))) <= MAX_PACKS:
            head = self._fetch(folder)
        else:
            fresh = folder.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            Repo.init_bare(fresh, mkdir=True).close()
            head = self._fetch(fresh)
            shutil.rmtree(folder, ignore_errors=True)
            fresh.rename(folder)
        return Checkout(Repo(str(folder)), head)

    def _fetch(self, folder: Path) -> ObjectID:
        wanted: list[ObjectID] = []

        def determine(refs: Any, depth: int | None = None) -> list[ObjectID]:
            wanted[:] = [self._wanted(refs)]
            return [id_ for id_ in wanted if id_ not in copy.object_store]

        copy = Repo(str(folder))
        try:
            with self._client() as (client, path), self._explained():
                client.fetch(path, copy, determine_wants=determine)
            copy.refs[_KEPT] = _peeled(copy, wanted[0], self.url)
            return copy.refs[_KEPT]
        finally:
            copy.close()

    def _wanted(self, refs: dict[Any, Any]) -> ObjectID:
        name = Ref(b"refs/heads/" + self.branch.encode()) if self.branch else _HEAD
        if found := refs.get(name):
            return ObjectID(found)
        what = f"no branch {self.branch!r}" if self.branch else "no commit on its own branch"
        raise ConnectorError(f"{self.url} has {what}; name a branch that exists.")

    def _opened(self, path: Path) -> Checkout:
        try:
            repo = Repo(str(path))
        except (NotGitRepository, OSError) as error:
            raise ConnectorError(
                f"There is no Git repository at {path}; check the path or mount it."
            ) from error
        try:
            head = _peeled(repo, self._wanted(dict(repo.get_refs())), self.url)
        except ConnectorError:
            repo.close()
            raise
        return Checkout(repo, head)

    @contextmanager
    def _client(self) -> Iterator[tuple[GitClient, str]]:
        parts = urlsplit(address(self.url))
        path = unquote(parts.path)
        if parts.scheme == "file":
            yield LocalGitClient(), path
        elif parts.scheme == "ssh":
            with (
                tempfile.TemporaryDirectory(prefix="assistant-git-") as folder,
                closing(self._ssh(parts, Path(folder))) as client,
            ):
                yield client, path
        else:
            with urllib3.PoolManager(
                headers=self._headers(),
                timeout=self.timeout_s,
                retries=False,
                ca_certs=str(self.ca_file) if self.ca_file else None,
            ) as pool:
                base = f"{parts.scheme}://{parts.netloc}"
                with closing(Http(base, pool_manager=pool)) as client:
                    yield client, parts.path

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": default_user_agent_string()}
        if self.password:
            # RFC 7617 with UTF-8; a host that knows tokens only takes any name.
            account = f"{self.username or 'git'}:{self.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(account).decode()}"
        return headers

    def _ssh(self, parts: SplitResult, folder: Path) -> Ssh:
        key, hosts = folder / "key", folder / "known_hosts"
        hosts.write_text(self.known_hosts.strip() + "\n")
        key.touch(mode=0o600)
        key.write_text(self.ssh_key.strip() + "\n")
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "ConnectTimeout": str(max(1, int(self.timeout_s))),
            "ServerAliveInterval": str(max(1, int(self.timeout_s / 3))),
            "LogLevel": "ERROR",
        }
        command = ["ssh", "-F", "none", "-a"]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        return Ssh(
            parts.hostname or "",
            port=parts.port,
            username=unquote(parts.username) if parts.username else self.username or "git",
            vendor=SubprocessSSHVendor(),
            key_filename=str(key) if self.ssh_key else None,
            ssh_command=shlex.join(command),
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the transport raises into sentences for an admin."""
        try:
            yield
        except HTTPUnauthorized as error:
            raise self._refusal() from error
        except NotGitRepository as error:
            raise ConnectorError(
                f"There is no Git repository at {self.url}, or this account may not see it; check "
                "the address and the account's rights."
            ) from error
        except HangupException as error:
            raise self._hangup(error) from error
        except (GitProtocolError, urllib3.exceptions.HTTPError) as error:
            raise self._broken(error) from error
        except (OSError, ValueError, KeyError, AssertionError) as error:
            if getattr(error, "errno", None) in _OUR_DISK:
                raise
            raise ConnectorError(
                f"{self.url} didn't answer as a Git server does ({type(error).__name__}); check "
                "the address."
            ) from error

    def _refusal(self) -> ConnectorError:
        return ConnectorError(
            f"{self.url} refuses this account; check the user name, the password or token, and "
            "that it may read the repository."
        )

    def _hangup(self, error: HangupException) -> ConnectorError:
        lines = [line.decode("utf-8", "replace").strip() for line in error.stderr_lines or []]
        said = next((line for line in reversed(lines) if line), "the connection was closed")
        text = " ".join(lines)
        if "Host key verification failed" in text or "No ED25519 host key" in text:
            return ConnectorError(
                f"The host key of {self.url} is not among the known hosts; add what "
                "ssh-keyscan prints for it, after comparing it with what its operator publishes."
            )
        if "Permission denied" in text:
            return ConnectorError(
                f"{self.url} refuses the SSH key; give the private key whose public key may read "
                "the repository."
            )
        if "timed out" in text:
            return RetryLater()
        return ConnectorError(
            f"{self.url} can't be read over SSH: {said.rstrip('.')}; check address and rights."
        )

    def _broken(self, error: BaseException) -> ConnectorError:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, urllib3.exceptions.NewConnectionError):
                return ConnectorError(
                    f"{self.url} can't be reached; check the address, and that this machine may "
                    "connect to it."
                )
            if isinstance(cause, urllib3.exceptions.TimeoutError | TimeoutError):
                return RetryLater()
            if isinstance(cause, urllib3.exceptions.SSLError):
                return ConnectorError(
                    f"The certificate of {self.url} can't be trusted; name the file of the "
                    "authority that signed it (ca_file)."
                )
            cause = cause.__cause__
        return ConnectorError(
            f"{self.url} can't be read as a Git repository: {str(error).rstrip('.')}; check the "
            "address."
        )


@dataclass(frozen=True, slots=True)
class Checkout:
    """An open repository and the commit at the head of the branch."""

    repo: Repo
    head: ObjectID

    def follows(self, commit: ObjectID) -> bool:
        """Say whether the head goes on from a commit; False after a rewritten history."""
        try:
            return bool(can_fast_forward(self.repo, commit, self.head))
        except (KeyError, AssertionError):
            return False

    def close(self) -> None:
        """Close the repository's files."""
        self.repo.close()


@contextmanager
def intact(url: str) -> Iterator[None]:
    """Turn what reading a damaged repository raises into a `ConnectorError`."""
    try:
        yield
    except (
        *(KeyError, OSError, zlib.error, AssertionError, ValueError),
        *(ApplyDeltaError, ChecksumMismatch, FileFormatException, WrongObjectException),
    ) as error:
        # Its frames hold views of mapped packs, which then could not be closed.
        traceback.clear_frames(error.__traceback__)
        raise ConnectorError(
            f"The repository {url} lacks something or is damaged ({error}); run git fsck there, "
            "and remove the copy in the cache folder so that it is fetched anew."
        ) from error


def address(url: str) -> str:
    """Return a URL, also for the short form `user@host:path` of SSH."""
    if "://" in url or ":" not in url or url.startswith(("/", ".")):
        return url
    host, _, path = url.partition(":")
    return f"ssh://{host}/{path if path.startswith(('/', '~')) else '~/' + path}"


def _peeled(repo: Repo, head: ObjectID, url: str) -> ObjectID:
    with intact(url):
        found = repo.object_store[head]
        while isinstance(found, Tag):
            found = repo.object_store[found.object[1]]
    if not isinstance(found, Commit):
        raise ConnectorError(f"The branch of {url} has no commit; name another branch.")
    return found.id
