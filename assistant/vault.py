"""The vault that seals connectors' secrets, so that the database never holds one in plain text.

A sealed secret is a Fernet token (AES-128-CBC, HMAC-SHA256) over the names of source and field
and the text: a token moved to another source or field does not open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from assistant import whole_file
from assistant.errors import SettingsError
from assistant.settings import Settings

KEY_FILE = "secret.key"


@dataclass(frozen=True, slots=True, repr=False)
class Vault:
    """Seals with the first of its keys and opens with any of them."""

    keys: MultiFernet

    def seal(self, source: str, field: str, secret: SecretStr) -> str:
        """Return a secret sealed for one field of one source."""
        content = json.dumps([source, field, secret.get_secret_value()]).encode()
        return self.keys.encrypt(content).decode()

    def unseal(self, source: str, sealed: Mapping[str, str]) -> dict[str, SecretStr]:
        """Return a source's secrets by field.

        Raises `SettingsError` if a key is lost, or a token was altered or moved.
        """
        return {field: self._open(source, field, token) for field, token in sealed.items()}

    def _open(self, source: str, field: str, token: str) -> SecretStr:
        try:
            of, name, text = json.loads(self.keys.decrypt(token))
        except InvalidToken:
            of = name = text = ""
        if (of, name) != (source, field):
            raise SettingsError(
                f"The secret {field!r} of the source {source} can't be opened with the keys "
                f"there are: bring back the key that sealed it ({KEY_FILE} or "
                "`connectors.secret_keys`), or set it again with "
                f"`assistant connector add {source} TYPE --secret {field}`."
            )
        return SecretStr(text)


def vault(settings: Settings) -> Vault:
    """Return the vault with the settings' keys, or those of `secret.key` in the data folder.

    The file, one key a line, is made (mode 0600) if there is none. Raises `SettingsError` if a
    key is not one, or if others than the owner may read the file.
    """
    chosen = settings.connectors.secret_keys
    if chosen is not None:
        return _vault(chosen.get_secret_value(), "The setting `connectors.secret_keys`")
    path = settings.data_dir / KEY_FILE
    try:
        if not path.exists():
            _create(path)
        if path.stat().st_mode & 0o077:
            raise SettingsError(f"Others may read {path}; run: chmod 600 {path}")
        return _vault(path.read_text(encoding="ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(
            f"{path} can't be used ({why}); restore it from a backup, or move it away and set "
            "the secrets of the connectors again."
        ) from error


def _vault(text: str, where: str) -> Vault:
    try:
        keys = [Fernet(key) for key in text.split()]
    except ValueError:
        keys = []
    if not keys:
        raise SettingsError(
            f"{where} holds no Fernet keys (32 bytes in URL-safe base64 each); correct it."
        )
    return Vault(MultiFernet(keys))


def _create(path: Path) -> None:
    """Write a new key; of several processes the first one's stays."""
    whole_file.make(path, Fernet.generate_key() + b"\n")
