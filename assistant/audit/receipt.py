"""Receipts: an event, its place in the tree, and the signed root, verifiable without us."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import JsonValue

from assistant.audit import merkle
from assistant.audit.keys import TreeHead, is_signed
from assistant.errors import AuditTampered

VERSION = 1


def receipt_json(
    body: bytes, seq: int, proof: tuple[bytes, ...], head: TreeHead
) -> dict[str, object]:
    """Return the receipt of an event as a JSON document; `body` is its canonical JSON."""
    return {
        "v": VERSION,
        "seq": seq,
        "event": json.loads(body),
        "body": body.decode(),
        "proof": [node.hex() for node in proof],
        "head": head_json(head),
    }


def verify_receipt(receipt: Mapping[str, Any], key: Ed25519PublicKey) -> dict[str, JsonValue]:
    """Return the event that a receipt proves.

    Raises `AuditTampered` if the head is not signed by `key`, if the proof does not lead to its
    root, or if the receipt shows another event than the proven one.
    """
    try:
        body = receipt["body"].encode()
        head = read_head(receipt["head"])
        proof = [bytes.fromhex(node) for node in receipt["proof"]]
        if not is_signed(head, key):
            raise AuditTampered("The receipt's tree head is not signed by this key.")
        merkle.verify_inclusion(merkle.leaf_hash(body), receipt["seq"], head.size, proof, head.root)
        event: dict[str, JsonValue] = json.loads(body)
        is_same = event == receipt["event"] and event["seq"] == receipt["seq"]
    except merkle.ProofError as error:
        raise AuditTampered(f"The receipt does not prove its event: {error}.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AuditTampered("The receipt is damaged: it can't be read.") from error
    if not is_same:
        raise AuditTampered("The receipt shows another event than the one it proves.")
    return event


def head_json(head: TreeHead) -> dict[str, JsonValue]:
    """Return a signed head as JSON."""
    return {
        "size": head.size,
        "root": head.root.hex(),
        "sealed_at": head.sealed_at,
        "key_id": head.key_id,
        "signature": base64.b64encode(head.signature).decode(),
    }


def read_head(value: Mapping[str, Any]) -> TreeHead:
    """Return the head of a JSON value; raises `ValueError` if it is none."""
    try:
        return TreeHead(
            size=int(value["size"]),
            root=bytes.fromhex(value["root"]),
            sealed_at=str(value["sealed_at"]),
            key_id=str(value["key_id"]),
            signature=base64.b64decode(value["signature"], validate=True),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not a signed tree head") from error
