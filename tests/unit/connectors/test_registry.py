"""Connectors are found by their entry points, and what is missing is explained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connectors.contract import ConnectorError
from connectors.files import Files
from connectors.registry import connector_class, names


def test_the_installed_connector_is_found() -> None:
    assert "files" in names()
    assert connector_class("files").__name__ == Files.__name__


def test_an_unknown_name_lists_the_known_ones_and_says_what_to_install() -> None:
    with pytest.raises(ConnectorError, match=r"no connector 'sharepoint'; installed are: .*files"):
        connector_class("sharepoint")
    with pytest.raises(ConnectorError, match="pip install"):
        connector_class("sharepoint")


def distribution(folder: Path, name: str, entry: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[assistant.connectors]\n{entry}\n")


def test_a_third_party_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, "acme-paper", "paper = acme_paper_source:Paper")
    (tmp_path / "acme_paper_source.py").write_text("class Paper:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert connector_class("paper").__name__ == "Paper"


def test_a_package_that_can_not_be_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path, "acme-paper", "broken = acme_not_there:Paper")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConnectorError, match=r"of acme-paper can't be loaded.*acme_not_there"):
        connector_class("broken")


def test_two_packages_of_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path, "acme-paper", "twice = acme_paper:Paper")
    distribution(tmp_path, "other-paper", "twice = other_paper:Paper")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConnectorError, match="acme-paper, other-paper"):
        connector_class("twice")


def test_names_import_no_connector() -> None:
    code = (
        "import sys; from connectors.registry import names; assert names(); "
        "sys.exit('connectors.files' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
