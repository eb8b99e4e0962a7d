"""Reading files from the command line: one in full, several as one line each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def read(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant.cli.main", "read", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ),
    )


def test_a_folder_is_a_line_a_file(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "prices.csv").write_text("item,price\npump,10\nvalve,4\n")
    (tmp_path / "a.md").write_text("# Férias\n\nTrinta dias por ano de trabalho.\n")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / ".hidden.md").write_text("# Hidden")
    (tmp_path / "link.md").symlink_to(tmp_path / "a.md")
    done = read(str(tmp_path), "--json")
    assert done.returncode == 0
    note, broken, prices = map(json.loads, done.stdout.splitlines())
    assert Path(note["file"]) == tmp_path / "a.md"
    assert note["blocks"] == {"heading": 1, "paragraph": 1}
    assert note["lang"] == "pt"
    assert broken["error"]["cause"] == "corrupt"
    assert Path(broken["file"]).name == "broken.pdf"
    assert prices["rows"] == 2
    assert all(line["seconds"] >= 0 for line in (note, broken, prices))
    assert "2 of 3 files read" in done.stderr
    assert "1 corrupt" in done.stderr
    plain = read(str(tmp_path / "a.md"), str(tmp_path / "broken.pdf"))
    assert plain.stdout.splitlines()[1].startswith("✗ ")


def test_one_file_is_shown_in_full_and_nothing_readable_is_an_error(tmp_path: Path) -> None:
    note = tmp_path / "a.md"
    note.write_text("# Note\n\nBody.\n")
    assert [block["text"] for block in json.loads(read(str(note), "--json").stdout)["blocks"]] == [
        "Note",
        "Body.",
    ]
    note.write_bytes(b"%PDF-1.7 nothing")
    assert read(str(tmp_path)).returncode == 1
    assert read(str(tmp_path / "none")).returncode == 2
    note.unlink()
    assert read(str(tmp_path)).returncode == 2
