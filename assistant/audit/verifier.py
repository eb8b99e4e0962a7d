#!/usr/bin/env python3
"""Verify a receipt or an export of the audit log offline, with nothing but `cryptography`.

    python verify_audit.py PUBLIC_KEY.pem FILE [HEADS.jsonl ...]

FILE is a receipt (`assistant audit receipt`) or an export (`assistant audit export`); HEADS are
copies of signed heads that were kept elsewhere (`audit/heads.jsonl`). Exit code 0: it verifies,
1: it does not, and the first bad event is named, 2: a file can't be read.

This file stands alone: copy it to a machine that the operators of the server can't reach. It
imports nothing of the assistant and was written from RFC 6962 (section 2.1) and RFC 9162 (2.1.3).
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ORIGIN = "enterprise-assistant audit log v1"


class Bad(Exception):
    """The document proves nothing; `seq` is the first event that may be wrong, or None."""

    def __init__(self, reason: str, seq: int | None = None) -> None:
        super().__init__(reason)
        self.seq = seq


def leaf(body: bytes) -> bytes:
    """Return the hash of an event's bytes: `H(0x00 ‖ body)`."""
    return hashlib.sha256(b"\x00" + body).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees: `H(0x01 ‖ left ‖ right)`."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(nodes: list[bytes], size: int, new: bytes, width: int = 1) -> None:
    """Add a leaf, or a perfect subtree of `width` leaves, to those of a tree of `size` leaves."""
    while size // width % 2:
        new = node(nodes.pop(), new)
        width *= 2
    nodes.append(new)


def widths(start: int, end: int) -> list[int]:
    """Return the widths of the fewest perfect subtrees over the leaves from start to before end."""
    found = []
    while start < end:
        width = 1
        while start % (2 * width) == 0 and start + 2 * width <= end:
            width *= 2
        found.append(width)
        start += width
    return found


def root(nodes: list[bytes]) -> bytes:
    """Return the root over perfect subtrees, the largest first."""
    if not nodes:
        return hashlib.sha256(b"").digest()
    found = nodes[-1]
    for left in reversed(nodes[:-1]):
        found = node(left, found)
    return found


