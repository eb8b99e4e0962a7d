"""A sealed file opens whole for its recipient, and not at all otherwise."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import BackupUnusable, InvalidRequest, SettingsError
from assistant.lifecycle.sealed import (
    MAGIC,
    PART_BYTES,
    SealedReader,
    SealingWriter,
    make_identity,
    read_identity,
    recipient,
)

IDENTITY = X25519PrivateKey.generate()
SIZES = st.sampled_from([0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES])


def sealed(content: bytes, step: int = 10_000) -> bytes:
    target = io.BytesIO()
    writer = SealingWriter(target, IDENTITY.public_key())
    for at in range(0, len(content), step):
        writer.write(content[at : at + step])
    writer.finish()
    return target.getvalue()


def opened(data: bytes, identity: X25519PrivateKey = IDENTITY) -> bytes:
    return io.BufferedReader(SealedReader(io.BytesIO(data), identity)).read()


@given(SIZES, st.integers(1, 2 * PART_BYTES))
def test_what_was_sealed_opens_whatever_its_size(size: int, step: int) -> None:
    content = bytes(range(251)) * (size // 251) + bytes(size % 251)
    data = sealed(content, step)
    assert opened(data) == content
    assert content[:64] not in data or size < 64


@given(st.data(), SIZES)
def test_no_byte_can_be_changed(data: st.DataObject, size: int) -> None:
    whole = bytearray(sealed(b"x" * size))
    at = data.draw(st.integers(0, len(whole) - 1))
    # X25519 ignores the highest bit of a key, and the salt has all of them.
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BackupUnusable):
        opened(bytes(whole))


@pytest.mark.parametrize("n_parts", [1, 2])
def test_a_file_cut_short_does_not_open(n_parts: int) -> None:
    whole = sealed(b"x" * (3 * PART_BYTES))
    with pytest.raises(BackupUnusable):
        opened(whole[: len(MAGIC) + 32 + n_parts * (PART_BYTES + 16)])
    with pytest.raises(BackupUnusable):
        opened(whole[:-1])
    with pytest.raises(BackupUnusable):
        opened(whole[:20])


def test_parts_can_not_change_places() -> None:
    whole, head, part = sealed(b"ab" * (2 * PART_BYTES)), len(MAGIC) + 32, PART_BYTES + 16
    moved = (
        whole[:head]
        + whole[head + part : head + 2 * part]
        + whole[head : head + part]
        + whole[head + 2 * part :]
    )
    with pytest.raises(BackupUnusable):
        opened(moved)


def test_another_identity_opens_nothing() -> None:
    with pytest.raises(BackupUnusable, match="another identity"):
        opened(sealed(b"x"), X25519PrivateKey.generate())


def test_the_identity_is_a_new_private_file_away_from_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with pytest.raises(SettingsError, match="backup key"):
        recipient(data)
    made = make_identity(tmp_path / "identity", data)
    assert (tmp_path / "identity").stat().st_mode & 0o777 == 0o600
    assert read_identity(tmp_path / "identity").public_key() == made == recipient(data)
    with pytest.raises(InvalidRequest, match="new file"):
        make_identity(tmp_path / "identity", data)
    with pytest.raises(InvalidRequest, match="away"):
        make_identity(data / "identity", data)
