"""Make the environment of the GPU tests, about 3 GB, and say whether a GPU answers in it.

    python tests/gpu/install.py [--venv .venv-gpu]

Run again it only checks. `faiss-gpu-cuvs` takes the place of `faiss-cpu` (both are the package
`faiss`) and brings CUDA 13, so it never shares the project's environment. The exit code is 0 if
the tests can be run in full, 4 if they can't be or only those that need no GPU.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REQUIREMENTS = HERE / "requirements.txt"
PIP = "pip==26.3"
"""Older ones don't see that `libcuvs-cu13==26.06.*` means 26.6.0."""
VENV = ROOT / ".venv-gpu"
TESTS = ["tests/gpu", "tests/unit/indexes/test_index.py"]


def main() -> int:
    """Install what is missing, run what can be run; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=Path, default=VENV)
    options = parser.parse_args()
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        print("not run: faiss-gpu-cuvs is installed on Linux on x86-64 only")
        return 4
    python = options.venv / "bin" / "python"
    done = options.venv / ".ready"
    if not done.exists() or done.read_text() != REQUIREMENTS.read_text():
        print(f"Installing FAISS with cuVS into {options.venv} (3 GB, some minutes) ...")
        venv.create(options.venv, with_pip=True, clear=True)
        _pip(python, PIP)
        _pip(python, "-r", str(REQUIREMENTS))
        done.write_text(REQUIREMENTS.read_text())
    has_gpu = _has_gpu(python)
    chosen = "cuvs or gpu" if has_gpu else "cuvs"
    # Without conftest: that of all tests needs the database and the embedder.
    command = [str(python), "-m", "pytest", "--noconftest", "-m", chosen, *TESTS]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if not has_gpu:
        print("not run: the tests marked `gpu`, no GPU answers here")
    return code or (0 if has_gpu else 4)


def _has_gpu(python: Path) -> bool:
    code = "from indexes import gpu; print(gpu.free_bytes())"
    command = [str(python), "-c", code]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(found.stdout) > 0


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    finished = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"pip install {' '.join(arguments)} failed:\n{finished.stderr[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
