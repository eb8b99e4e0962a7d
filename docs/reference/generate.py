"""Writes the tables of the reference pages from the code: `python docs/reference/generate.py`.

Each table stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`; the prose around it is
written by hand. A test fails while a page differs from what this writes.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import typer.main
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

import assistant.api.app
from assistant.access.roles import PERMISSIONS
from assistant.api.deps import Permitted
from assistant.audit.event import EventData
from assistant.cli.main import app
from assistant.errors import AssistantError
from assistant.settings import Settings
from connectors.readers.limits import Limits

HERE = Path(__file__).parent


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    cells = [list(header), ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in cells)


def first_sentence(text: str | None) -> str:
    """Return the first line of a docstring."""
    return (text or "").strip().split("\n", 1)[0]


def leaves(
    model: type[BaseModel] = Settings, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Yield every setting with its path in the tree."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, (*path, name))
        else:
            yield (*path, name), field


def variable(path: Sequence[str]) -> str:
    """Return the environment variable of a setting."""
    return "ASSISTANT_" + "__".join(path).upper()


def settings_tables() -> str:
    """Return one table for each section of the settings."""
    sections: dict[str, list[list[str]]] = {}
    for path, field in leaves():
        row = [f"`{path[-1]}`", _kind(field), _default(field), field.description or ""]
        sections.setdefault(".".join(path[:-1]), []).append([*row, f"`{variable(path)}`"])
    header = ("setting", "type", "default", "what it does", "environment variable")
    parts = []
    for section, rows in sections.items():
        title = f"### `[{section}]`" if section else "### At the top"
        about = _section_doc(section)
        parts.append("\n\n".join(filter(None, (title, about, table(header, rows)))))
    return "\n\n".join(parts)


def _section_doc(section: str) -> str:
    field = Settings.model_fields.get(section)
    return first_sentence(field.annotation.__doc__) if field and field.annotation else ""


def _kind(field: FieldInfo) -> str:
    choices = [a for a in get_args(field.annotation) if isinstance(a, str)]
    if choices:
        return " or ".join(f"`{choice}`" for choice in choices)
    kinds = [a for a in (get_args(field.annotation) or (field.annotation,)) if a is not type(None)]
    name = "secret text" if SecretStr in kinds else str(getattr(kinds[0], "__name__", kinds[0]))
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
    bounds = [
        f"{symbol} {getattr(rule, name):,}"
        for rule in field.metadata
        for name, symbol in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))
        if hasattr(rule, name)
    ]
    plain = words.get(name, "folder" if name == "Path" else name)
    return ", ".join([f"list of {plain}s" if ... in kinds else plain, *bounds])


def _default(field: FieldInfo) -> str:
    value = field.default
    if value in (None, "", ()):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def commands(node: Any = None, path: tuple[str, ...] = ("assistant",)) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, by its full name."""
    node = node if node is not None else typer.main.get_command(app)
    for name, child in node.commands.items():
        if hasattr(child, "commands"):
            yield from commands(child, (*path, name))
        else:
            yield " ".join((*path, name)), child


