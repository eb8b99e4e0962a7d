"""The demonstration: four sample companies, eight people, one command."""

from __future__ import annotations

import secrets
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from assistant import wiring
from assistant.access.identity import ensure_person
from assistant.cli import serving, sync
from assistant.cli.console import out
from assistant.cli.models import embedder_progress
from assistant.cli.serving import Addresses
from assistant.errors import AssistantError, SettingsError
from assistant.settings import Settings
from assistant.store import people, sources
from assistant.store.database import Database
from assistant.store.people import Person

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

COMPANIES = "companies"


@dataclass(frozen=True, slots=True)
class Company:
    """A sample company: `name` is its folder, its source and its collection."""

    name: str
    title: str
    industry: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a sample company, with questions that their documents answer."""

    login: str
    name: str
    company: str
    title: str
    lang: str
    roles: tuple[str, ...]
    questions: tuple[str, ...]


def run(settings: Settings, *, check: bool) -> None:
    """Build, sync and serve the sample companies; with `check`, ask each a question and stop.

    Raises `AssistantError` if a check's answer has no verified citation.
    """
    with wiring.database(settings) as database, ExitStack() as stack:
        companies, members, password = prepare(settings, database)
        settings = _open_to_the_api(settings)
        model = wiring.embedder(settings, embedder_progress())
        sync.run_all(settings, database, model)
        assistant = wiring.assembled(settings, database, model)
        stack.callback(assistant.retriever.close)
        questions = {member.login: member.questions for member in members}

        def suggestions(person: Person) -> Sequence[str]:
            return questions.get(person.login, ())

        if check:
            with serving.running(assistant, page=True, suggestions=suggestions) as addresses:
                _check(addresses, companies, members, password)
            return

        def ready(addresses: Addresses) -> None:
            _welcome(addresses, members, password)

        serving.serve(assistant, page=True, suggestions=suggestions, ready=ready)


def prepare(settings: Settings, database: Database) -> tuple[list[Company], list[Member], str]:
    """Write the documents, and enter companies and people; returns the people's password too."""
    companies, members = _cast()
    folder = settings.data_dir / COMPANIES
    _build(folder)
    password = _password(settings.data_dir)
    _enroll(database, members, password)
    _connect(database, companies, folder)
    return companies, members, password


def _open_to_the_api(settings: Settings) -> Settings:
    """Let sources that are added over the API read the companies' folder, too."""
    roots = (*settings.connectors.local_roots, settings.data_dir / COMPANIES)
    chosen = settings.connectors.model_copy(update={"local_roots": roots})
    return settings.model_copy(update={"connectors": chosen})


def _cast() -> tuple[list[Company], list[Member]]:
    path = EXAMPLES / "companies" / "people.toml"
    if not path.is_file():
        raise SettingsError(
            "The sample companies come with the source, not with the package: "
            "clone the repository and run `make demo` there."
        )
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    companies = [Company(c["name"], c["title"], c["industry"]) for c in document["companies"]]
    return companies, [_member(entry) for entry in document["people"]]


def _member(entry: dict[str, Any]) -> Member:
    plain = {key: entry[key] for key in ("login", "name", "company", "title", "lang")}
    return Member(**plain, roles=tuple(entry["roles"]), questions=tuple(entry["questions"]))


def _build(folder: Path) -> None:
    """Write the companies' documents once; later starts keep what was changed there since."""
    if folder.is_dir():
        return
    out.print("Writing the documents of four sample companies …")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name("companies.unfinished")
    command = [sys.executable, str(EXAMPLES / "generate.py"), str(unfinished)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise AssistantError(f"The sample documents could not be written: {done.stderr[-500:]}")
    unfinished.rename(folder)


def _password(data_dir: Path) -> str:
    """Return the sample people's password: random, made once for a data folder."""
    path = data_dir / "demo-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    return path.read_text()


def _enroll(database: Database, members: Sequence[Member], password: str) -> None:
    with database.begin() as conn:
        known = {person.login for person in people.list_people(conn)}
        for member in members:
            if member.login not in known:
                ensure_person(
                    conn,
                    member.login,
                    member.name,
                    member.roles,
                    password=password,
                    lang=member.lang,
                    company=member.company,
                )


def _connect(database: Database, companies: Sequence[Company], folder: Path) -> None:
    with database.begin() as conn:
        for company in companies:
            sources.put_source(
                conn,
                company.name,
                "files",
                {"path": str((folder / company.name).resolve())},
                title=company.title,
                industry=company.industry,
            )


def _welcome(addresses: Addresses, members: Sequence[Member], password: str) -> None:
    first, last = members[0], members[-2]
    out.print(f"\nChat  {addresses.page}\nAPI   {addresses.api}\n", style="bold")
    for member in (first, last):
        out.print(f"Sign in as {member.login} ({member.title}, {member.company})", markup=False)
    others = ", ".join(m.login for m in members if m not in (first, last))
    out.print(f"or as {others}. Everybody's password: {password}\n", markup=False)
    out.print("Try:")
    for question in (*first.questions[:2], last.questions[0]):
        out.print(f"  • {question}", markup=False)
    out.print("\nCtrl-C stops everything.")


def _check(
    addresses: Addresses,
    companies: Sequence[Company],
    members: Sequence[Member],
    password: str,
) -> None:
    for company in companies:
        member = next(m for m in members if m.company == company.name)
        question = member.questions[0]
        out.print(f"\n{company.title} · {member.login} asks: {question}", markup=False)
        answer = _ask_api(addresses.api, member.login, password, question)
        out.print(f"API:  {answer['answer']}", markup=False)
        for citation in answer["citations"]:
            line = f"      [{citation['n']}] {citation['uri']}: {citation['quote'][:100]!r}"
            out.print(line, markup=False)
        if answer["abstained"] or not answer["citations"]:
            raise AssistantError(f"The API gave no cited answer to {question!r}.")
        shown = _ask_page(addresses.api, member.login, password, question)
        out.print(f"Page: {shown}", markup=False)
    out.print("\nAll companies answered with verified citations, over the API and in the chat.")


def _ask_api(api: str, login: str, password: str, question: str) -> dict[str, Any]:
    with httpx.Client(base_url=api, timeout=120) as client:
        signed_in = client.post("/v1/sessions", json={"login": login, "password": password})
        signed_in.raise_for_status()
        client.headers["Authorization"] = f"Bearer {signed_in.json()['token']}"
        answered = client.post("/v1/answers", json={"question": question})
        answered.raise_for_status()
        answer: dict[str, Any] = answered.json()
        return answer


def _ask_page(api: str, login: str, password: str, question: str) -> str:
    """Sign in and ask on the chat page's own script, against the running API."""
    command = [sys.executable, "-m", "ui", "check", "--api", api]
    done = subprocess.run(  # noqa: S603
        [*command, "--login", login, "--question", question],
        input=password,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssistantError(f"The chat page gave no cited answer to {question!r}: {done.stderr}")
    return done.stdout.strip()
