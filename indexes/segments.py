"""The files of a word index, as tantivy keeps them: segments, and `meta.json` that names them."""

from __future__ import annotations

import json
from pathlib import Path

from indexes.model import SearchIndexError

_N_TRIES = 20


def link(source: Path, target: Path) -> None:
    """Put hard links to the files of the last commit into an empty folder.

    Files never change once written, only `meta.json` is replaced as a whole: so the links are a
    copy that later commits leave alone. Raises `SearchIndexError` if segments are merged all the
    time.
    """
    for _ in range(_N_TRIES):
        try:
            return _link(source, target)
        except FileNotFoundError:
            # A merge of segments has ended in the meantime and left other files.
            for path in target.iterdir():
                path.unlink()
    raise SearchIndexError("The word index doesn't stand still; save it again later.")


def _link(source: Path, target: Path) -> None:
    meta = (source / "meta.json").read_bytes()
    names = []
    for segment in json.loads(meta)["segments"]:
        stem = segment["segment_id"].replace("-", "")
        deletes = segment["deletes"]
        gone = f"{stem}.{deletes['opstamp']}.del" if deletes else ""
        names += [p.name for p in source.glob(f"{stem}.*") if p.suffix != ".del"]
        if gone:
            names.append(gone)
        if f"{stem}.term" not in names:
            raise FileNotFoundError(stem)
    for name in names:
        (target / name).hardlink_to(source / name)
    (target / ".managed.json").write_text(json.dumps([*names, "meta.json"]))
    (target / "meta.json").write_bytes(meta)
