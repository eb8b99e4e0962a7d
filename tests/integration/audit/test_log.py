from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from assistant.audit import merkle
from assistant.audit.event import SYSTEM, Event, QueryAccepted, SignedOut
from assistant.audit.keys import sign
from assistant.audit.log import AuditLog, Verification
from assistant.audit.receipt import head_json, read_head, verify_receipt
from assistant.errors import AuditTampered, AuditUnavailable, NotFound
from assistant.settings import DatabaseSettings, Settings
from assistant.store.database import Database, open_database

FIRST_HEAD, N_EVENTS = 5, 12
"""Events sealed by the first head; the second head covers all."""


@pytest.fixture
def log(database: Database, tmp_path: Path) -> AuditLog:
    """A log of 12 events with heads over 5 and 12 that anybody may alter."""
    audit = AuditLog(database, tmp_path)
    for number in range(N_EVENTS):
        audit.record(Event(SYSTEM, QueryAccepted(f"q{number}", "what?")))
        if number + 1 in (FIRST_HEAD, N_EVENTS):
            audit.seal()
    with database.begin() as conn:
        for table in ("audit_events", "tree_heads"):
            conn.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
    return audit


def sql(conn: Connection, statement: str, **values: object) -> None:
    conn.execute(sa.text(statement), values)


def body_of(conn: Connection, seq: int) -> bytes:
    found = sa.text("SELECT body FROM audit_events WHERE seq = :seq")
    return bytes(conn.execute(found, {"seq": seq}).scalar_one())


def rebuild(conn: Connection, size: int) -> bytes:
    """Compute all leaves and the frontier anew, as a careful forger would; returns the root."""
    frontier: tuple[bytes, ...] = ()
    for seq in range(size):
        leaf = merkle.leaf_hash(body_of(conn, seq))
        frontier = merkle.append(frontier, seq, leaf)
        sql(conn, "UPDATE audit_events SET leaf = :leaf WHERE seq = :seq", leaf=leaf, seq=seq)
    nodes = b"".join(frontier)
    sql(conn, "UPDATE audit_frontier SET size = :size, nodes = :nodes", size=size, nodes=nodes)
    return merkle.root_of(frontier)


def flip(conn: Connection) -> None:
    sql(conn, "UPDATE audit_events SET body = set_byte(body, 9, 63) WHERE seq = 7")


def flip_and_rehash(conn: Connection) -> None:
    text = body_of(conn, 7).replace(b"accepted", b"assorted")
    sql(conn, "UPDATE audit_events SET body = :body WHERE seq = 7", body=text)
    rebuild(conn, N_EVENTS)


def delete(conn: Connection) -> None:
    sql(conn, "DELETE FROM audit_events WHERE seq = 3")


def delete_and_close_the_gap(conn: Connection) -> None:
    delete(conn)
    for seq in range(4, N_EVENTS):
        sql(conn, "UPDATE audit_events SET seq = :to WHERE seq = :seq", to=seq - 1, seq=seq)
    rebuild(conn, N_EVENTS - 1)


def reorder(conn: Connection) -> None:
    for before, after in ((8, 99), (9, 8), (99, 9)):
        sql(conn, "UPDATE audit_events SET seq = :b WHERE seq = :a", a=before, b=after)
    rebuild(conn, N_EVENTS)


def truncate(conn: Connection) -> None:
    sql(conn, "DELETE FROM audit_events WHERE seq >= 10")
    rebuild(conn, 10)


def truncate_with_the_heads(conn: Connection) -> None:
    truncate(conn)
    sql(conn, "DELETE FROM tree_heads WHERE size > 10")


def insert_at_the_end(conn: Connection) -> None:
    body = body_of(conn, 3).replace(b'"seq":3', b'"seq":12')
    leaf = merkle.leaf_hash(body)
    sql(conn, "INSERT INTO audit_events VALUES (12, :leaf, :body)", leaf=leaf, body=body)


def lose_the_frontier(conn: Connection) -> None:
    sql(conn, "DELETE FROM audit_frontier")


