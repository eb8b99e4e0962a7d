"""The sample bank and hospital: documents, access, golden questions, repeatable files."""

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

GOLDEN = {"banco-aurora": "bank.jsonl", "hospital-santa-clara": "hospital.jsonl"}
COMPANIES = sorted(GOLDEN)
PEOPLE = tomllib.loads((HERE / "companies/people.toml").read_text(encoding="utf-8"))
FORMATS = {
    "banco-aurora": {".pdf", ".docx", ".xlsx", ".csv", ".md", ".html", ".eml", ".json", ".txt"},
    "hospital-santa-clara": {".pdf", ".docx", ".xlsx", ".csv", ".md", ".html", ".eml", ".json"},
}

Items = dict[str, dict[str, Item]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("companies")
    for company in COMPANIES:
        build_company(company, out)
    return out


@pytest.fixture(scope="session")
def items(built: Path) -> Items:
    return {company: asyncio.run(listed(built / company)) for company in COMPANIES}


async def listed(folder: Path) -> dict[str, Item]:
    found: dict[str, Item] = {}
    async for event in Files(FilesConfig.model_validate({"path": folder})).changes(None):
        assert not isinstance(event, Failed), event
        if isinstance(event, Item):
            found[event.id] = event
    return found


def questions(company: str) -> list[dict[str, Any]]:
    lines = (HERE / "golden" / GOLDEN[company]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def logins(company: str) -> list[str]:
    return [person["login"] for person in PEOPLE["people"] if person["company"] == company]


def readable(company: str, login: str, items: Items) -> set[str]:
    """The documents that a person may read: an oracle apart from the product's own rules."""
    groups = parse_groups((HERE / "companies" / company / GROUPS_FILE).read_bytes())
    held = {f"user:{login}"}
    while more := {group.id for group in groups if group.members & held} - held:
        held |= more

    def may_read(access: Access) -> bool:
        return bool(access.allow & held) and not access.deny & held and access.all_of <= held

    return {id_ for id_, item in items[company].items() if may_read(item.access)}


def text_of(path: Path) -> str:
    """A document's text on one line: white space differs between readers."""
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
            yield from (" ".join(cell.text for cell in row.cells) for row in table.rows)

    return "\n".join(lines())


def _xlsx(path: Path) -> str:
    book = openpyxl.load_workbook(path)
    rows = (row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))
    return "\n".join(" ".join(str(cell) for cell in row if cell is not None) for row in rows)


def _eml(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    return f"{message['Subject']}\n{message.get_content()}"


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_people_belong_to_companies() -> None:
    companies = {company["name"]: company["industry"] for company in PEOPLE["companies"]}
    people = PEOPLE["people"]

    assert set(companies.values()) == {"finance", "healthcare", "retail", "manufacturing"}
    assert len({person["login"] for person in people}) == len(people) == 8
    assert {person["company"] for person in people} == set(companies)
    assert all("employee" in person["roles"] for person in people)
    assert all({"name", "title", "lang", "questions"} <= set(person) for person in people)


@pytest.mark.parametrize("company", COMPANIES)
def test_documents_are_many_and_of_several_formats(company: str, items: Items) -> None:
    assert len(items[company]) >= 25
    assert FORMATS[company] <= {Path(id_).suffix for id_ in items[company]}


def test_half_of_the_prose_is_portuguese(built: Path, items: Items) -> None:
    py3langid.set_languages(["en", "pt"])
    paths = [
        built / company / id_
        for company in COMPANIES
        for id_ in items[company]
        if not id_.endswith(".json")
    ]
    languages = Counter(py3langid.classify(text_of(path))[0] for path in paths)

    assert 0.45 <= languages["pt"] / len(paths) <= 0.6, languages


@pytest.mark.parametrize("company", COMPANIES)
def test_no_glyph_is_missing_from_a_pdf(company: str, built: Path) -> None:
    texts = {path.name: text_of(path) for path in (built / company).rglob("*.pdf")}

    assert texts
    assert not [name for name, text in texts.items() if "■" in text or "�" in text]


def test_the_annual_report_has_a_cover_headers_and_page_numbers(built: Path) -> None:
    with pypdfium2.PdfDocument(built / "banco-aurora/reports/annual-report-2025.pdf") as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]

    assert 6 <= len(pages) <= 10
    assert "Page" not in pages[0]
    for number, page in enumerate(pages[1:], 2):
        assert page.startswith("Banco Aurora S.A.")
        assert f"Page {number}" in page


def test_the_income_statements_add_up(built: Path) -> None:
    text = text_of(built / "banco-aurora/reports/annual-report-2025.pdf")
    lines = [
        "Interest income",
        "Interest expense",
        "Fee and commission income",
        "Trading and other income",
        "Loan loss provisions",
        "Personnel expenses",
        "Administrative expenses",
        "Depreciation and amortisation",
        "Income tax",
    ]

    def figures(line: str) -> list[int]:
        found = re.search(rf"{line} (\(?[\d,]+\)?) (\(?[\d,]+\)?) (\(?[\d,]+\)?)", text)
        assert found, line
        values = [value.strip("()").replace(",", "") for value in found.groups()]
        signs = [-1 if value.startswith("(") else 1 for value in found.groups()]
        return [sign * int(value) for sign, value in zip(signs, values, strict=True)]

    sums = [sum(year) for year in zip(*(figures(line) for line in lines), strict=True)]

    assert sums == [1284, 1034, 896]


@pytest.mark.parametrize("company", COMPANIES)
def test_principals_are_known_and_never_everyone(company: str, items: Items) -> None:
    groups = parse_groups((HERE / "companies" / company / GROUPS_FILE).read_bytes())
    known = {group.id for group in groups} | {f"user:{login}" for login in logins(company)}

    assert {member for group in groups for member in group.members} <= known
    for item in items[company].values():
        assert item.access.allow, item.id
        assert item.access.allow | item.access.deny | item.access.all_of <= known, item.id


@pytest.mark.parametrize("company", COMPANIES)
def test_sidecars_stand_beside_what_they_cover(company: str, built: Path) -> None:
    for sidecar in (built / company).rglob(f"*{SIDECAR}"):
        name = sidecar.name.removesuffix(SIDECAR)
        assert not name or sidecar.with_name(name).is_file(), sidecar


@pytest.mark.parametrize("company", COMPANIES)
def test_a_superseded_document_names_a_newer_one(company: str, items: Items) -> None:
    superseded = [item for item in items[company].values() if "superseded_by" in item.meta]

    assert superseded
    for old in superseded:
        new = items[company][str(old.meta["superseded_by"])]
        assert str(old.meta["date"]) < str(new.meta.get("date", "9999"))


def test_restricted_folders_are_closed_to_the_right_people(items: Items) -> None:
    ana = readable("banco-aurora", "ana", items)
    bruno = readable("banco-aurora", "bruno", items)
    carla = readable("hospital-santa-clara", "carla", items)
    diego = readable("hospital-santa-clara", "diego", items)

    assert ana - bruno == {
        "board/ata-conselho-2025-10.docx",
        "risk/aml-alert-thresholds.md",
        "treasury/2025-11-18-hedge-position.eml",
        "treasury/limites-contraparte-2026.csv",
        "treasury/liquidity-contingency-plan.md",
    }
    assert bruno - ana == {"hr/salary-grid-branches-2026.xlsx"}
    assert carla == set(items["hospital-santa-clara"])
    assert carla - diego == {
        id_
        for id_ in carla
        if id_.startswith(("oncology/", "patients/", "pharmacy/controlled/", "quality/2025-"))
    }


@pytest.mark.parametrize("company", COMPANIES)
def test_golden_questions_are_well_formed(company: str) -> None:
    lines = questions(company)
    kinds = Counter(line["kind"] for line in lines)

    assert [line["qid"].split("-")[1] for line in lines] == [f"{n:02d}" for n in range(1, 16)]
    assert kinds["unanswerable"] == kinds["forbidden"] == kinds["cross_lingual"] == 2
    assert set(kinds) <= {*kinds, "fact", "number", "table", "date", "person", "list", "yes_no"}
    for line in lines:
        assert line["company"] == company
        assert line["lang"] in {"en", "pt"}
        assert line["asker"] in logins(company)
        assert line["answerable"] == (line["kind"] not in {"unanswerable", "forbidden"})
        assert bool(line["gold"]) == (line["kind"] != "unanswerable")


@pytest.mark.parametrize("company", COMPANIES)
def test_gold_passages_are_in_the_documents(company: str, built: Path) -> None:
    for line in questions(company):
        texts = [text_of(built / company / gold["document"]) for gold in line["gold"]]
        for gold, text in zip(line["gold"], texts, strict=True):
            missing = [part for part in gold["contains"] if part not in text]
            assert not missing, f"{line['qid']}: {missing} not in {gold['document']}"
        if texts:
            assert any(answer in text for answer in line["answers"] for text in texts), line["qid"]


@pytest.mark.parametrize("company", COMPANIES)
def test_askers_may_read_their_gold_and_never_what_is_forbidden(company: str, items: Items) -> None:
    for line in questions(company):
        for gold in line["gold"]:
            readers = {
                login
                for login in logins(company)
                if gold["document"] in readable(company, login, items)
            }
            assert (line["asker"] in readers) == line["answerable"], line["qid"]
            assert readers, line["qid"]


def test_figures_contradict_where_they_should(built: Path) -> None:
    bank = built / "banco-aurora"
    branches = [
        text_of(bank / f"branches/procedimento-abertura-conta-agencia-{n}.md")
        for n in ("014", "027", "041")
    ]
    sepsis = [
        text_of(built / f"hospital-santa-clara/protocols/sepsis-protocol-{year}.pdf")
        for year in (2022, 2025)
    ]

    assert "R$ 1,31 bilhão" in text_of(bank / "press/2026-02-12-resultado-2025.eml")
    assert [re.findall(r"é de R\$ (\d+),00", text) for text in branches] == [["50"], ["80"], ["30"]]
    assert "20 mL/kg" in sepsis[0]
    assert "30 mL/kg" in sepsis[1]


@pytest.mark.parametrize("company", COMPANIES)
def test_two_builds_are_identical(company: str, built: Path, tmp_path: Path) -> None:
    build_company(company, tmp_path)

    assert digests(tmp_path / company) == digests(built / company)
