"""The audit log: events appended in the caller's transaction, roots signed, all of it verified.

Whoever alters the database is found by the hashes; whoever cuts it back or builds the tree anew,
by the signed heads, which are also kept outside the database in `heads.jsonl`. It can't stop
somebody who holds the database, the signing key and every copy of the heads.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection

from assistant.audit import merkle, proofs
from assistant.audit.event import Event, canonical, utc
from assistant.audit.keys import TreeHead, is_signed, published_key, sign, sign_text, signing_key
from assistant.audit.personal import login_subject, sealed_fields
from assistant.audit.receipt import head_json, read_head, receipt_json
from assistant.audit.terms import terms_of
from assistant.errors import (
    AssistantError,
    AuditTampered,
    AuditUnavailable,
    Conflict,
    NotFound,
)
from assistant.store import ledger, subject_keys
from assistant.store.database import Database, DriverError
from assistant.store.ledger import Frontier, StoredEvent, StoredHead, Wanted

Told = Callable[[int, int], None]
"""Is told how many events were looked at, of how many."""

_TELL_EVERY = 1000
_N_TAIL_BYTES = 1 << 16
_ENDING = re.compile(rb',"seq":(0|[1-9][0-9]*),"type":"[a-z_.]+","v":1\}\Z')


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk over the whole log found.

    No event before `first_bad_seq` is wrong; where an event's own hash fails it is that event,
    else the damage lies between it and the next signed head. `n_heads` signed heads were checked,
    the largest over `n_sealed` events.
    """

    ok: bool
    n_events: int
    n_heads: int
    n_sealed: int
    first_bad_seq: int | None = None
    reason: str = ""


