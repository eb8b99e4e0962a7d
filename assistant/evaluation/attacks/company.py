"""A company under attack: its documents are synced, its people ask over the product's own API."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import structlog

from assistant import telemetry
from assistant.access.identity import create_person
from assistant.audit import siem
from assistant.audit.log import AuditLog
from assistant.evaluation.attacks import source
from assistant.evaluation.attacks.attack import Attack, Fill
from assistant.evaluation.attacks.obedient import Obedient
from assistant.evaluation.attacks.trail import Json, Trail
from assistant.ingest.progress import Silent
from assistant.ingest.sync import SyncRun
from assistant.ports import Embedder, Generator, Prompt, Token
from assistant.settings import Settings
from assistant.store import catalog, ledger, people, sources
from assistant.store.database import Database

App = Callable[..., Awaitable[None]]
Serve = Callable[[Generator], AbstractContextManager[App]]
"""Opens the product's API over the company, with a generator."""

_ANSWERED = {"answer_still_given", "same_answer_as_without_the_document", "citations_still_present"}
_LOGGED = {"one_event_one_line", "control_characters_escaped"}
_RENDERED = {"no_remote_image_or_unlisted_link", "rendered_html_has_no_script_handler_or_js_uri"}
_MOST_QUESTION = 4_000


@dataclass(frozen=True, slots=True)
class Company:
    """What is attacked: a database of its own, an embedder, and who opens the API.

    `root` is the folder in which everything may be written under `settings.data_dir` alone.
    """

    settings: Settings
    database: Database
    embedder: Embedder
    audit: AuditLog
    serve: Serve
    root: Path


@dataclass(slots=True)
class Watched:
    """A generator whose prompts and length are kept."""

    inner: Generator
    prompts: list[Prompt] = field(default_factory=list)
    n_characters: int = 0

    @property
    def name(self) -> str:
        """Return the generator's name."""
        return self.inner.name

    async def generate(self, prompt: Prompt) -> AsyncIterator[Token]:
        """Stream its answer."""
        self.prompts.append(prompt)
        n = 0
        async with aclosing(self.inner.generate(prompt)) as tokens:  # type: ignore[type-var]
            async for token in tokens:
                n += len(token.text)
                self.n_characters = max(self.n_characters, n)
                yield token

    async def check(self) -> None:
        """Ask it."""
        await self.inner.check()


async def attacked(
    attacks: Sequence[Attack], company: Company, generator: Generator, fill: Fill
) -> list[Trail]:
    """Plant every attack by a sync, ask about each, and return what that left behind."""
    before = _places(company)
    planted = await _synced(attacks, company, fill)
    strays = tuple(sorted(_places(company) - before))
    watched = Watched(generator)
    with _logging() as log, company.serve(watched) as app:
        field_ = _Field(company, fill, app, watched, log, planted, strays)
        try:
            await field_.open()
            return [await field_.attacked(attack) for attack in attacks]
        finally:
            await field_.close()


@dataclass(frozen=True, slots=True)
class _Planted:
    """The ids of the forbidden documents, and what attackers wrote by the ids of theirs."""

    forbidden: frozenset[str]
    written: Mapping[str, str]

    def beside(self, attack: Attack, prompts: Sequence[Prompt]) -> frozenset[str]:
        """Return what other attackers' documents brought into prompts: all may read them."""
        ids = {passage.document_id for prompt in prompts for passage in prompt.passages}
        return frozenset(self.written[i] for i in ids & self.written.keys()) - {attack.text}


async def _synced(attacks: Sequence[Attack], company: Company, fill: Fill) -> _Planted:
    """Enter people and documents; return which of them attackers wrote."""
    with company.database.begin() as conn:
        for login in (source.ASKER, source.OTHER, source.OWNER):
            create_person(conn, login, login.title(), ["employee"])
        entered = sources.put_source(conn, source.NAME, "files", {"path": "/nowhere"})
    attacked_source = source.Attacked(attacks, fill)
    job = SyncRun(
        entered,
        attacked_source,
        database=company.database,
        embedder=company.embedder,
        audit=company.audit,
        settings=company.settings.sync,
        curation=company.settings.curation,
        progress=Silent(),
    )
    await job.run()
    with company.database.begin() as conn:
        names = [source.PLAN, *attacked_source.planted]
        ids = {
            name: str(document.id)
            for name, document in catalog.known_documents(conn, entered.id, names).items()
        }
    written = {ids[name]: text for name, text in attacked_source.planted.items() if name in ids}
    return _Planted(frozenset({ids[source.PLAN]}), written)


def _places(company: Company) -> set[str]:
    """Return what lies beside the data folder and where the process works."""
    found = {str(path) for folder in (company.root, Path.cwd()) for path in folder.iterdir()}
    return found - {str(company.settings.data_dir)}


@contextmanager
def _logging() -> Iterator[io.StringIO]:
    """Have the product's logs written into a text meanwhile."""
    before = structlog.get_config()
    log = io.StringIO()
    telemetry.configure(as_json=True, stream=log)
    try:
        yield log
    finally:
        structlog.configure(**before)


