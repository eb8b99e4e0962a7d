"""Exports and receipts, verified by the stand-alone program in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.audit import keys, merkle, verifier
from assistant.audit.event import SYSTEM, DocumentOpened, Event, QueryAccepted
from assistant.audit.keys import public_pem, sign
from assistant.audit.log import AuditLog
from assistant.audit.receipt import head_json
from assistant.errors import AuditUnavailable, Conflict, NotFound
from assistant.store import ledger
from assistant.store.database import Database
from assistant.store.ledger import Wanted

N_EVENTS = 23
N_FIRST_HEAD = 9


@pytest.fixture
def log(database: Database, tmp_path: Path) -> AuditLog:
    audit = AuditLog(database, tmp_path)
    for number in range(N_EVENTS):
        audit.record(Event(SYSTEM, QueryAccepted(f"q{number}", f"what is {number}?\n")))
        if number + 1 == N_FIRST_HEAD:
            audit.seal()
    return audit


def verdict(folder: Path, key: bytes, document: bytes, *heads: Path) -> tuple[int, str]:
    """Run the program with nothing but the standard library and `cryptography`."""
    (folder / "key.pem").write_bytes(key)
    (folder / "document").write_bytes(document)
    program = folder / "verify_audit.py"
    program.write_text(Path(verifier.__file__).read_text("utf-8"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", program, folder / "key.pem", folder / "document", *heads],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_program_knows_nothing_of_the_assistant() -> None:
    text = Path(verifier.__file__).read_text("utf-8")
    imports = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert imports
    assert not [line for line in imports if "assistant" in line]


def test_receipts_and_exports_verify_elsewhere(log: AuditLog, tmp_path: Path) -> None:
    key = public_pem(log.public_key)
    receipt = json.dumps(log.receipt(5), indent=2).encode()
    assert verdict(tmp_path, key, receipt)[0] == 0
    whole = b"".join(log.export())
    code, said = verdict(tmp_path, key, whole, tmp_path / "audit" / "heads.jsonl")
    assert (code, said) == (0, f"OK: {N_EVENTS} events are those that were signed\n")
    for first, end in ((0, 1), (7, 15), (N_FIRST_HEAD, N_EVENTS), (22, 23)):
        part = b"".join(log.export(first, end))
        assert part.count(b"\n") == end - first + 1
        assert verdict(tmp_path, key, part)[0] == 0
    other = public_pem(Ed25519PrivateKey.generate().public_key())
    assert verdict(tmp_path, other, whole)[0] == 1
    assert verdict(tmp_path, key, b"{}")[0] == 2
    assert verdict(tmp_path, b"junk", whole)[0] == 2
    for first, end in ((N_EVENTS, N_EVENTS + 1), (3, 3), (-1, 2)):
        with pytest.raises(NotFound):
            list(log.export(first, end))


def test_the_first_bad_event_is_named(log: AuditLog) -> None:
    lines = b"".join(log.export(4)).rstrip(b"\n").split(b"\n")
    for at in range(len(lines) - 1):
        flipped = bytes([lines[at][20] ^ 1]).join([lines[at][:20], lines[at][21:]])
        for changed in (
            [*lines[:at], flipped, *lines[at + 1 :]],
            [*lines[:at], *lines[at + 1 :]],
            [*lines[:at], lines[-2] if at < len(lines) - 2 else lines[0], *lines[at:]],
        ):
            with pytest.raises(verifier.Bad) as caught:
                verifier.check_export(changed, log.public_key, [])
            assert caught.value.seq == 4 + at


def test_a_tree_built_anew_does_not_fit_the_heads(log: AuditLog) -> None:
    *events, last = b"".join(log.export()).rstrip(b"\n").split(b"\n")
    events[12] = events[12].replace(b"accepted", b"assorted")
    leaves = [merkle.leaf_hash(body) for body in events]
    proof = json.loads(last)["proof"]
    proof["leaves"] = [leaf.hex() for leaf in leaves]
    with pytest.raises(verifier.Bad, match="differs") as caught:
        verifier.check_export([*events, json.dumps({"proof": proof}).encode()], log.public_key, [])
    assert caught.value.seq == N_FIRST_HEAD
    forged = sign(Ed25519PrivateKey.generate(), N_EVENTS, merkle.tree_root(leaves), "2026")
    proof["heads"] = [head_json(forged)]
    with pytest.raises(verifier.Bad, match="not signed"):
        verifier.check_export([*events, json.dumps({"proof": proof}).encode()], log.public_key, [])


def test_a_log_cut_back_does_not_fit_a_head_kept_elsewhere(log: AuditLog) -> None:
    lines = b"".join(log.export()).rstrip(b"\n").split(b"\n")
    kept = [head_json(head) for head in log.heads()]
    leaves = [merkle.leaf_hash(body) for body in lines[:N_FIRST_HEAD]]
    rest = [merkle.tree_root(leaves[3:4]), merkle.tree_root(leaves[4:8]), leaves[8]]
    proof = {
        "first": 0,
        "n_events": 3,
        "size": N_FIRST_HEAD,
        "before": [],
        "leaves": [leaf.hex() for leaf in leaves[:3]],
        "after": [root.hex() for root in rest],
        "heads": kept[:1],
    }
    cut = [*lines[:3], json.dumps({"proof": proof}).encode()]
    assert verifier.check_export(cut, log.public_key, []) == 3
    with pytest.raises(verifier.Bad, match="events are missing") as caught:
        verifier.check_export(cut, log.public_key, kept)
    assert caught.value.seq == 3


def test_a_part_is_proven_by_few_hashes(log: AuditLog) -> None:
    *_, last = b"".join(log.export(2, 4)).rstrip(b"\n").split(b"\n")
    proof = json.loads(last)["proof"]
    assert len(proof["leaves"]) == 2
    # Before: 0 and 1. After: 4 to 7, 8 to 15, 16 to 19, 20 to 21 and 22.
    assert (len(proof["before"]), len(proof["after"])) == (1, 5)
    assert [head["size"] for head in proof["heads"]] == [N_EVENTS]
    heads = [head_json(head) for head in log.heads()]
    lines = b"".join(log.export(2, 4)).rstrip(b"\n").split(b"\n")
    assert verifier.check_export(lines, log.public_key, heads) == 2
    for name in ("before", "after"):
        for at in range(len(proof[name])):
            for changed in ([], [proof[name][at][::-1]]):
                other = {**proof, name: [*proof[name][:at], *changed, *proof[name][at + 1 :]]}
                lines[-1] = json.dumps({"proof": other}).encode()
                with pytest.raises((verifier.Bad, IndexError)):
                    verifier.check_export(lines, log.public_key, [])


def test_an_export_of_an_earlier_version_verifies(log: AuditLog) -> None:
    lines = b"".join(log.export(5, 8)).rstrip(b"\n").split(b"\n")
    proof = json.loads(lines[-1])["proof"]
    whole = b"".join(log.export()).rstrip(b"\n").split(b"\n")[:-1]
    del proof["after"], proof["size"]
    proof["leaves"] = [verifier.leaf(body).hex() for body in whole[5:]]
    proof["heads"] = [head_json(head) for head in log.heads()]
    lines[-1] = json.dumps({"proof": proof}).encode()
    assert verifier.check_export(lines, log.public_key, []) == 3
    proof["heads"] = proof["heads"][:1]
    lines[-1] = json.dumps({"proof": proof}).encode()
    with pytest.raises(verifier.Bad, match="no signed head"):
        verifier.check_export(lines, log.public_key, [])


def test_proofs_of_one_event_read_few_rows(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.seal()
    expected = [log.receipt(seq) for seq in range(N_EVENTS)]
    monkeypatch.setattr(ledger, "leaves", lambda conn, size, start=0: [][: size - start])
    assert [log.receipt(seq) for seq in range(N_EVENTS)] == expected


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE audit_subtrees SET roots = set_byte(roots, 5, 255 - get_byte(roots, 5))",
        "UPDATE audit_subtrees SET roots = ''",
        "DELETE FROM audit_subtrees",
    ],
)
def test_wrong_subtrees_are_not_used(log: AuditLog, database: Database, damage: str) -> None:
    log.seal()
    receipts = [log.receipt(seq) for seq in range(N_EVENTS)]
    part = b"".join(log.export(6, 11))
    with database.begin() as conn:
        conn.execute(sa.text(damage))
    assert [log.receipt(seq) for seq in range(N_EVENTS)] == receipts
    assert b"".join(log.export(6, 11)) == part
    assert log.verify().ok


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_no_byte_of_an_event_can_be_flipped(log: AuditLog, data: st.DataObject) -> None:
    document = b"".join(log.export(2, 12))
    lines = document.split(b"\n")
    at = data.draw(st.integers(0, sum(map(len, lines[:10])) + 9))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(document)
    changed[at] ^= 1 << bit
    with pytest.raises((verifier.Bad, ValueError, KeyError)):
        verifier.check_export(bytes(changed).rstrip(b"\n").split(b"\n"), log.public_key, [])


@pytest.mark.parametrize(
    ("index", "size", "path", "root"),
    [
        # The vectors of the Certificate Transparency reference implementation.
        (0, 1, [], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (
            2,
            3,
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        ),
        (
            1,
            5,
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        ),
    ],
)
def test_the_program_agrees_with_the_vectors_of_rfc_6962(
    index: int, size: int, path: list[str], root: str
) -> None:
    inputs = ["", "00", "10", "2021", "3031"]
    leaf = verifier.leaf(bytes.fromhex(inputs[index]))
    nodes = [bytes.fromhex(text) for text in path]
    assert verifier.root_by_path(leaf, index, size, nodes).hex() == root
    subtrees: list[bytes] = []
    for at, text in enumerate(inputs[:size]):
        verifier.grown(subtrees, at, verifier.leaf(bytes.fromhex(text)))
    assert verifier.root(subtrees).hex() == root


@given(st.integers(1, 200), st.data())
def test_two_implementations_agree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    widths = [part.width for part in merkle.perfect(index, size)]
    assert verifier.widths(index, size) == widths
    leaves = [merkle.leaf_hash(str(i).encode()) for i in range(size)]
    proof = list(merkle.inclusion_proof(leaves, index))
    assert verifier.root_by_path(leaves[index], index, size, proof) == merkle.tree_root(leaves)


def test_events_are_found_by_what_they_name(log: AuditLog) -> None:
    log.record(Event(SYSTEM, DocumentOpened("doc-1", 2, "page 3")))
    log.record(Event(SYSTEM, DocumentOpened("doc-2", 1, "page 1")))

    def found(wanted: Wanted, limit: int = 100) -> list[int]:
        return [json.loads(body)["seq"] for body in log.find(wanted, limit)]

    assert found(Wanted(subject="doc-1")) == [N_EVENTS]
    assert found(Wanted(type="doc")) == [N_EVENTS + 1, N_EVENTS]
    assert found(Wanted(type="query.accepted"), 2) == [N_EVENTS - 1, N_EVENTS - 2]
    assert found(Wanted(query_id="q7")) == [7]
    assert found(Wanted(person_id="system", before_seq=2)) == [1, 0]
    assert found(Wanted(person_id="nobody")) == []
    first = json.loads(log.find(Wanted(query_id="q3"), 1)[0])
    at = datetime.fromisoformat(first["at"])
    assert found(Wanted(until=at)) == [2, 1, 0]
    assert found(Wanted(since=at, type="query"))[-1] == 3


def test_a_separate_sealer_alone_has_the_key(database: Database, tmp_path: Path) -> None:
    data, vault, copy = tmp_path / "data", tmp_path / "sealer", tmp_path / "far" / "heads.jsonl"
    server = AuditLog(database, data, sealed_elsewhere=True)
    seq = server.record(Event(SYSTEM, QueryAccepted("q", "?")))
    assert server.seal() is None
    with pytest.raises(Conflict, match="not signed yet"):
        server.receipt(seq)
    with pytest.raises(AuditUnavailable, match="has not published"):
        _ = server.public_key
    key = keys.signing_key(vault)
    keys.publish(data / "keys", key.public_key())
    head = AuditLog(database, data, key=key, copy=copy).seal()
    assert head is not None
    assert copy.read_bytes() == (data / "audit" / "heads.jsonl").read_bytes()
    assert server.verify().ok
    assert server.receipt(seq)["seq"] == seq
    assert sorted(path.name for path in (data / "keys").iterdir()) == ["audit.pub"]
    with pytest.raises(AuditUnavailable, match="another sealer"):
        keys.publish(data / "keys", Ed25519PrivateKey.generate().public_key())