def spoil_the_frontier(conn: Connection) -> None:
    sql(conn, "UPDATE audit_frontier SET nodes = set_byte(nodes, 40, 0)")


def new_root(conn: Connection) -> None:
    """Write history anew from event 6 on, with new heads signed by a key of one's own."""
    text = body_of(conn, 6).replace(b"accepted", b"assorted")
    sql(conn, "UPDATE audit_events SET body = :body WHERE seq = 6", body=text)
    head = sign(Ed25519PrivateKey.generate(), N_EVENTS, rebuild(conn, N_EVENTS), "2026")
    sql(
        conn,
        "UPDATE tree_heads SET root = :root, key_id = :key_id, signature = :signature "
        "WHERE size = :size",
        **{"root": head.root, "key_id": head.key_id},
        **{"signature": head.signature, "size": head.size},
    )


@pytest.mark.parametrize(
    ("tamper", "first_bad_seq"),
    [
        (flip, 7),
        (flip_and_rehash, FIRST_HEAD),
        (delete, 3),
        (delete_and_close_the_gap, 3),
        (reorder, 8),
        (truncate, 10),
        (truncate_with_the_heads, 10),
        (insert_at_the_end, 12),
        (lose_the_frontier, N_EVENTS),
        (spoil_the_frontier, N_EVENTS),
        (new_root, FIRST_HEAD),
    ],
)
def test_every_alteration_is_found(
    log: AuditLog, database: Database, tamper: Callable[[Connection], None], first_bad_seq: int
) -> None:
    assert log.verify().ok
    with database.begin() as conn:
        tamper(conn)
    found = log.verify()
    assert not found.ok
    assert (found.first_bad_seq, bool(found.reason)) == (first_bad_seq, True)


def test_an_untouched_log_verifies(log: AuditLog) -> None:
    assert log.verify() == Verification(True, N_EVENTS, 2, N_EVENTS)


def test_a_forged_head_is_found_though_all_events_are_right(
    log: AuditLog, database: Database
) -> None:
    with database.begin() as conn:
        sql(conn, "UPDATE tree_heads SET sealed_at = 'never' WHERE size = 12")
    found = log.verify()
    assert (found.ok, found.first_bad_seq) == (False, FIRST_HEAD)
    assert "not signed" in found.reason


def test_events_can_only_be_added(database: Database, tmp_path: Path) -> None:
    AuditLog(database, tmp_path).record(Event(SYSTEM, SignedOut()))
    for statement in (
        "UPDATE audit_events SET body = ''",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "DELETE FROM tree_heads",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="only grows"), database.begin() as conn:
            sql(conn, statement)