def parameters(command: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the spelling, the default and the help of a command's arguments and options."""
    for parameter in command.params:
        if parameter.name == "help":
            continue
        is_argument = not parameter.opts[0].startswith("-")
        spelled = parameter.name.upper() if is_argument else ", ".join(parameter.opts)
        if not is_argument and not getattr(parameter, "is_flag", False):
            spelled += " " + _value(parameter)
        shown = "required" if parameter.required else parameter.default
        if shown in (None, False, (), ""):
            shown = ""
        yield spelled, str(shown), getattr(parameter, "help", "") or ""


def _value(option: Any) -> str:
    """Return what stands for the value of an option."""
    kind = option.type_descriptor.annotation
    return {int: "N", float: "SECONDS", Path: "DIR"}.get(kind, str(option.name).upper())


def cli_sections() -> str:
    """Return a section for each command with its arguments and options."""
    parts = []
    for name, command in commands():
        rows = [[f"`{s}`", d, h] for s, d, h in parameters(command)]
        listed = table(("argument or option", "default", "what it does"), rows) if rows else ""
        about = first_sentence(command.help)
        parts.append("\n\n".join(filter(None, (f"### `{name}`", about, listed))))
    return "\n\n".join(parts)


def errors() -> list[type[AssistantError]]:
    """Return every error of the product, the root first."""
    found: list[type[AssistantError]] = []
    waiting = [AssistantError]
    while waiting:
        error = waiting.pop(0)
        if error.__module__.startswith("assistant.") and error not in found:
            found.append(error)
            waiting += error.__subclasses__()
    return found


def problems_table() -> str:
    """Return the problem types, each slug once."""
    by_slug: dict[str, type[AssistantError]] = {}
    for error in errors():
        by_slug.setdefault(error.slug, error)
    rows = [
        [f"`{slug}`", str(e.status), str(e.exit_code), first_sentence(e.__doc__)]
        for slug, e in sorted(by_slug.items())
    ]
    return table(("slug", "HTTP status", "exit code", "what it means and what to do"), rows)


def events_table() -> str:
    """Return the audit events with the fields of their `data`."""
    rows = []
    for kind in get_args(EventData):
        fields = ", ".join(f"`{field.name}`" for field in dataclasses.fields(kind))
        rows.append([f"`{kind.type}`", first_sentence(kind.__doc__), fields or "–"])
    return table(("type", "when", "`data`"), sorted(rows))


def routes_table() -> str:
    """Return the routes with the permission that each declares."""
    rows = []
    for router in assistant.api.app.ROUTERS:
        for route in router.routes:
            found: Any = route
            permission = _permission(found.dependant)
            about = first_sentence(found.endpoint.__doc__)
            for method in sorted(found.methods):
                rows.append([f"`{method}`", f"`{found.path}`", about, permission])
    return table(("method", "path", "what it does", "who"), rows)


def _permission(dependant: Any) -> str:
    if isinstance(dependant.call, Permitted):
        roles = sorted(PERMISSIONS[dependant.call.permission])
        if not roles:
            return f"a key with the scope `{dependant.call.permission}`"
        return "everybody signed in" if len(roles) == 4 else ", ".join(roles)
    for inner in dependant.dependencies:
        if (found := _permission(inner)) != "anybody":
            return found
    return "anybody"


def limits_table() -> str:
    """Return what one file may cost its reader."""
    meanings = {
        "file_bytes": "bytes of the file (a sync run uses `sync.max_file_bytes`)",
        "inflated_bytes": "bytes of an archive once inflated",
        "ratio": "inflated ÷ packed bytes of a whole archive",
        "ratio_floor_bytes": "inflated bytes below which the ratio does not count",
        "entries": "entries of an archive",
        "depth": "archives, or mails, inside each other",
        "pages": "pages of a PDF or TIFF, slides of a presentation",
        "rows": "rows of one table or entries of one array; the rest is left out with a warning",
        "memory_bytes": "bytes of memory of the reading process",
        "cpu_s": "seconds of CPU time",
        "wall_s": "seconds on the clock (a sync run uses `sync.read_timeout_s`)",
        "result_bytes": "bytes of what the reader hands back",
        "ocr_pages": "pages of a file that are recognised (OCR); 0 turns it off",
        "ocr_page_s": "seconds to recognise one page",
        "ocr_s": "seconds of CPU time to recognise a file, beside `cpu_s`",
    }
    rows = [
        [f"`{field.name}`", f"{field.default:,}", meanings[field.name]]
        for field in dataclasses.fields(Limits)
    ]
    return table(("limit", "value", "of what"), rows)


FOLLOWING = {
    "added and changed": ("add", "change"),
    "deleted": ("add", "delete"),
    "other readers": ("add", "revoke"),
    "forgotten cursor": ("expire",),
    "asked for patience": ("throttle",),
    "changed while listing": ("add", "change", "delete"),
    "empty source": ("empty",),
    "odd and long names": ("add",),
    "10,000 documents": ("fill",),
}
"""A column of the table of conformance, and the abilities that its test needs."""


def conformance_table() -> str:
    """Return what each connector's test source can do, and why not where it can't."""
    rows, reasons = [], []
    for name, suites in sorted(_suites().items()):
        row = [f"`{name}`"]
        for needed in FOLLOWING.values():
            shown = any(not set(needed) & set(suite) for suite in suites)
            row.append(("yes" if shown else "no") if needed != ("fill",) else _filled(suites))
        rows.append(row)
        for ability in sorted(set.intersection(*(set(suite) for suite in suites)) - {"many"}):
            reasons.append(f"- `{name}` can't {ability}: {suites[0][ability]}")
    return "\n\n".join([table(["connector", *FOLLOWING], rows), "\n".join(reasons)])


def _filled(suites: list[dict[str, str]]) -> str:
    """Return with how many documents a listing is tried."""
    able = [suite for suite in suites if "fill" not in suite]
    if not able:
        return "no"
    return f"{able[0]['many']}; all nightly" if "many" in able[0] else "yes"


def _suites() -> dict[str, list[dict[str, str]]]:
    """Return the inabilities of every `Following` suite, by the connector whose test it is."""
    found: dict[str, list[dict[str, str]]] = {}
    for path in sorted(HERE.parents[1].glob("tests/*/connectors/test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("Following"):
                suites = found.setdefault(path.stem.removeprefix("test_"), [])
                suites.append({**_cannot(node, constants), **_many(node)})
    return found


def _many(suite: ast.ClassDef) -> dict[str, str]:
    for line in suite.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "many":
            return {"many": f"{ast.literal_eval(line.value):,}"}
    return {}


def _cannot(suite: ast.ClassDef, constants: dict[str, Any]) -> dict[str, str]:
    for line in suite.body:
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == "cannot":
            value = line.value
            if isinstance(value, ast.Dict):
                return {
                    ast.literal_eval(key): constants.get(ast.unparse(text))
                    or ast.literal_eval(text)
                    for key, text in zip(value.keys, value.values, strict=True)
                    if key is not None
                }
    return {}


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "settings": ("settings.md", settings_tables),
    "commands": ("cli.md", cli_sections),
    "problems": ("errors.md", problems_table),
    "events": ("audit-events.md", events_table),
    "routes": ("api.md", routes_table),
    "limits": ("formats.md", limits_table),
    "conformance": ("connectors.md", conformance_table),
}


def rendered(name: str) -> tuple[Path, str]:
    """Return a page and the text it should have; raises `ValueError` if its marks are missing."""
    file, write = PARTS[name]
    path = HERE / file
    text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    new, n = pattern.subn(lambda _: f"{begin}\n\n{write()}\n\n{end}", text)
    if n != 1:
        raise ValueError(f"{file} must have {begin} and {end} once.")
    return path, new


if __name__ == "__main__":
    for part in PARTS:
        page, content = rendered(part)
        page.write_text(content, encoding="utf-8")
