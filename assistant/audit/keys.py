"""The Ed25519 key that signs tree heads, and the heads it has signed.

The private key, `audit.pem`, belongs to whoever seals. Where that is a separate process, the
others know only `audit.pub`, which the sealer puts into their data folder.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from assistant import whole_file
from assistant.errors import AuditUnavailable

_ORIGIN = "enterprise-assistant audit log v1"


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A signed root over the first `size` events. `key_id` names the key that signed it."""

    size: int
    root: bytes
    sealed_at: str
    key_id: str
    signature: bytes


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """Return the key in `audit.pem` of this folder, made (mode 0600) if there is none.

    Raises `AuditUnavailable` if the file can't be read, written or understood.
    """
    path = folder / "audit.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _create(path)
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise AuditUnavailable(
            f"The key of the audit log, {path}, can't be used ({error}); restore it from a backup."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditUnavailable(f"{path} is not an Ed25519 key; restore it from a backup.")
    return key


def publish(folder: Path, key: Ed25519PublicKey) -> None:
    """Put a public key where readers look for it; raises `AuditUnavailable` if another is there."""
    path = folder / "audit.pub"
    pem = public_pem(key)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            whole_file.put(path, pem, mode=0o644)
        if path.read_bytes() != pem:
            raise AuditUnavailable(
                f"{path} is the key of another sealer; give the sealer its old keys back, or keep "
                "that file with the heads it signed and remove it here."
            )
    except OSError as error:
        raise AuditUnavailable(
            f"The sealer's key can't be published in {path}: {error}."
        ) from error


def published_key(folder: Path) -> Ed25519PublicKey:
    """Return the public key that a separate sealer has published.

    Raises `AuditUnavailable` if there is none, or it can't be understood.
    """
    path = folder / "audit.pub"
    try:
        key = load_pem_public_key(path.read_bytes())
    except FileNotFoundError as error:
        raise AuditUnavailable(
            f"The sealer has not published its key, {path}, yet; start it with "
            "`assistant audit seal --keys FOLDER --every 15`."
        ) from error
    except (OSError, ValueError) as error:
        raise AuditUnavailable(f"The sealer's key, {path}, can't be used ({error}).") from error
    if not isinstance(key, Ed25519PublicKey):
        raise AuditUnavailable(f"{path} is not an Ed25519 key.")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name of a key: the first 16 hex digits of its hash."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def sign(key: Ed25519PrivateKey, size: int, root: bytes, sealed_at: str) -> TreeHead:
    """Sign the root over the first `size` events."""
    name = key_id(key.public_key())
    return TreeHead(size, root, sealed_at, name, key.sign(_note(size, root, sealed_at)))


def sign_text(key: Ed25519PrivateKey, origin: str, text: bytes) -> bytes:
    """Sign something else than a head; `origin` names what, so that neither passes as another."""
    return key.sign(origin.encode() + b"\n" + text)


def is_signed_text(key: Ed25519PublicKey, origin: str, text: bytes, signature: bytes) -> bool:
    """Tell whether this key signed a text as `origin`."""
    try:
        key.verify(signature, origin.encode() + b"\n" + text)
    except InvalidSignature:
        return False
    return True


def is_signed(head: TreeHead, key: Ed25519PublicKey) -> bool:
    """Tell whether this key signed the head."""
    if head.key_id != key_id(key):
        return False
    try:
        key.verify(head.signature, _note(head.size, head.root, head.sealed_at))
    except InvalidSignature:
        return False
    return True


def _note(size: int, root: bytes, sealed_at: str) -> bytes:
    return f"{_ORIGIN}\n{size}\n{root.hex()}\n{sealed_at}\n".encode()


def _create(path: Path) -> None:
    """Write a new key; of several processes the first one's stays."""
    whole_file.make(path, _pem(Ed25519PrivateKey.generate()))


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