def test_a_rolled_back_event_was_never_there(log: AuditLog, database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.begin() as conn:
        print(log.append(conn, Event(SYSTEM, SignedOut())) // 0)
    assert log.record(Event(SYSTEM, SignedOut())) == N_EVENTS
    assert log.verify().n_events == N_EVENTS + 1


def test_a_receipt_proves_its_event_alone(log: AuditLog) -> None:
    for seq in (0, 4, 11):
        event = verify_receipt(json.loads(json.dumps(log.receipt(seq))), log.public_key)
        assert (event["seq"], event["type"]) == (seq, "query.accepted")
    later = log.record(Event(SYSTEM, SignedOut()))
    assert verify_receipt(log.receipt(later), log.public_key)["type"] == "auth.signed_out"
    for missing in (-1, 13, 10**6):
        with pytest.raises(NotFound):
            log.receipt(missing)


def _leaf_paths(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    if isinstance(value, dict):
        return [p for key, item in value.items() for p in _leaf_paths(item, (*path, key))]
    if isinstance(value, list):
        return [p for number, item in enumerate(value) for p in _leaf_paths(item, (*path, number))]
    return [path]


def test_no_part_of_a_receipt_can_be_changed(log: AuditLog) -> None:
    receipt = log.receipt(6)
    paths = [path for path in _leaf_paths(receipt) if path != ("v",)]
    assert len(paths) > 15
    for path in paths:
        for damage in ("x", 7, None, "00" * 32):
            forged: Any = copy.deepcopy(receipt)
            part = forged
            for key in path[:-1]:
                part = part[key]
            if part[path[-1]] == damage:
                continue
            part[path[-1]] = damage
            with pytest.raises(AuditTampered):
                verify_receipt(forged, log.public_key)
    with pytest.raises(AuditTampered, match="signed by this key"):
        verify_receipt(receipt, Ed25519PrivateKey.generate().public_key())


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=4))
def test_junk_is_no_receipt(junk: Any) -> None:
    key = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(AuditTampered):
        verify_receipt({"body": junk, "head": junk, "proof": junk, "seq": junk}, key)


def test_heads_are_sealed_when_due(database: Database, tmp_path: Path) -> None:
    log = AuditLog(database, tmp_path)
    assert log.seal() is None
    assert log.seal_if_due() is None
    log.record(Event(SYSTEM, SignedOut()))
    first = log.seal_if_due()
    assert first is not None
    assert log.seal() == first
    assert log.seal_if_due() is None
    log.record(Event(SYSTEM, SignedOut()))
    assert log.seal_if_due() is None
    second = log.seal_if_due(max_events=1)
    assert second is not None
    assert (first.size, second.size) == (1, 2)
    log.record(Event(SYSTEM, SignedOut()))
    third = log.seal_if_due(max_age_s=0)
    assert third is not None
    lines = (tmp_path / "audit" / "heads.jsonl").read_text().splitlines()
    assert [read_head(json.loads(line)) for line in lines] == [first, second, third]
    assert read_head(head_json(third)) == third


@pytest.mark.parametrize("n_earlier", [0, 1_000])
def test_a_line_that_a_crash_cut_short_does_not_count(
    log: AuditLog, tmp_path: Path, n_earlier: int
) -> None:
    path = tmp_path / "audit" / "heads.jsonl"
    kept = path.read_text()
    path.write_text(kept.splitlines(keepends=True)[0] * n_earlier + kept)
    before = len(path.read_text().splitlines())
    with path.open("a") as file:
        file.write('{"size": 12, "ro')
    assert log.verify().ok
    log.record(Event(SYSTEM, SignedOut()))
    log.seal()
    assert len(path.read_text().splitlines()) == before + 1
    assert log.verify().n_heads == 3


def test_a_head_that_a_crash_kept_from_the_file_is_added(log: AuditLog, tmp_path: Path) -> None:
    path = tmp_path / "audit" / "heads.jsonl"
    whole = path.read_text()
    path.write_text(whole.splitlines(keepends=True)[0])
    log.seal()
    assert path.read_text() == whole


def test_a_shortened_log_is_not_sealed(log: AuditLog, database: Database) -> None:
    with database.begin() as conn:
        truncate(conn)
    with pytest.raises(AuditTampered):
        log.seal()


def test_the_key_is_private_and_kept(database: Database, tmp_path: Path) -> None:
    first = AuditLog(database, tmp_path).public_key.public_bytes_raw()
    assert AuditLog(database, tmp_path).public_key.public_bytes_raw() == first
    path = tmp_path / "keys" / "audit.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("junk")
    with pytest.raises(AuditUnavailable, match="backup"):
        AuditLog(database, tmp_path)


def test_without_the_database_nothing_is_recorded(tmp_path: Path) -> None:
    url = DatabaseSettings.model_validate({"url": "postgresql://x@127.0.0.1:1/x"})
    with closing(open_database(Settings(data_dir=tmp_path, database=url))) as gone:
        log = AuditLog(gone, tmp_path)
        with pytest.raises(AuditUnavailable):
            log.record(Event(SYSTEM, SignedOut()))
        with pytest.raises(AuditUnavailable):
            log.seal()


def test_a_write_that_fails_in_the_callers_transaction_says_so(
    log: AuditLog, database: Database
) -> None:
    with database.begin() as conn:
        sql(conn, "DROP TABLE audit_events CASCADE")
    with pytest.raises(AuditUnavailable), database.begin() as conn:
        log.append(conn, Event(SYSTEM, SignedOut()))
