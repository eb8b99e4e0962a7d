"""The command that listens for HL7 is killed again and again: no acknowledged message is lost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.mllp import END, START, spool_name
from tests.support.daemon import free_port

SENDERS, ROUNDS, ACKS = 4, 3, 40


def message(sender: int, n: int) -> bytes:
    text = f"MSH|^~\\&|LAB{sender}|H|EHR|H|20261122||ORU^R01|{n}|P|2.5\rPID|1||{n}||Silva^José\r"
    return text.encode() + f"OBX|1|TX|||{'x' * 5_000}\r".encode()


@contextmanager
def listening(environment: dict[str, str], address: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command until it is killed, or the block ends."""
    child = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli.main", "connector", "listen", "lab"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert child.stdout is not None
        assert address in child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.communicate()


class Sender(threading.Thread):
    """Sends messages in order, each again until it is acknowledged."""

    def __init__(self, number: int, port: int, acknowledged: threading.Semaphore) -> None:
        super().__init__()
        self.number, self.port, self.acknowledged = number, port, acknowledged
        self.n_stored = 0

    def run(self) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as line:
                while self._send(line, message(self.number, self.n_stored)):
                    self.n_stored += 1
                    self.acknowledged.release()
        except OSError:
            return

    def _send(self, line: socket.socket, body: bytes) -> bool:
        line.sendall(START + body + END)
        answer = b""
        while not answer.endswith(END):
            piece = line.recv(4_096)
            if not piece:
                return False
            answer += piece
        assert b"MSA|AA|" in answer, answer
        return True


def test_no_acknowledged_message_is_lost(postgres_url: str, tmp_path: Path) -> None:
    port, spool = free_port(), tmp_path / "spool"
    environment = {
        **os.environ,
        "ASSISTANT_DATABASE__URL": postgres_url,
        "ASSISTANT_DATA_DIR": str(tmp_path / "data"),
    }
    add = [sys.executable, "-m", "assistant.cli.main", "connector", "add", "lab", "hl7"]
    for assignment in (f"spool={spool}", f"port={port}", "min_free_bytes=0"):
        add += ["--set", assignment]
    subprocess.run(add, check=True, env=environment, stdout=subprocess.DEVNULL)

    stored = [0] * SENDERS
    for _ in range(ROUNDS):
        acknowledged = threading.Semaphore(0)
        senders = [Sender(number, port, acknowledged) for number in range(SENDERS)]
        with listening(environment, f"127.0.0.1:{port}") as child:
            for sender in senders:
                sender.n_stored = stored[sender.number]
                sender.start()
            for _ in range(ACKS):
                assert acknowledged.acquire(timeout=60)
            child.kill()
        for sender in senders:
            sender.join(timeout=60)
            stored[sender.number] = sender.n_stored

    assert sum(stored) >= ROUNDS * ACKS
    for number, n_stored in enumerate(stored):
        for n in range(n_stored):
            name = spool_name(f"LAB{number}/{n}")
            assert (spool / name).read_bytes() == message(number, n)