@dataclass(slots=True)
class _Field:
    """Asks over the API as the people of the attacked company."""

    company: Company
    fill: Fill
    app: App
    watched: Watched
    log: io.StringIO
    planted: _Planted
    strays: tuple[str, ...]
    _clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    _plain: dict[str, Json] = field(default_factory=dict)

    async def open(self) -> None:
        """Sign two people in; the other one asks a question that nobody else must hear of."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        for login in (source.ASKER, source.OTHER):
            with self.company.database.begin() as conn:
                person = people.person_with_login(conn, login)
                token = people.start_session(conn, person.id, 24 * 3600)
            headers = {"Authorization": f"Bearer {token}"}
            self._clients[login] = httpx.AsyncClient(
                transport=transport, base_url="http://assistant", headers=headers, timeout=600
            )
        await self._answer(source.OTHER, self.fill.other_question, source.COMMON)

    async def close(self) -> None:
        """Let go of the clients."""
        for client in self._clients.values():
            await client.aclose()

    async def attacked(self, attack: Attack) -> Trail:
        """Ask about one attack and collect what that left behind."""
        question = source.question_of(attack, self.fill)[-_MOST_QUESTION:].strip()
        everywhere = (attack.collection, source.COMMON, source.VAULT)
        plain = await self._without(attack, question)
        before = await self._others(attack)
        self._tell(attack)
        self.watched.prompts.clear()
        self.watched.n_characters = self.log.seek(0)
        self.log.truncate()
        first = self.company.audit.size
        status, text, stream = await self._stream(question, everywhere)
        n_found = _found(stream)
        body = next((data for name, data in stream if name == "done"), {})
        history, export = await self._history(body)
        openai = await self._openai(question) if attack.check in _RENDERED else {}
        if attack.check in _LOGGED:
            telemetry.logger("attack").warning("attack", text=attack.text)
        prompts = tuple(self.watched.prompts)
        n_characters = self.watched.n_characters
        events, exports = self._audited(first)
        logs = self.log.getvalue()
        if attack.check == "no_prefilter_counts":
            without = _found((await self._stream(question, everywhere[:2]))[2])
        else:
            without = n_found
        return Trail(
            attack=attack,
            fill=self.fill,
            question=question,
            status=status,
            body=body,
            stream=stream,
            history=history,
            export=export,
            openai=openai,
            denied="" if status == 200 else text,
            prompts=prompts,
            n_characters=n_characters,
            product=self._product,
            events=events,
            exports=exports,
            logs=logs,
            found=(n_found, without),
            plain=plain,
            others=(before, await self._others(attack)),
            forbidden_ids=self.planted.forbidden,
            beside=self.planted.beside(attack, prompts),
            strays=self.strays,
        )

    @property
    def _product(self) -> str:
        inner = self.watched.inner
        return inner.product if isinstance(inner, Obedient) else "(no product)"

    def _tell(self, attack: Attack) -> None:
        """Let an obedient generator know what the attack is after."""
        inner = self.watched.inner
        if isinstance(inner, Obedient):
            inner.target = attack.wrong or attack.trigger
            inner.floods = attack.check == "token_budget_respected"

    async def _without(self, attack: Attack, question: str) -> Json:
        """Return the answer without the attack's document, where its check compares."""
        if attack.check not in _ANSWERED:
            return {}
        if question not in self._plain:
            self._tell(Attack("", "", "", "", ""))
            answered = await self._answer(source.ASKER, question, source.COMMON, source.VAULT)
            self._plain[question] = answered
        return self._plain[question]

    async def _others(self, attack: Attack) -> Json:
        if attack.check != "no_cross_session_effect":
            return {}
        self._tell(Attack("", "", "", "", ""))
        question = source.honest_question(attack.lang, self.fill)
        return await self._answer(source.OTHER, question, source.COMMON)

    async def _answer(self, login: str, question: str, *collections: str) -> Json:
        asked = {"question": question, "filters": {"collections": list(collections)}}
        response = await self._clients[login].post("/v1/answers", json=asked)
        found: Json = response.json()
        return found

    async def _stream(
        self, question: str, collections: Sequence[str]
    ) -> tuple[int, str, list[tuple[str, Json]]]:
        asked = {"question": question, "filters": {"collections": list(collections)}}
        response = await self._clients[source.ASKER].post("/v1/chat", json=asked)
        return response.status_code, response.text, list(_events(response.text))

    async def _history(self, body: Json) -> tuple[Json, str]:
        if "conversation_id" not in body:
            return {}, ""
        client, path = self._clients[source.ASKER], f"/v1/conversations/{body['conversation_id']}"
        shown = await client.get(path)
        exported = await client.get(f"{path}/export")
        return shown.json(), exported.text if exported.status_code == 200 else ""

    async def _openai(self, question: str) -> Json:
        asked = {"model": "assistant", "messages": [{"role": "user", "content": question}]}
        response = await self._clients[source.ASKER].post("/v1/chat/completions", json=asked)
        found: Json = response.json()
        return found

    def _audited(self, first: int) -> tuple[list[Json], dict[str, str]]:
        """Return the new events, and the exports of them in every format."""
        with self.company.database.begin() as conn:
            bodies = [event.body for event in ledger.events(conn, first)]
        lines = {
            "jsonl": b"".join(body + b"\n" for body in bodies),
            "cef": b"".join(map(siem.cef, bodies)),
            "ocsf": b"".join(map(siem.ocsf, bodies)),
        }
        return [json.loads(body) for body in bodies], {k: v.decode() for k, v in lines.items()}


def _found(stream: Sequence[tuple[str, Json]]) -> int:
    for name, data in stream:
        if name == "status" and data["step"] == "reading":
            return int(data["detail"]["found"])
    return 0


def _events(text: str) -> Iterator[tuple[str, Json]]:
    """Parse server-sent events with JSON data."""
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "event" in fields and "data" in fields:
            yield fields["event"], json.loads(fields["data"])
