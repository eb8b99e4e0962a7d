"""Reading files in child processes that may cost only so much."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.readers.child import ALIVE
from connectors.readers.errors import ReadError
from connectors.readers.limits import Limits
from connectors.readers.wire import reading_of

if TYPE_CHECKING:
    from connectors.readers.model import Reading

_ROOT = Path(__file__).resolve().parents[2]
# Without `site` (-S) it starts in half the time; it gets this process's import path instead.
_START = (
    "import sys; sys.path[:] = sys.argv.pop().split('\\n'); "
    "from connectors.readers.template import main; main()"
)


class Sandbox:
    """Reads files, each in a limited child process of its own; safe to use from several threads.

    The children are forked from one template process, which has the readers imported and never
    opens a file; it starts with the first file and ends with `close`.
    """

    def __init__(self) -> None:
        self._template: _Template | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def template_pid(self) -> int | None:
        """Return the process id of the template; None while there is none."""
        with self._lock:
            return self._template.pid if self._template else None

    def close(self) -> None:
        """End the template and whatever child is left; the next file would start another."""
        with self._lock:
            template, self._template = self._template, None
        if template is not None:
            template.close()

    def read(
        self,
        path: Path,
        *,
        media_type: str | None = None,
        name: str | None = None,
        limits: Limits | None = None,
    ) -> Reading:
        """Read one file in a limited child process.

        The content decides how; `media_type` and the suffix of `name` (the path's own name if not
        given) only break ties between text formats. Raises `ReadError` with its `cause`; nothing a
        file does reaches the calling process. The child has no network, its own temporary folder,
        an empty environment, and the memory, CPU and wall time of `limits`.
        """
        limits = limits or Limits()
        path = path.resolve()
        _check_size(path, limits)
        with tempfile.TemporaryDirectory(prefix="reader-", ignore_cleanup_errors=True) as folder:
            request = {
                "path": str(path),
                "name": name or path.name,
                "hint": media_type,
                "folder": folder,
                "limits": asdict(limits),
            }
            result, exit_code = self._answer(request, limits)
        return _understood(result, exit_code, limits)

    def _answer(self, request: dict[str, Any], limits: Limits) -> tuple[bytes, int]:
        template = self._started()
        try:
            return template.answer(request, limits)
        except ConnectionError:
            self._forget(template)
        # One file of several took the template down; alone, each shows whether it was the one.
        own = _Template()
        try:
            return own.answer(request, limits)
        except ConnectionError as error:
            raise ReadError(
                "crashed", "The reader stopped with all around it: the file is damaged or unusual."
            ) from error
        finally:
            own.close()

    def _started(self) -> _Template:
        with self._lock:
            if self._template is None:
                self._template = _Template()
            return self._template

    def _forget(self, template: _Template) -> None:
        with self._lock:
            if self._template is template:
                self._template = None
        template.close()


class _Template:
    """A running template process; raises `ConnectionError` once it is gone."""

    def __init__(self) -> None:
        ours, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-I", "-S", "-c", _START, _import_path()],
                stdin=its.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LANG": "C.UTF-8", "HOME": ".", "TMPDIR": ".", "OMP_THREAD_LIMIT": "1"},
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._socket = ours
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process and its children; does nothing the second time."""
        with self._lock:
            self._socket.close()
            self._process.wait()

    def answer(self, request: dict[str, Any], limits: Limits) -> tuple[bytes, int]:
        """Return what a child wrote about a file, and its exit code; raises `ReadError`."""
        read_end, write_end = os.pipe()
        try:
            try:
                pid = self._ask(request, [write_end])
            finally:
                os.close(write_end)
            try:
                result = _collect(read_end, limits)
            finally:
                exit_code = self._ask({"reap": pid}, [])
        finally:
            os.close(read_end)
        return result, exit_code

    def _ask(self, request: dict[str, Any], descriptors: list[int]) -> int:
        line = json.dumps(request).encode() + b"\n"
        with self._lock:
            try:
                sent = socket.send_fds(self._socket, [line], descriptors)
                self._socket.sendall(line[sent:])
                reply = b""
                while not reply.endswith(b"\n"):
                    piece = self._socket.recv(64)
                    if not piece:
                        raise ConnectionResetError("The template of the readers has ended.")
                    reply += piece
            except OSError as error:
                raise ConnectionResetError("The template of the readers has ended.") from error
        return int(reply)


def read_file(
    path: Path,
    *,
    media_type: str | None = None,
    name: str | None = None,
    limits: Limits | None = None,
) -> Reading:
    """Read one file as `Sandbox.read` does, with a template of its own."""
    with Sandbox() as sandbox:
        return sandbox.read(path, media_type=media_type, name=name, limits=limits)


def _import_path() -> str:
    """Where the child finds modules, one place a line; the current folder is none of them."""
    return "\n".join([*(place for place in sys.path if Path(place).is_absolute()), str(_ROOT)])


def _check_size(path: Path, limits: Limits) -> None:
    try:
        size = path.stat().st_size
        is_file = path.is_file()
    except OSError as error:
        raise ReadError(
            "corrupt", f"The file can't be opened: {error.strerror or 'input error'}."
        ) from error
    if not is_file:
        raise ReadError("unsupported", "This is not a regular file.")
    if size == 0:
        raise ReadError("empty", "The file is empty (0 bytes).")
    if size > limits.file_bytes:
        raise ReadError(
            "too_large",
            f"The file has {size / 1e6:.1f} MB, more than the limit of "
            f"{limits.file_bytes / 1e6:.1f} MB; split it or raise the limit.",
        )


def _collect(pipe: int, limits: Limits) -> bytes:
    """All that the child wrote until it closed its output."""
    deadline = time.monotonic() + limits.wall_s
    latest = deadline + 2 * limits.ocr_s
    pieces: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(pipe, 1 << 20)
            if not piece:
                return b"".join(pieces)
            size += len(piece)
            if size > limits.result_bytes:
                raise ReadError(
                    "too_large",
                    f"The file holds over {limits.result_bytes / 1e6:.0f} MB of text; split it.",
                )
            pieces.append(piece)
            if not piece.strip(ALIVE):
                deadline = min(time.monotonic() + limits.wall_s, latest)
    raise ReadError(
        "timeout",
        f"Reading took longer than {limits.wall_s:g} s; split the file or raise the limit.",
    )


def _understood(result: bytes, exit_code: int, limits: Limits) -> Reading:
    if result.endswith(b"\n"):
        try:
            answer: dict[str, Any] = json.loads(result)
            if "error" in answer:
                raise ReadError(answer["error"]["cause"], str(answer["error"]["message"]))
            return reading_of(answer["reading"])
        except (ValueError, KeyError, TypeError) as error:
            raise ReadError(
                "crashed", "The reader answered nonsense; please report this file's format."
            ) from error
    if exit_code == -signal.SIGXCPU:
        raise ReadError(
            "timeout",
            f"Reading took over {limits.cpu_s} s of CPU time; split the file or raise the limit.",
        )
    if exit_code == -signal.SIGKILL:
        raise ReadError(
            "out_of_memory", "The system stopped the reader, most likely for lack of memory."
        )
    how = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    raise ReadError("crashed", f"The reader stopped ({how}): the file is damaged or unusual.")
