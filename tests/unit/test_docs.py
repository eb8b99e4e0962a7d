"""The documentation says what the program does: nothing missing, nothing invented."""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from unittest import SkipTest

import pytest

from assistant.access.policy import parsed
from assistant.audit.event import EventData
from assistant.settings import Settings
from connectors import registry
from connectors.readers import errors as read_errors
from connectors.readers.child import READERS
from connectors.sidecars import Sidecar
from docs.reference import generate

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "examples/*.md") for path in ROOT.glob(pattern)
)
COMMANDS = dict(generate.commands())

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def reference(name: str) -> str:
    return read(REFERENCE / f"{name}.md")


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """The fenced code of a page in some languages."""
    for language, body in re.findall(r"^ *```(\w+)\n(.*?)^ *```", read(page), re.M | re.S):
        if language in languages:
            yield body


def outdented(body: str) -> str:
    """A code block without the indentation that a list gives it."""
    return re.sub(r"^ {3}", "", body, flags=re.M) if body.startswith("   ") else body


@pytest.mark.parametrize("name", list(generate.PARTS))
def test_generated_tables_are_up_to_date(name: str) -> None:
    path, content = generate.rendered(name)
    assert read(path) == content, "run: python docs/reference/generate.py"


def test_every_setting_is_documented_and_exists() -> None:
    documented = set(re.findall(r"`(ASSISTANT_[A-Z_]+)` \|$", reference("settings"), re.M))
    assert documented == {generate.variable(path) for path, _ in generate.leaves()}
    assert len(documented) > 20


@every_page
def test_settings_that_a_page_names_exist(page: Path) -> None:
    text = read(page)
    known = {generate.variable(path) for path, _ in generate.leaves()}
    known |= {"ASSISTANT_CONFIG", "ASSISTANT_SECRETS_DIR", "ASSISTANT_SHARED_DATA"}
    assert set(re.findall(r"\bASSISTANT_[A-Z_]*[A-Z]", text)) <= known
    dotted = {".".join(path) for path, _ in generate.leaves()}
    sections = "|".join({path.partition(".")[0] for path in dotted if "." in path})
    named = set(re.findall(rf"`((?:{sections})\.[a-z_]+)(?: = [^`]*)?`", text))
    named -= {kind.type for kind in get_args(EventData)}
    named -= {f"connectors.{module.stem}" for module in (ROOT / "connectors").glob("*.py")}
    assert named <= dotted, page


@every_page
def test_toml_settings_of_a_page_exist(page: Path) -> None:
    for body in blocks(page, "toml"):
        parsed = tomllib.loads(outdented(body))
        for section, values in parsed.items():
            if section in Settings.model_fields and isinstance(values, dict):
                Settings.model_validate({section: values})


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_and_option_is_documented(name: str) -> None:
    section = reference("cli").partition(f"### `{name}`\n")[2].partition("\n### ")[0]
    assert section
    for spelled, _, _ in generate.parameters(COMMANDS[name]):
        assert f"`{spelled}`" in section


def mentioned(page: Path) -> Iterator[list[str]]:
    """The words behind `assistant` wherever a page shows a command."""
    text = read(page)
    spans = re.findall(r"(?<!`)`(?:-v |\w+=\S+ )*assistant ([^`\n]+)`(?!`)", text)
    lines = [
        match
        for body in blocks(page, "console", "bash", "sh")
        for match in re.findall(
            r"^\s*(?:docker compose (?:exec|run)\b.*?\bassistant |\.venv/bin/assistant |assistant )"
            r"([^\n]+)$",
            body,
            re.M,
        )
    ]
    runs = [
        match
        for body in blocks(page, "console")
        for match in re.findall(
            r"docker compose run --rm worker (?!assistant )([^\n]+)$", body, re.M
        )
    ]
    for found in (*spans, *lines, *runs):
        yield re.sub(r'"[^"]*"', "TEXT", found.partition(" > ")[0]).split()


@every_page
def test_commands_that_a_page_names_exist(page: Path) -> None:
    for words in mentioned(page):
        if words[0].startswith("-") or words[0].isupper():
            continue
        names = [" ".join(["assistant", *words[:n]]) for n in (3, 2, 1)]
        name = next((name for name in names if name in COMMANDS), "")
        assert name, f"{page.name} names `assistant {' '.join(words)}`"
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        used = {w.partition("=")[0] for w in words if re.match(r"--?[a-z]", w)}
        assert used <= options | {"-h", "--help"}, f"{page.name}: {name} has no {used - options}"


def test_commands_are_found_in_pages() -> None:
    tutorial = [" ".join(w[:2]) for w in mentioned(ROOT / "docs/tutorial/first-hour.md")]
    assert {"sync run", "user add", "audit verify"} <= set(tutorial)


@every_page
def test_make_targets_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", read(ROOT / "Makefile"), re.M))
    named = set(re.findall(r"`make ([a-z][\w-]*)", read(page)))
    for body in blocks(page, "console"):
        named |= set(re.findall(r"^make ([a-z][\w-]*)", body, re.M))
    assert named <= targets


def test_every_problem_and_exit_code_is_documented() -> None:
    text = reference("errors")
    for error in generate.errors():
        assert f"| `{error.slug}` | {error.status} | " in text
        assert f"| {error.exit_code} | " in text.partition("## Problem types")[0]


def test_every_audit_event_is_documented() -> None:
    text = reference("audit-events")
    types = [kind.type for kind in get_args(EventData)]
    assert len(types) == len(set(types)) > 10
    for name in types:
        assert f"| `{name}` |" in text


