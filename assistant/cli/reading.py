"""Reading files from the command line: one in full, several as one line each."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.console import AsJson, Data, err, out, print_json
from assistant.errors import AssistantError, InvalidRequest
from assistant.text.language import detect_language
from connectors.readers import ReadError, Reading, Sandbox, read_file, reading_json


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(read)


def read(
    files: Annotated[
        list[Path], typer.Argument(help="Files that a connector could bring, or folders of them.")
    ],
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Show what the readers understood: of one file all, of several a line each."""
    del data
    missing = [file for file in files if not file.exists()]
    if missing:
        raise InvalidRequest(f"There is no file {missing[0]}; check the path.")
    if len(files) == 1 and files[0].is_file():
        _read_one(files[0], as_json=as_json)
        return
    found = list(_files(files))
    if not found:
        raise InvalidRequest("There are no files in these folders; check the paths.")
    _read_all(found, as_json=as_json)


def _read_one(file: Path, *, as_json: bool) -> None:
    try:
        reading = read_file(file)
    except ReadError as error:
        raise AssistantError(f"{file.name} can't be read ({error.cause}): {error}") from error
    body = reading_json(reading)
    body["lang"] = _language(reading)
    if as_json:
        print_json(body)
        return
    out.print(f"{body['title']} · {body['media_type']} · {body['lang']}", style="bold")
    for block in reading.blocks:
        place = f"p{block.page} " if block.page else ""
        out.print(f"[{place}{block.kind}] {block.text}", markup=False)
    for warning in reading.warnings:
        err.print(f"! {warning}", markup=False)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and all below the folders in their order; links and dot files are not."""
    for path in paths:
        if path.is_file():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder) / name
                if not name.startswith(".") and file.is_file() and not file.is_symlink():
                    yield file


def _read_all(files: Sequence[Path], *, as_json: bool) -> None:
    causes: Counter[str] = Counter()
    start = time.perf_counter()
    with Sandbox() as sandbox, ThreadPoolExecutor(os.cpu_count()) as pool:
        for line in pool.map(lambda file: _line(sandbox, file), files):
            causes[line["error"]["cause"] if "error" in line else ""] += 1
            if as_json:
                sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
            else:
                out.print(_shown(line), markup=False)
    n_read = causes.pop("", 0)
    refused = ", ".join(f"{n} {cause}" for cause, n in causes.most_common())
    seconds = time.perf_counter() - start
    err.print(f"{n_read} of {len(files)} files read in {seconds:.1f} s. Refused: {refused or 0}.")
    if not n_read:
        raise AssistantError("None of the files can be read; each line says why.")


def _line(sandbox: Sandbox, file: Path) -> dict[str, Any]:
    """What one file holds, in numbers; or where and why it can't be read."""
    start = time.perf_counter()
    line: dict[str, Any] = {"file": str(file)}
    try:
        reading = sandbox.read(file)
    except ReadError as error:
        line["error"] = {"cause": error.cause, "message": str(error)}
    else:
        line |= _numbers(reading)
    line["seconds"] = round(time.perf_counter() - start, 3)
    return line


def _numbers(reading: Reading) -> dict[str, Any]:
    return {
        "media_type": reading.media_type,
        "title": reading.title,
        "lang": _language(reading),
        "pages": max((block.page or 0 for block in reading.blocks), default=0),
        "blocks": dict(Counter(block.kind for block in reading.blocks)),
        "rows": sum(len(block.cells) - 1 for block in reading.blocks if block.cells),
        "records": dict(Counter(record.kind for record in reading.records)),
        "characters": sum(len(block.text) for block in reading.blocks),
        "warnings": list(reading.warnings),
    }


def _shown(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"✗ {line['file']} ({line['error']['cause']}): {line['error']['message']}"
    records = f" · {sum(line['records'].values())} records" if line["records"] else ""
    counted = f"{sum(line['blocks'].values())} blocks{records} · {line['seconds']:.2f} s"
    return f"{line['file']} · {line['media_type']} · {counted}"


def _language(reading: Reading) -> str | None:
    text = "\n".join(block.text for block in reading.blocks)
    return detect_language(text, reading.lang) if text.strip() else reading.lang
