"""The sample retailer and factory: access, golden questions, languages, repeatable files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import docx
import openpyxl
import py3langid  # type: ignore[import-untyped]
import pypdfium2  # type: ignore[import-untyped]
import pytest

from connectors.contract import Access, Failed, Item
from connectors.files import Files, FilesConfig
from connectors.sidecars import GROUPS_FILE, SIDECAR, parse_groups
from examples.generate import HERE, build_company

GOLDEN = {"casa-verde": "retailer.jsonl", "metalnorte": "factory.jsonl"}
COMPANIES = sorted(GOLDEN)
KINDS = {
    "fact",
    "number",
    "table",
    "date",
    "person",
    "list",
    "yes_no",
    "definition",
    "cross_lingual",
    "unanswerable",
    "forbidden",
}
KEYS = {"qid", "question", "lang", "asker", "company", "kind", "answers", "gold", "answerable"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("examples")
    for company in COMPANIES:
        build_company(company, out)
    return out


@pytest.fixture(scope="session")
def items(built: Path) -> dict[str, dict[str, Item]]:
    return {company: listed(built / company) for company in COMPANIES}


def listed(folder: Path) -> dict[str, Item]:
    async def run() -> dict[str, Item]:
        found: dict[str, Item] = {}
        async for event in Files(FilesConfig.model_validate({"path": folder})).changes(None):
            assert not isinstance(event, Failed), event
            if isinstance(event, Item):
                found[event.id] = event
        return found

    return asyncio.run(run())


def questions(company: str) -> list[dict[str, Any]]:
    lines = (HERE / "golden" / GOLDEN[company]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def people(company: str) -> list[dict[str, Any]]:
    table = tomllib.loads((HERE / "companies/people.toml").read_text(encoding="utf-8"))
    return [person for person in table["people"] if person["company"] == company]


def principals(company: str, login: str) -> set[str]:
    groups = parse_groups((HERE / "companies" / company / GROUPS_FILE).read_bytes())
    held = {f"user:{login}"}
    grew = True
    while grew:
        more = {group.id for group in groups if group.members & held} - held
        held |= more
        grew = bool(more)
    return held


def may_read(access: Access, held: set[str]) -> bool:
    return bool(access.allow & held) and not access.deny & held and access.all_of <= held


def text_of(path: Path) -> str:
    """The text of a document on one line: white space differs between readers."""
    readers = {".pdf": _pdf, ".docx": _docx, ".xlsx": _xlsx, ".eml": _eml}
    text = readers.get(path.suffix, lambda p: p.read_text(encoding="utf-8"))(path)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def _pdf(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def _docx(path: Path) -> str:
    def lines() -> Iterator[str]:
        document = docx.Document(str(path))
        yield from (paragraph.text for paragraph in document.paragraphs)
        for table in document.tables:
            yield from (cell.text for row in table.rows for cell in row.cells)

    return "\n".join(lines())


def _xlsx(path: Path) -> str:
    book = openpyxl.load_workbook(path)
    rows = (row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))
    return "\n".join(" ".join(str(cell) for cell in row if cell is not None) for row in rows)


def _eml(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    return f"{message['Subject']}\n{message.get_content()}"


@pytest.mark.parametrize("company", COMPANIES)
def test_documents_are_many_and_of_several_kinds(
    company: str, items: dict[str, dict[str, Item]]
) -> None:
    kinds = {Path(id_).suffix for id_ in items[company]}

    assert len(items[company]) >= 21
    assert {".pdf", ".docx", ".xlsx", ".csv", ".md", ".html", ".eml"} <= kinds


def test_half_of_the_documents_are_portuguese(
    built: Path, items: dict[str, dict[str, Item]]
) -> None:
    py3langid.set_languages(["en", "pt"])
    paths = [built / company / id_ for company in COMPANIES for id_ in items[company]]
    languages = Counter(py3langid.classify(text_of(path))[0] for path in paths)

    assert 0.45 <= languages["pt"] / len(paths) <= 0.6, languages


@pytest.mark.parametrize("company", COMPANIES)
def test_every_document_has_readers_and_every_principal_exists(
    company: str, items: dict[str, dict[str, Item]]
) -> None:
    groups = parse_groups((HERE / "companies" / company / GROUPS_FILE).read_bytes())
    known = {group.id for group in groups} | {f"user:{p['login']}" for p in people(company)}
    members = {member for group in groups for member in group.members}

    assert members <= known
    for item in items[company].values():
        named = item.access.allow | item.access.deny | item.access.all_of
        assert item.access.allow, item.id
        assert named <= known, item.id


@pytest.mark.parametrize("company", COMPANIES)
def test_sidecars_stand_beside_what_they_cover(company: str, built: Path) -> None:
    for sidecar in (built / company).rglob(f"*{SIDECAR}"):
        name = sidecar.name.removesuffix(SIDECAR)
        assert not name or sidecar.with_name(name).is_file(), sidecar


@pytest.mark.parametrize("company", COMPANIES)
def test_a_superseded_document_names_its_successor(
    company: str, items: dict[str, dict[str, Item]]
) -> None:
    pairs = [
        (item, items[company][str(item.meta["superseded_by"])])
        for item in items[company].values()
        if "superseded_by" in item.meta
    ]

    assert pairs
    assert all(str(old.meta["date"]) < str(new.meta["date"]) for old, new in pairs)


@pytest.mark.parametrize("company", COMPANIES)
def test_people_differ_in_what_they_may_read(
    company: str, items: dict[str, dict[str, Item]]
) -> None:
    readable = [
        {
            id_
            for id_, item in items[company].items()
            if may_read(item.access, principals(company, person["login"]))
        }
        for person in people(company)
    ]

    assert len(readable) == 2
    assert readable[0] - readable[1]
    assert readable[1] - readable[0]
    assert all(len(person["questions"]) == 3 for person in people(company))


@pytest.mark.parametrize("company", COMPANIES)
def test_golden_questions_are_well_formed(company: str) -> None:
    lines = questions(company)
    kinds = Counter(line["kind"] for line in lines)

    assert len(lines) == len({line["qid"] for line in lines}) == 15
    assert set(kinds) <= KINDS
    assert kinds["unanswerable"] == kinds["forbidden"] == kinds["cross_lingual"] == 2
    for line in lines:
        assert set(line) == KEYS
        assert line["company"] == company
        assert line["lang"] in {"en", "pt"}
        assert line["asker"] in {person["login"] for person in people(company)}
        assert line["answerable"] == (line["kind"] not in {"unanswerable", "forbidden"})
        assert bool(line["gold"]) == (line["kind"] != "unanswerable")


@pytest.mark.parametrize("company", COMPANIES)
def test_gold_passages_are_in_the_documents(company: str, built: Path) -> None:
    for line in questions(company):
        texts = [text_of(built / company / gold["document"]) for gold in line["gold"]]
        for gold, text in zip(line["gold"], texts, strict=True):
            for part in gold["contains"]:
                assert part in text, f"{line['qid']}: {part!r} is not in {gold['document']}"
        if texts:
            assert any(answer in text for answer in line["answers"] for text in texts), line["qid"]


@pytest.mark.parametrize("company", COMPANIES)
def test_askers_may_read_their_gold_and_never_what_is_forbidden(
    company: str, items: dict[str, dict[str, Item]]
) -> None:
    for line in questions(company):
        held = principals(company, line["asker"])
        others = [
            principals(company, person["login"])
            for person in people(company)
            if person["login"] != line["asker"]
        ]
        for gold in line["gold"]:
            access = items[company][gold["document"]].access
            assert may_read(access, held) == line["answerable"], line["qid"]
            if line["kind"] == "forbidden":
                assert any(may_read(access, other) for other in others), line["qid"]


@pytest.mark.parametrize("company", COMPANIES)
def test_two_builds_are_identical(company: str, built: Path, tmp_path: Path) -> None:
    build_company(company, tmp_path)

    assert digests(tmp_path / company) == digests(built / company)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_near_duplicate_manuals_differ_in_their_figures(built: Path) -> None:
    manuals = [text_of(built / f"metalnorte/manuals/manual-p-10{n}.pdf") for n in (1, 2)]
    drills = [text_of(built / f"casa-verde/products/manual-fm-{n}.pdf") for n in (500, 550)]

    assert "casing bolts crosswise to 120 N·m" in manuals[0]
    assert "casing bolts crosswise to 140 N·m" in manuals[1]
    assert "tighten that screw to 5 N·m" in drills[0]
    assert "tighten that screw to 7 N·m" in drills[1]