def root_by_path(found: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that an inclusion path leads to; raises `Bad` if its length is wrong."""
    last = size - 1
    for sibling in path:
        if last == 0:
            raise Bad("the proof is too long", index)
        if index % 2 or index == last:
            found = node(sibling, found)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            found = node(found, sibling)
        index, last = index // 2, last // 2
    if last:
        raise Bad("the proof is too short", index)
    return found


def check_head(head: dict[str, Any], key: Ed25519PublicKey) -> tuple[int, bytes]:
    """Return the size and root that a head signs; raises `Bad` unless this key signed it."""
    size, signed_root = int(head["size"]), bytes.fromhex(head["root"])
    note = f"{ORIGIN}\n{size}\n{signed_root.hex()}\n{head['sealed_at']}\n".encode()
    try:
        key.verify(base64.b64decode(head["signature"], validate=True), note)
    except InvalidSignature:
        raise Bad(f"the head over {size} events is not signed by this key") from None
    return size, signed_root


def check_receipt(receipt: dict[str, Any], key: Ed25519PublicKey) -> dict[str, Any]:
    """Return the event that a receipt proves; raises `Bad`."""
    size, signed_root = check_head(receipt["head"], key)
    body, index = receipt["body"].encode(), int(receipt["seq"])
    if not 0 <= index < size:
        raise Bad(f"event {index} is not among the {size} that were signed", index)
    path = [bytes.fromhex(text) for text in receipt["proof"]]
    if root_by_path(leaf(body), index, size, path) != signed_root:
        raise Bad("the proof leads to another root than the signed one", index)
    event: dict[str, Any] = json.loads(body)
    if event != receipt["event"] or event["seq"] != index:
        raise Bad("the receipt shows another event than the one it proves", index)
    return event


def check_export(lines: list[bytes], key: Ed25519PublicKey, heads: list[dict[str, Any]]) -> int:
    """Return how many events an export proves; raises `Bad` with the first that may be wrong.

    The last line holds the proof: the subtrees before the first event, the hashes of the events,
    the subtrees after the last one up to the largest head, and the signed heads. First the hashes
    are proven by the heads, then the events by their hashes. A head between the last event and the
    largest head can't be compared; it says nothing of these events.
    """
    proof = json.loads(lines[-1])["proof"]
    first = int(proof["first"])
    leaves = [bytes.fromhex(text) for text in proof["leaves"]]
    signed: dict[int, set[bytes]] = {}
    for head in [*proof["heads"], *heads]:
        size, signed_root = check_head(head, key)
        signed.setdefault(size, set()).add(signed_root)
    before, after = (
        [bytes.fromhex(node) for node in proof.get(k, [])] for k in ("before", "after")
    )
    size = int(proof.get("size", first + len(leaves)))
    _check_roots(before, first, leaves, after, size, signed)
    events = lines[:-1]
    for at, body in enumerate(events[: len(leaves)]):
        seq = first + at
        if leaf(body) != leaves[at]:
            raise Bad(f"event {seq} was altered, moved, added or deleted", seq)
        if not body.endswith(_ending(body, seq)):
            raise Bad(f"event {seq} was written as another", seq)
    if len(events) > len(leaves):
        raise Bad("there are more events than were signed", first + len(leaves))
    if len(events) != int(proof["n_events"]):
        raise Bad("events are missing at the end", first + len(events))
    return len(events)


def _ending(body: bytes, seq: int) -> bytes:
    """Return how an event with this number ends: in canonical JSON, type and version follow it."""
    _, found, end = body.rpartition(b',"type":')
    return b',"seq":%d%s%s' % (seq, found, end)


def _check_roots(
    nodes: list[bytes],
    first: int,
    leaves: list[bytes],
    after: list[bytes],
    size: int,
    signed: dict[int, set[bytes]],
) -> None:
    """Grow the tree up to `size` and compare it with every head at its size."""
    largest, end = max(signed, default=0), first + len(leaves)
    if largest < max(size, end):
        raise Bad("no signed head covers the last events", largest)
    rest = widths(end, size)
    if largest > size or len(rest) != len(after):
        raise Bad(f"events are missing: a head was signed over {largest}", min(size, end))
    proven = at = first
    steps = chain([(b"", 0)], zip(leaves, repeat(1)), zip(after, rest, strict=True))
    for new, width in steps:
        if width:
            grown(nodes, at, new, width)
            at += width
        if at in signed and at:
            if signed[at] != {root(nodes)}:
                raise Bad(f"the tree differs from the head signed over {at} events", proven)
            proven = at


def report(key_file: str, file: str, head_files: list[str]) -> str:
    """Return a sentence about what was proven; raises `Bad`, OSError, ValueError, KeyError."""
    key = load_pem_public_key(Path(key_file).read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{key_file} is not an Ed25519 public key")
    data = Path(file).read_bytes()
    heads = [
        json.loads(line) for name in head_files for line in Path(name).read_bytes().splitlines()
    ]
    try:
        whole = json.loads(data)
    except ValueError:
        whole = None
    if isinstance(whole, dict) and "body" in whole:
        event = check_receipt(whole, key)
        return f"event {event['seq']}, {event['type']} at {event['at']}, is in the signed log"
    n_events = check_export(data.rstrip(b"\n").split(b"\n"), key, heads)
    return f"{n_events} events are those that were signed"


def main(arguments: list[str]) -> int:
    """Verify what the arguments name; return the exit code."""
    if len(arguments) < 2:
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        sentence = report(arguments[0], arguments[1], arguments[2:])
    except Bad as error:
        place = "" if error.seq is None else f" from event {error.seq} on"
        sys.stdout.write(f"BAD: it does not verify{place}: {error}\n")
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        sys.stderr.write(f"It can't be read: {type(error).__name__}: {error}\n")
        return 2
    sys.stdout.write(f"OK: {sentence}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
