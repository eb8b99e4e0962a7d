"""Build the folders of the four sample companies: `python examples/generate.py OUT_DIR`.

Text files and access sidecars are committed below `companies/` and copied as they are; PDF, DOCX
and XLSX files are written by `generators/`. Two builds give identical bytes.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
GENERATORS = {
    "banco-aurora": "bank",
    "hospital-santa-clara": "hospital",
    "casa-verde": "retailer",
    "metalnorte": "factory",
}


def build(out_dir: Path) -> None:
    """Write every company's folder below `out_dir`, replacing what an earlier build left there."""
    for company in GENERATORS:
        build_company(company, out_dir)


def build_company(company: str, out_dir: Path) -> None:
    """Write one company's folder, `out_dir/<company>`."""
    folder = out_dir / company
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(HERE / "companies" / company, folder)
    if str(HERE.parent) not in sys.path:
        sys.path.insert(0, str(HERE.parent))
    importlib.import_module(f"examples.generators.{GENERATORS[company]}").write(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the sample companies' documents.")
    parser.add_argument("out_dir", type=Path, help="folder that receives one folder per company")
    out_dir: Path = parser.parse_args().out_dir
    build(out_dir)
    files = [p for p in out_dir.rglob("*") if p.is_file() and not p.name.endswith(".toml")]
    print(f"{len(files)} documents in {out_dir}")


if __name__ == "__main__":
    main()
