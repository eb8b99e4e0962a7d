"""The secret that API keys are hashed with, kept outside the database.

Without it a copy of the database holds nothing that a guessed key could be tried against.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading

from assistant import whole_file
from assistant.errors import SettingsError
from assistant.settings import Settings

FILE = "pepper.key"


class Pepper:
    """Hashes keys; the file is read, and made if there is none, at the first key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._pepper = b""

    def hmac(self, key_id: str, secret: str) -> bytes:
        """Return the HMAC-SHA256 of a key's id and secret; raises `SettingsError`."""
        with self._lock:
            self._pepper = self._pepper or self._read()
        said = f"{key_id}.{secret}".encode(errors="surrogateescape")
        return hmac.new(self._pepper, said, hashlib.sha256).digest()

    def _read(self) -> bytes:
        chosen = self._settings.identity.key_pepper
        if chosen is not None:
            return chosen.get_secret_value().encode()
        path = self._settings.data_dir / FILE
        try:
            if not path.exists():
                whole_file.make(path, f"{secrets.token_urlsafe(32)}\n".encode())
            if path.stat().st_mode & 0o077:
                raise SettingsError(f"Others may read {path}; run: chmod 600 {path}")
            return path.read_text(encoding="ascii").strip().encode()
        except OSError as error:
            raise SettingsError(
                f"{path} can't be used ({error.strerror}); restore it from a backup, or set "
                "`identity.key_pepper`."
            ) from error
