"""Reading a file in a child process that may cost only so much."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.readers.errors import ReadError
from connectors.readers.limits import Limits
from connectors.readers.wire import reading_of

if TYPE_CHECKING:
    from connectors.readers.model import Reading

_ROOT = Path(__file__).resolve().parents[2]
# Without `site` (-S) the child starts in half the time; it gets this process's import path instead.
_START = (
    "import sys; sys.path[:] = sys.argv.pop().split('\\n'); "
    "from connectors.readers.child import main; main()"
)


def read_file(
    path: Path,
    *,
    media_type: str | None = None,
    name: str | None = None,
    limits: Limits | None = None,
) -> Reading:
    """Read one file in a limited child process.

    The content decides how; `media_type` and the suffix of `name` (the path's own name if not
    given) only break ties between text formats. Raises `ReadError` with its `cause`; nothing a
    file does reaches the calling process. The child has no network, its own temporary folder, an
    empty environment, and the memory, CPU and wall time of `limits`.
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
        with subprocess.Popen(  # noqa: S603 - our own interpreter and code, data as one argument
            [sys.executable, "-I", "-S", "-c", _START, json.dumps(request), _import_path()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"LANG": "C.UTF-8", "HOME": folder, "TMPDIR": folder},
            start_new_session=True,
        ) as child:
            try:
                result = _collect(child, limits)
            finally:
                # Before the child is reaped its process group can't be anybody else's.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid, signal.SIGKILL)
    return _understood(result, child.returncode, limits)


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


def _collect(child: subprocess.Popen[bytes], limits: Limits) -> bytes:
    """All that the child wrote until it closed its output."""
    deadline = time.monotonic() + limits.wall_s
    pieces: list[bytes] = []
    size = 0
    pipe = child.stdout
    if pipe is None:  # pragma: no cover - Popen was asked for a pipe
        return b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(pipe.fileno(), 1 << 20)
            if not piece:
                return b"".join(pieces)
            size += len(piece)
            if size > limits.result_bytes:
                raise ReadError(
                    "too_large",
                    f"The file holds over {limits.result_bytes / 1e6:.0f} MB of text; split it.",
                )
            pieces.append(piece)
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