def test_events_that_are_never_written_are_named() -> None:
    sources = "\n".join(
        read(path) for path in (ROOT / "assistant").rglob("*.py") if path.name != "event.py"
    )
    unused = {
        kind.type for kind in get_args(EventData) if not re.search(rf"\b{kind.__name__}\(", sources)
    }
    line = re.search(r"^This version never writes (.*)\.$", reference("audit-events"), re.M)
    assert set(re.findall(r"`([^`]+)`", line[1]) if line else ()) == unused


def test_every_format_cause_and_connector_is_documented() -> None:
    text = reference("formats")
    for media_type in READERS:
        assert f"`{media_type}`" in text
    for cause in get_args(read_errors.Cause):
        assert f"| `{cause}` |" in text
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    for name in project["entry-points"][registry.GROUP]:
        assert f"| `{name}` |" in reference("connectors")


PROOFS = {
    "bucket": ("moto", "S3 server"),
    "dav": ("Apache", "wsgidav", "Radicale"),
    "dovecot": ("Dovecot",),
    "edgar_replay": ("replay",),
    "fhir": ("Medplum", "Replay"),
    "graph_replay": ("replay",),
    "opcua": ("asyncua",),
    "postgres": ("PostgreSQL",),
    "replies": ("by replay",),
    "samba": ("Samba",),
    "slapd": ("slapd",),
    "website": ("HTTP server",),
}
"""What a test may be made with, and the words for it in the table of connectors."""


@pytest.mark.parametrize("name", registry.names())
def test_what_a_connector_is_proved_against_is_what_its_tests_use(name: str) -> None:
    """Servers and replays that the table names are those of the tests, and all of them are named.

    What `files`, `git`, `hl7` and `langchain` are tested with has no server of its own.
    """
    page = (ROOT / "docs/reference/connectors.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
    told = row.split(" | ")[-1]
    tests = [*ROOT.glob(f"tests/*/connectors/test_{name}.py")]
    assert tests, f"{name} has no test of its own."
    made = re.findall(r"from tests\.support(?:\.(\w+))? import (.+)", tests[0].read_text("utf-8"))
    used = {module for module, _ in made} | {
        n.strip() for m, ns in made if not m for n in ns.split(",")
    }
    used &= PROOFS.keys() - ({"slapd"} if name == "smb" else set())
    used -= {"dovecot"} if name == "hl7" else set()
    for module in used:
        assert all(word in told for word in PROOFS[module]), (module, told)
    if "replay" in told.lower() and name != "ldap":
        assert used & {"edgar_replay", "graph_replay", "replies", "fhir"}, told


def test_every_key_of_an_access_file_is_documented() -> None:
    text = reference("access-files")
    for key in Sidecar.model_fields:
        assert f"| `{key}` |" in text or f"| `[{key}]` |" in text


def test_access_files_that_pages_show_are_understood() -> None:
    shown = [
        body
        for page in PAGES
        for body in blocks(page, "toml")
        if re.search(r"^ *(allow|deny) =", body, re.M) and "[collections." not in body
    ]
    assert len(shown) > 4
    for body in shown:
        Sidecar.model_validate(tomllib.loads(outdented(body)))


def test_policies_that_pages_show_are_understood() -> None:
    shown = [body for page in PAGES for body in blocks(page, "toml") if "[collections." in body]
    assert shown
    for body in shown:
        assert parsed(outdented(body), "shown").collections


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    prose = re.sub(r"^```.*?^```", "", read(page), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name} links to {target}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    waiting = list(reached)
    while waiting:
        page = waiting.pop()
        for target in re.findall(r"\]\(([^)\s#]+\.md)", read(page)):
            linked = (page.parent / target).resolve()
            if linked.exists() and linked not in reached:
                reached.add(linked)
                waiting.append(linked)
    assert set((ROOT / "docs").rglob("*.md")) <= reached


NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@every_page
def test_tests_that_a_page_names_exist(page: Path) -> None:
    for path, test in NAMED_TEST.findall(read(page)):
        assert f"def {test}(" in read(ROOT / path), f"{path}::{test}"


def test_the_readme_is_short() -> None:
    assert len(read(ROOT / "README.md").splitlines()) <= 150


def test_the_index_of_the_readme_runs() -> None:
    (example,) = (b for b in blocks(ROOT / "README.md", "python") if "HybridIndex" in b)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, "README.md", "exec"), {})
    assert printed.getvalue() == "[1]\n"


def test_the_connector_of_the_guide_passes_the_suite() -> None:
    guide = ROOT / "docs/how-to/add-a-connector.md"
    names: dict[str, Any] = {}
    for body in list(blocks(guide, "python"))[:2]:
        exec(compile(outdented(body), "add-a-connector.md", "exec"), names)
    suite, n_skipped = names["TestGreetings"], 0
    tests = [name for name in dir(suite) if name.startswith("test_")]
    assert len(tests) > 20
    for name in tests:
        try:
            getattr(suite(), name)()
        except SkipTest:
            n_skipped += 1
    assert n_skipped == len(suite.cannot)
    lines = outdented(next(blocks(guide, "python"))).splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 60


@every_page
def test_python_of_a_page_compiles(page: Path) -> None:
    for body in blocks(page, "python"):
        compile(
            re.sub(r"^ {3}", "", body, flags=re.M) if body.startswith("   ") else body, page, "exec"
        )


@every_page
def test_a_page_names_no_place_of_one_machine(page: Path) -> None:
    assert not re.search(r"(?<!\w)/(?:work|root|opt)/", read(page))
