"""The template: a process that never sees a file's content, and forks a fresh child for each file.

It speaks over the socket that is its standard input, in lines of JSON: a request to read, with
the descriptor that the child shall write to, is answered with the child's process id; then
`{"reap": id}` ends that child and is answered with its exit code. When the socket closes, what
still runs is killed and the template ends.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket

from connectors.media import media_type
from connectors.readers import child
from connectors.readers.packaged import installed

_LINE_BYTES = 65_536


def main() -> None:
    """Serve requests until the socket closes."""
    parent = socket.socket(fileno=0)
    running: set[int] = set()
    installed()
    while (received := _receive(parent)) is not None:
        line, descriptors = received
        request = json.loads(line)
        if "reap" in request:
            answer = _reap(request["reap"])
            running.discard(request["reap"])
        else:
            _warm(request["hint"] or media_type(request["name"]))
            answer = _fork(request, descriptors[0])
            running.add(answer)
        parent.sendall(b"%d\n" % answer)
    for pid in running:
        _reap(pid)


def _receive(parent: socket.socket) -> tuple[bytes, list[int]] | None:
    line, descriptors = b"", []
    while not line.endswith(b"\n"):
        piece, got, _, _ = socket.recv_fds(parent, _LINE_BYTES, 1)
        if not piece:
            return None
        line += piece
        descriptors += got
    return line, descriptors


def _warm(expected: str) -> None:
    """Import the reader that a name promises, once for all children; a file may still differ."""
    if expected in child.READERS:
        child.warm(expected)
        gc.freeze()


def _fork(request: dict[str, object], output: int) -> int:
    pid = os.fork()
    if pid == 0:
        _detach(output)
        child.main(request)
    os.close(output)
    return pid


def _detach(output: int) -> None:
    """Leave the template's session and close all it had open, above all the way to the parent."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(nothing, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _reap(pid: int) -> int:
    # Before the child is reaped neither its id nor its group's can be anybody else's.
    for kill in (os.kill, os.killpg):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)
