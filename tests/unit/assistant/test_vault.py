"""Secrets are sealed for one field of one source, and keys can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from assistant.errors import SettingsError
from assistant.settings import ConnectorSettings, Settings
from assistant.vault import KEY_FILE, vault

CANARY = "canary-3f9a"


def keyed(folder: Path, *keys: bytes) -> Settings:
    text = " ".join(key.decode() for key in keys)
    return Settings(
        data_dir=folder, connectors=ConnectorSettings.model_validate({"secret_keys": text})
    )


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    sealed = vault(settings).seal("bank", "password", SecretStr(CANARY))
    file = tmp_path / "data" / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [KEY_FILE]
    opened = vault(settings).unseal("bank", {"password": sealed})
    assert opened["password"].get_secret_value() == CANARY
    assert CANARY not in sealed + repr(opened) + repr(vault(settings))


def test_a_secret_opens_only_where_it_belongs(tmp_path: Path) -> None:
    safe = vault(Settings(data_dir=tmp_path))
    sealed = safe.seal("bank", "password", SecretStr(CANARY))
    for source, field, token in (
        ("shop", "password", sealed),
        ("bank", "token", sealed),
        ("bank", "password", sealed[:-6] + "AAAAAA"),
        ("bank", "password", "no token"),
    ):
        with pytest.raises(SettingsError, match="set it again") as caught:
            safe.unseal(source, {field: token})
        assert CANARY not in str(caught.value)


def test_keys_rotate(tmp_path: Path) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealed = vault(keyed(tmp_path, old)).seal("bank", "password", SecretStr(CANARY))
    both = vault(keyed(tmp_path, new, old))
    (secret,) = both.unseal("bank", {"password": sealed}).values()
    again = both.seal("bank", "password", secret)
    alone = vault(keyed(tmp_path, new))
    assert alone.unseal("bank", {"password": again})["password"].get_secret_value() == CANARY
    with pytest.raises(SettingsError, match="set it again"):
        alone.unseal("bank", {"password": sealed})
    assert not (tmp_path / KEY_FILE).exists()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    vault(Settings(data_dir=tmp_path))
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        vault(Settings(data_dir=tmp_path))


@pytest.mark.parametrize("text", ["", "short", "ÿÿ"])
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / KEY_FILE
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(SettingsError, match=KEY_FILE) as caught:
        vault(Settings(data_dir=tmp_path))
    assert "short" not in str(caught.value)
