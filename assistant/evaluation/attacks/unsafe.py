"""Unsafe files, each through the confined reader: refused or contained, and the next one read."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from assistant.errors import InvalidRequest
from assistant.evaluation.attacks.urls import Probed
from connectors.readers import Limits, ReadError, Sandbox

_MOST_GROWN = 512 * 1024 * 1024
_GRACE_S = 15.0
_REFUSALS = ("refus", "reject", "error", "fail", "block", "quarantin", "den")
_EITHER = ("contain", "safe", "neutral", "strip", "drop", "limit", "ignor", "no_", "not_", "read")


def run(folder: Path) -> Probed:
    """Read every file of `files/MANIFEST.json`, none where there is no such file."""
    found = Probed("files")
    path = folder / "files" / "MANIFEST.json"
    if not path.exists():
        return found
    with Sandbox() as sandbox:
        for entry in _entries(path):
            name, expect = str(entry.get("file", "")), str(entry.get("expect", "")).lower()
            kind = f"file: {entry.get('kind', '')}"
            if not _is_known(expect):
                found.not_run[f"files: {expect or '(no expect)'}"] += 1
                continue
            found.run.append((name, kind, read(sandbox, path.parent / name, expect)))
    return found


def read(sandbox: Sandbox, path: Path, expect: str) -> list[str]:
    """Return what went wrong when one file was read: it must cost little and reach nothing."""
    wrong: list[str] = []
    limits = Limits()
    process, started = psutil.Process(), time.monotonic()
    memory, beside = process.memory_info().rss, _listed(path.parent)
    try:
        reading = sandbox.read(path, limits=limits)
    except ReadError:
        pass
    else:
        if _must_refuse(expect):
            wrong.append(f"{path.name} was read, though it is to be refused")
        if "root:x:0:" in "\n".join(block.text for block in reading.blocks):
            wrong.append(f"{path.name} brought a file of the host")
    if time.monotonic() - started > limits.wall_s + 2 * limits.ocr_s + _GRACE_S:
        wrong.append(f"{path.name} took longer than its limit")
    if process.memory_info().rss - memory > _MOST_GROWN:
        wrong.append(f"{path.name} took memory of this process")
    if strays := _listed(path.parent) - beside:
        wrong.append(f"{path.name} wrote {sorted(strays)[:3]}")
    if not _reads_on(sandbox):
        wrong.append(f"after {path.name} the next file was not read")
    return wrong


def _entries(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        listed = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InvalidRequest(f"{path} is not JSON ({error}): correct it.") from error
    if isinstance(listed, dict):
        listed = listed.get("files", listed)
    if isinstance(listed, dict):
        listed = [{"file": name, **entry} for name, entry in listed.items()]
    return [entry for entry in listed if isinstance(entry, dict)]


def _is_known(expect: str) -> bool:
    return any(word in expect for word in (*_REFUSALS, *_EITHER))


def _must_refuse(expect: str) -> bool:
    refused = any(word in expect for word in _REFUSALS)
    return refused and not any(word in expect for word in ("contain", " or ", "_or_", "|"))


def _listed(folder: Path) -> set[str]:
    """Return what lies beside a file, in the folder above, and in the working folder."""
    return {str(p) for place in (folder, folder.parent, Path.cwd()) for p in place.iterdir()}


def _reads_on(sandbox: Sandbox) -> bool:
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        path = Path(folder) / "next.txt"
        path.write_text("The next file is read.")
        try:
            return bool(sandbox.read(path).blocks)
        except ReadError:
            return False
