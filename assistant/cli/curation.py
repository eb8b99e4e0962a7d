"""What curation found, from the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from assistant import wiring
from assistant.cli.console import AsJson, Data, out, print_json, print_table, settings
from assistant.store import curation_report, sources
from assistant.text.instructions import INSTRUCTION


def report(
    source: Annotated[str, typer.Argument(help="A source's name.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show what curation found in the documents of a source."""
    with wiring.database(settings(data)) as database, database.reading() as conn:
        known = sources.source_named(conn, source)
        found = curation_report.report(conn, known.id, INSTRUCTION)
    if as_json:
        print_json({"source": source, **found})
        return
    personal, told, languages = (
        found.pop(name) for name in ("personal_data", "instruction_like", "languages")
    )
    rows: list[tuple[str, Any]] = [(name.replace("_", " "), n) for name, n in found.items()]
    rows.append(("languages", ", ".join(f"{lang} {n}" for lang, n in _items(languages))))
    rows.append(("instruction-like passages", dict(_items(told))["passages"]))
    print_table(source, ("found", "number"), rows)
    kinds = [
        (kind, outcome, *dict(_items(n)).values())
        for kind, outcomes in _items(personal)
        for outcome, n in _items(outcomes)
    ]
    if kinds:
        print_table("Personal data", ("kind", "outcome", "found", "documents"), kinds)
    for one in dict(_items(told))["highest"]:
        out.print(f"! {one['document']}, passage {one['passage']}: {one['score']}", markup=False)


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
