"""The made-up folder is the same each time, of all formats, and no two documents are alike."""

from __future__ import annotations

from pathlib import Path

from benchmarks import folders


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_calls_write_the_same(tmp_path: Path) -> None:
    folders.write(tmp_path / "one", 14)
    folders.write(tmp_path / "other", 14)
    one, other = content(tmp_path / "one"), content(tmp_path / "other")
    assert len(one) == len(set(one.values())) == 14
    assert {Path(name).suffix for name in one} == {".md", ".html", ".docx", ".pdf", ".txt", ".csv"}
    texts = {name for name in one if not name.endswith((".docx", ".pdf"))}
    assert {name: one[name] for name in texts} == {name: other[name] for name in texts}
