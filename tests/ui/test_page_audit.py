"""The page of auditors, on its own script against a live API."""

from __future__ import annotations

import json

import pytest

from assistant.audit import verifier
from tests.ui.acme import INVOICES
from tests.ui.script import ScriptPage
from tests.ui.world import World
from ui.audit import Audit, Verification, Wanted
from ui.client import Problem
from ui.model import Filters


@pytest.fixture
def audit(world: World) -> Audit:
    """The log, in which a question of Ana's is the newest."""
    for _ in world.client("ana").ask(INVOICES, None, Filters()):
        pass
    return Audit(world.client("vera"))


@pytest.fixture
def vera(world: World, audit: Audit) -> ScriptPage:
    """The page of the auditor, who asks no questions."""
    del audit
    return ScriptPage(world.url).sign_in("vera")


def opened(page: ScriptPage, seq: int) -> ScriptPage:
    """Open an event that is listed."""
    page.app.session_state["inquiry"].open(seq)
    page.run()
    return page


def test_what_is_listed_says_who_asked_what(vera: ScriptPage) -> None:
    assert "Every look here is recorded in the log, in your name." in vera.html
    assert f"<b>Ana Souza</b> {INVOICES}" in vera.html
    assert not vera.app.chat_input
    assert len(vera.app.get("page_link")) == 2


def test_a_search_finds_by_kind_and_person_and_is_one_look(vera: ScriptPage, audit: Audit) -> None:
    def n_looks() -> int:
        return len(audit.find(Wanted(type="audit.read")).events)

    before = n_looks()
    vera.run()
    assert n_looks() == before + 1  # the count's own
    vera.app.selectbox(key="audit-kind").select("auth")
    vera.press("search-events")
    assert "Signed in" in vera.html
    assert INVOICES not in vera.html
    vera.app.text_input(key="audit-about").input("no such document")
    vera.press("search-events")
    assert "Nothing in the log fits that." in vera.html


def test_an_answer_is_found_by_its_receipt(vera: ScriptPage, audit: Audit) -> None:
    receipt = audit.find(Wanted(type="query.finished")).events[0].seq
    vera.app.text_input(key="audit-receipt").input(str(receipt))
    vera.press("search-events")
    assert f"<h1>{INVOICES}</h1>" in vera.html
    assert f"receipt {receipt}" in vera.html
    vera.press("all-events")
    vera.app.text_input(key="audit-receipt").input("0")
    vera.press("search-events")
    assert "no number of a receipt" in vera.app.error[0].value


def test_a_question_shows_its_passages_its_proof_and_its_replay(
    vera: ScriptPage, audit: Audit
) -> None:
    event = audit.find(Wanted(type="query.accepted")).events[0]
    opened(vera, event.seq)
    for words in ("Proven", "Policy epoch", "Index generation", "allow group:acme:staff", "cited"):
        assert words in vera.html, words
    assert "Decision now" not in vera.html
    vera.press("replay")
    assert "Decision now" in vera.html
    assert "The same search brings the same passages" in vera.app.success[0].value


def test_a_replay_shows_what_the_asker_may_no_longer_read(world: World, vera: ScriptPage) -> None:
    event = Audit(world.client("vera")).find(Wanted(type="query.accepted")).events[0]
    opened(vera, event.seq)
    with world.revoked("acme/retention.md"):
        vera.press("replay")
    assert "may no longer read" in (vera.app.success or vera.app.warning)[0].value
    assert '<tr class="changed">' in vera.html
    assert "refused" in vera.html


def test_an_event_of_no_question_is_shown_as_it_was_hashed(vera: ScriptPage, audit: Audit) -> None:
    event = audit.find(Wanted(type="auth.signed_in")).events[0]
    opened(vera, event.seq)
    assert "Signed in" in vera.html
    assert "password" in vera.html


def test_the_log_verifies_and_is_taken_away_with_its_proof(world: World, audit: Audit) -> None:
    page = ScriptPage(world.url).sign_in("vera")
    page.app.segmented_control(key="audit-section").set_value("verify").run()
    page.press("verify-log")
    assert page.app.success[0].value.startswith("All of it verifies:")
    *_, last = audit.verify()
    assert isinstance(last, Verification)
    assert last.ok
    page.app.segmented_control(key="audit-section").set_value("export").run()
    page.checked()
    assert "verify_audit.py" in page.app.code[0].value
    lines = audit.export(0, None, "jsonl").read().rstrip(b"\n").split(b"\n")
    assert b"verify_audit.py" in audit.verifier()
    assert audit.public_key().startswith(b"-----BEGIN PUBLIC KEY-----")
    assert json.loads(lines[-1])["proof"]["n_events"] == len(lines) - 1
    assert verifier.leaf(lines[0]).hex() == json.loads(lines[-1])["proof"]["leaves"][0]
    assert audit.export(0, 3, "cef").read().count(b"CEF:0|") == 4


def test_portuguese(world: World) -> None:
    page = ScriptPage(world.url)
    page.app.query_params["lang"] = "pt"
    page.run()
    page.sign_in("vera")
    assert "Cada consulta aqui fica no registro, em seu nome." in page.html
    page.app.segmented_control(key="audit-section").set_value("verify").run()
    page.press("verify-log")
    assert page.app.success[0].value.startswith("Tudo confere:")


@pytest.mark.parametrize("login", ["ana", "otto"])
def test_the_api_refuses_everybody_else(world: World, login: str) -> None:
    audit = Audit(world.client(login))
    for look in (lambda: audit.find(Wanted()), lambda: audit.proven(0), audit.verifier):
        with pytest.raises(Problem) as refused:
            look()
        assert refused.value.slug == "forbidden"
    assert "Audit" not in ScriptPage(world.url).sign_in(login).html
