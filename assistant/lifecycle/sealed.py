"""The encryption of backups: whoever writes one can't read it, only the holder of the identity.

A file is `MAGIC`, the ephemeral X25519 key (32 bytes), then the payload in parts of 64 KiB, each
sealed with ChaCha20-Poly1305, as age does it (STREAM; Hoang et al. 2015): the nonce is the part's
number (11 bytes) and a byte that is 1 for the last part only. The key comes from HKDF-SHA256 over
the shared secret, salted with the ephemeral and the recipient's key. So a file that is cut short,
or whose parts were moved, does not open.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from assistant import whole_file
from assistant.errors import BackupUnusable, InvalidRequest, SettingsError

MAGIC = b"assistant-backup-v1\n"
PART_BYTES = 64 * 1024
_TAG_BYTES = 16
_RECIPIENT = "backup.pub"


class SealingWriter(io.RawIOBase):
    """Seals what is written to it for a recipient; only `finish` makes the file whole."""

    def __init__(self, target: BinaryIO, recipient: X25519PublicKey) -> None:
        ephemeral = X25519PrivateKey.generate()
        public = ephemeral.public_key()
        self._target = target
        self._cipher = _cipher(ephemeral.exchange(recipient), public, recipient)
        self._pending = bytearray()
        self._n = 0
        target.write(MAGIC + public.public_bytes_raw())

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: object) -> int:
        """Take any number of bytes."""
        given = bytes(cast("bytes", data))
        self._pending += given
        # The last part is known only at the end, so one whole part waits.
        while len(self._pending) > PART_BYTES:
            self._put(bytes(self._pending[:PART_BYTES]), is_last=False)
            del self._pending[:PART_BYTES]
        return len(given)

    def finish(self) -> None:
        """Write the last part."""
        self._put(bytes(self._pending), is_last=True)
        self._pending.clear()

    def _put(self, part: bytes, *, is_last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._n, is_last=is_last), part, None))
        self._n += 1


class SealedReader(io.RawIOBase):
    """Opens a sealed file, part by part; raises `BackupUnusable` for one that was altered."""

    def __init__(self, source: BinaryIO, identity: X25519PrivateKey) -> None:
        head = source.read(len(MAGIC) + 32)
        if not head.startswith(MAGIC) or len(head) != len(MAGIC) + 32:
            raise BackupUnusable("This is no backup of the assistant.")
        public = X25519PublicKey.from_public_bytes(head[len(MAGIC) :])
        try:
            shared = identity.exchange(public)
        except ValueError as error:
            raise BackupUnusable("The backup was altered.") from error
        self._source = source
        self._cipher = _cipher(shared, public, identity.public_key())
        self._sealed = source.read(PART_BYTES + _TAG_BYTES)
        self._open = memoryview(b"")
        self._n = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer as far as the current part goes; 0 at the end."""
        if not self._open and self._sealed:
            self._advance()
        view = memoryview(cast("bytearray", buffer)).cast("B")
        n = min(len(view), len(self._open))
        view[:n] = self._open[:n]
        self._open = self._open[n:]
        return n

    def _advance(self) -> None:
        after = self._source.read(PART_BYTES + _TAG_BYTES)
        nonce = _nonce(self._n, is_last=not after)
        try:
            self._open = memoryview(self._cipher.decrypt(nonce, self._sealed, None))
        except InvalidTag as error:
            raise BackupUnusable(
                "The backup can't be opened: another identity's, altered, or cut short."
            ) from error
        self._sealed = after
        self._n += 1


def make_identity(path: Path, data_dir: Path) -> X25519PublicKey:
    """Write a new identity to a new file (mode 0600) and leave its public half with the data.

    Raises `InvalidRequest` if the file is there, or lies in the data folder itself.
    """
    if path.resolve().is_relative_to(data_dir.resolve()):
        raise InvalidRequest(
            "Keep the identity away from the data folder: whoever has both can read every backup."
        )
    identity = X25519PrivateKey.generate()
    pem = identity.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidRequest(
            f"{path} can't be made ({error.strerror}); name a new file."
        ) from error
    try:
        with os.fdopen(file, "wb") as target:
            target.write(pem)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        path.unlink()
        raise InvalidRequest(
            f"{path} can't be written ({error.strerror}); name a file on another disk."
        ) from error
    install_recipient(data_dir, identity.public_key())
    return identity.public_key()


def read_identity(path: Path) -> X25519PrivateKey:
    """Return the identity in a file; raises `SettingsError`."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f"{path} can't be read as an identity ({error}).") from error
    if not isinstance(key, X25519PrivateKey):
        raise SettingsError(f"{path} is no identity of backups (an X25519 key).")
    return key


def install_recipient(data_dir: Path, public: X25519PublicKey) -> None:
    """Make later backups of this data folder readable by this key's holder."""
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    whole_file.put(data_dir / "keys" / _RECIPIENT, pem, mode=0o644)


def recipient(data_dir: Path) -> X25519PublicKey:
    """Return who may read backups of this data folder; raises `SettingsError` if nobody may."""
    path = data_dir / "keys" / _RECIPIENT
    try:
        key = load_pem_public_key(path.read_bytes())
    except FileNotFoundError as error:
        raise SettingsError(
            "Backups need a key of their own: run `assistant backup key FILE`, and keep that file "
            "where the server can't reach it."
        ) from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} can't be used ({error}).") from error
    if not isinstance(key, X25519PublicKey):
        raise SettingsError(f"{path} is no X25519 key.")
    return key


def _cipher(shared: bytes, public: X25519PublicKey, to: X25519PublicKey) -> ChaCha20Poly1305:
    salt = public.public_bytes_raw() + to.public_bytes_raw()
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt, MAGIC).derive(shared))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