class AuditLog:
    """The log of one database, with its outside copy of the heads in the data folder.

    It seals with the `key` it is given, else with the one in the data folder. With
    `sealed_elsewhere` another process has the key, and this one only reads what that one has
    signed. `copy` is one more file for the heads. Whatever keeps an event from being written raises
    `AuditUnavailable`: answer nothing then.
    """

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        *,
        sealed_elsewhere: bool = False,
        key: Ed25519PrivateKey | None = None,
        copy: Path | None = None,
    ) -> None:
        self._database = database
        self._keys = data_dir / "keys"
        self._key = None if sealed_elsewhere else key or signing_key(self._keys)
        self._outside = data_dir / "audit" / "heads.jsonl"
        self._copies = [self._outside, *([copy] if copy else [])]

    @property
    def public_key(self) -> Ed25519PublicKey:
        """Return the key that receipts are verified with."""
        return self._key.public_key() if self._key else published_key(self._keys)

    def certify(self, origin: str, text: bytes) -> bytes | None:
        """Sign a certificate with the log's key; None where another process has the key."""
        return sign_text(self._key, origin, text) if self._key else None

    @property
    def size(self) -> int:
        """Return how many events there are."""
        with self._database.snapshot() as conn:
            return _frontier(conn).size

    def append(self, conn: Connection, event: Event) -> int:
        """Add an event in the caller's transaction and return its seq.

        Do it last: the frontier stays locked until the commit, and appenders queue behind it.
        """
        with _writing():
            sealed = sealed_fields(conn, event)
            before = ledger.frontier(conn, lock=True)
            if before is None:
                raise AuditUnavailable("The audit log was damaged; run `assistant audit verify`.")
            body = canonical(event, before.size, sealed)
            leaf = merkle.leaf_hash(body)
            nodes = _split(before.nodes)
            grown = merkle.append(nodes, before.size, leaf)
            ledger.append_event(
                conn,
                StoredEvent(before.size, leaf, body),
                terms_of(body),
                Frontier(before.size + 1, b"".join(grown)),
                b"".join(merkle.completed(nodes, before.size, leaf)),
            )
        return before.size

    def record(self, event: Event) -> int:
        """Add an event in a transaction of its own and return its seq once it is committed."""
        with _writing(), self._database.begin() as conn:
            return self.append(conn, event)

    def seal(self) -> TreeHead | None:
        """Sign the root over all committed events; None for an empty log.

        Where another process seals, its newest head is returned. The head is committed to the
        database, then appended to the files outside it. Raises `AuditTampered` rather than sign a
        log that is shorter than one signed before.
        """
        if self._key is None:
            with self._database.snapshot() as conn:
                found = ledger.newest_head(conn)
            return _signed(found) if found else None
        with _writing():
            with self._database.begin() as conn:
                now = _frontier(conn)
                if now.size == 0:
                    return None
                newest = ledger.newest_head(conn)
                if newest is not None and newest.size > now.size:
                    raise AuditTampered()
                head = sign(
                    self._key,
                    now.size,
                    merkle.root_of(_split(now.nodes)),
                    utc(datetime.now(UTC)),
                )
                if not ledger.add_head(conn, _stored(head)):
                    newest = ledger.newest_head(conn)
                    head = _signed(newest) if newest is not None else head
            _keep_all(self._copies, head)
        return head

    def seal_if_due(self, max_events: int = 1000, max_age_s: float = 60.0) -> TreeHead | None:
        """Seal if enough events, or any events and enough seconds, came after the newest head."""
        with self._database.snapshot() as conn:
            newest = ledger.newest_head(conn)
            n_new = _frontier(conn).size - (newest.size if newest else 0)
        if n_new == 0:
            return None
        if newest is not None and n_new < max_events:
            age = datetime.now(UTC) - datetime.fromisoformat(newest.sealed_at)
            if 0 <= age.total_seconds() < max_age_s:
                return None
        return self.seal()

    def verify(self, told: Told | None = None) -> Verification:
        """Hash every event again and compare with every signed head, inside and outside.

        `told` is called now and then with how many events were hashed, of how many.
        """
        # Outside first: whatever head is read there, the snapshot has its events.
        try:
            outside = self._read_outside()
        except ValueError as error:
            return Verification(False, 0, 0, 0, 0, f"{self._outside} can't be read: {error}")
        with self._database.snapshot() as conn:
            heads = [*map(_signed, ledger.heads(conn)), *outside]
            genuine = [head for head in heads if is_signed(head, self.public_key)]
            now = ledger.frontier(conn)
            events = ledger.events(conn)
            if told is not None:
                events = _counted(events, now.size if now else 0, told)
            found = _walk(events, genuine, now)
        forged = sorted(head.size for head in heads if head not in genuine)
        if not found.ok or not forged:
            return found
        before = max((head.size for head in genuine if head.size < forged[0]), default=0)
        reason = f"the head over {forged[0]} events is not signed by this log's key"
        return replace(found, ok=False, first_bad_seq=before, reason=reason)

    def receipt(self, seq: int) -> dict[str, object]:
        """Return an event with its proof under a signed head, sealing first if none covers it.

        `receipt.verify_receipt` checks it without the database. Personal fields stay sealed in
        it, so that it may outlive an erasure. Raises `NotFound`.
        """
        with self._database.snapshot() as conn:
            newest = ledger.newest_head(conn)
        head = _signed(newest) if newest is not None else None
        if head is None or head.size <= seq:
            head = self.seal()
        if head is None or not 0 <= seq < head.size:
            if 0 <= seq < self.size:
                raise Conflict(f"Event {seq} is not signed yet; try again in a minute.")
            raise NotFound(f"There is no audit event {seq}.")
        with self._database.snapshot() as conn:
            event = next(ledger.events(conn, seq, seq + 1), None)
            if event is None:
                raise AuditTampered()
            return receipt_json(event.body, seq, proofs.path(conn, event, head), head)

    def find(self, wanted: Wanted, limit: int) -> list[bytes]:
        """Return the newest events that have all that is wanted, their personal fields opened."""
        with self._database.snapshot() as conn:
            keys = subject_keys.ids_of(conn, [login_subject(wanted.subject)])
            found = ledger.find(conn, replace(wanted, keys=tuple(keys)), limit)
            return [_opened(conn, event.body) for event in found]

    def export(self, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the events with `first <= seq < end`, one a line as it was hashed, then the proof.

        The proof, `{"proof": …}`, holds what `verifier.py` needs to check the lines offline. All
        is sealed first. Raises `NotFound` if there is no such event.
        """
        self.seal()
        with self._database.snapshot() as conn:
            newest = ledger.newest_head(conn)
            size = newest.size if newest is not None else 0
            end = size if end is None else min(end, size)
            if newest is None or not 0 <= first < end:
                raise NotFound(f"There are {size} audit events, none from {first} to {end}.")
            for event in ledger.events(conn, first, end):
                yield event.body + b"\n"
            proof = _proof(conn, first, end, _signed(newest))
            yield json.dumps({"proof": proof}).encode() + b"\n"

    def heads(self, after: int = 0, limit: int | None = None) -> list[TreeHead]:
        """Return signed heads over more than `after` events, the smallest first."""
        with self._database.snapshot() as conn:
            return [_signed(head) for head in ledger.heads(conn, after + 1, limit=limit)]

    def _read_outside(self) -> list[TreeHead]:
        """Read the file of heads; a line that a crash cut short at the end does not count."""
        if not self._outside.exists():
            return []
        lines = self._outside.read_text().split("\n")[:-1]
        return [read_head(json.loads(line)) for line in lines]


def _proof(conn: Connection, first: int, end: int, newest: TreeHead) -> dict[str, object]:
    """Return what an export is verified with; the newest head is over all of it."""
    leaves = ledger.leaves(conn, end, first)
    before, after = proofs.around(conn, first, leaves, newest)
    heads = [_signed(head) for head in ledger.heads(conn, max(first, 1), end)]
    return {
        "first": first,
        "n_events": end - first,
        "size": newest.size,
        "before": [node.hex() for node in before],
        "leaves": [leaf.hex() for leaf in leaves],
        "after": [node.hex() for node in after],
        "heads": [head_json(head) for head in dict.fromkeys([*heads, newest])],
    }


def _keep_all(paths: Sequence[Path], head: TreeHead) -> None:
    """Append a head to each file; one that can't be written is no reason to leave out the next."""
    with ExitStack() as stack:
        for path in reversed(paths):
            stack.callback(_keep, path, head)


def _keep(path: Path, head: TreeHead) -> None:
    """Append a head to a file unless it is there; drops a line that a crash cut short."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = json.dumps(head_json(head), sort_keys=True).encode() + b"\n"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # The newest are at the end: years of heads are not read for each new one.
        start = max(0, file.seek(0, os.SEEK_END) - _N_TAIL_BYTES)
        file.seek(start)
        kept = file.read()
        if line in kept:
            return
        file.seek(start + kept.rfind(b"\n") + 1)
        file.truncate()
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _counted(events: Iterator[StoredEvent], of: int, told: Told) -> Iterator[StoredEvent]:
    for n, event in enumerate(events):
        if n % _TELL_EVERY == 0:
            told(n, of)
        yield event


def _walk(
    events: Iterator[StoredEvent], heads: Sequence[TreeHead], now: Frontier | None
) -> Verification:
    """Grow the tree anew from the stored events, comparing it at the size of every head."""
    roots: dict[int, set[bytes]] = {}
    for head in heads:
        roots.setdefault(head.size, set()).add(head.root)
    largest = max(roots, default=0)
    size = proven = 0
    frontier: tuple[bytes, ...] = ()

    def bad(seq: int, reason: str) -> Verification:
        return Verification(False, size, len(roots), largest, seq, reason)

    for event in events:
        if reason := _fault(event, size):
            return bad(size, reason)
        frontier = merkle.append(frontier, size, event.leaf)
        size += 1
        if size in roots:
            if roots[size] != {merkle.root_of(frontier)}:
                return bad(proven, f"the tree differs from the head signed over {size} events")
            proven = size
    if largest > size:
        return bad(size, f"events are missing: a head was signed over {largest}")
    if now is None or (now.size == size and now.nodes != b"".join(frontier)):
        return bad(proven, "the frontier differs from the events")
    if now.size != size:
        return bad(min(size, now.size), f"there are {size} events, the frontier holds {now.size}")
    return Verification(True, size, len(roots), largest)


def _fault(event: StoredEvent, expected: int) -> str:
    if event.seq != expected:
        return f"event {expected} is missing: the next one is {event.seq}"
    if merkle.leaf_hash(event.body) != event.leaf:
        return f"event {expected} was altered: its hash differs"
    written = _seq_of(event.body)
    if written is None:
        return f"event {expected} is not an event"
    return f"event {expected} was written as event {written}" if written != expected else ""


def _seq_of(body: bytes) -> object:
    """Return the number that an event was written with.

    In canonical JSON only `type` and `v` follow it: to parse all of an event takes as long as
    everything else that its verification needs.
    """
    if ending := _ENDING.search(body):
        return int(ending.group(1))
    try:
        return json.loads(body)["seq"]
    except (ValueError, KeyError, TypeError):
        return None


def _frontier(conn: Connection) -> Frontier:
    found = ledger.frontier(conn)
    if found is None:
        raise AuditUnavailable("The audit log was damaged; run `assistant audit verify`.")
    return found


def _opened(conn: Connection, body: bytes) -> bytes:
    return json.dumps(subject_keys.unseal(conn, json.loads(body)), ensure_ascii=False).encode()


def _split(nodes: bytes) -> list[bytes]:
    width = merkle.HASH_BYTES
    return [nodes[i : i + width] for i in range(0, len(nodes), width)]


def _stored(head: TreeHead) -> StoredHead:
    return StoredHead(head.size, head.root, head.key_id, head.signature, head.sealed_at)


def _signed(head: StoredHead) -> TreeHead:
    return TreeHead(head.size, head.root, head.sealed_at, head.key_id, head.signature)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except (AuditUnavailable, AuditTampered):
        raise
    except (AssistantError, DriverError, OSError) as error:
        raise AuditUnavailable() from error
