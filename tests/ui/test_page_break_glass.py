"""Access for a while on the pages' own script: asked for, decided on, used, looked into."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.ui.acme import SALARY
from tests.ui.script import ScriptPage
from tests.ui.test_page_people import section
from tests.ui.world import World
from ui.break_glass import BreakGlass, Request
from ui.client import Gone, Problem
from ui.model import Filters

REASON = "The board meets in an hour."
FIGURE = "41,500"


@pytest.fixture(autouse=True)
def closed(world: World) -> Iterator[None]:
    """Whatever a test opened is closed at its end."""
    yield
    glass = BreakGlass(world.client("otto"))
    for one in glass.all().which("asked", "active"):
        glass.end(one.id)


def asked(world: World, named: str = "Salaries", login: str = "bruno") -> Request:
    return BreakGlass(world.client(login)).ask(named, REASON, 2)


def looked_for(page: ScriptPage, named: str) -> ScriptPage:
    """Look for a document in the dialog of “Why can't I see it?”."""
    page.press("why")
    page.app.text_input(key="why-document").input(named)
    return page.press("ask-why")


def at_requests(world: World, login: str, page: str, lang: str = "en") -> ScriptPage:
    """The section of requests on the page of an administrator or an auditor."""
    script = ScriptPage(world.url)
    script.app.query_params["lang"] = lang
    script.run()
    script.sign_in(login).go(page)
    if page == "people":
        return section(script, "requests")
    script.app.segmented_control(key="audit-section").set_value("requests").run()
    script.checked()
    return script


def test_a_reader_asks_where_they_miss_it_and_sees_what_becomes_of_it(world: World) -> None:
    bruno = looked_for(ScriptPage(world.url).sign_in("bruno"), "Salaries")
    bruno.press("ask-access-button")
    assert "mais algumas palavras" in bruno.app.error[0].value
    bruno.app.text_area(key="access-reason").input(REASON)
    bruno.app.selectbox(key="access-hours").select(2)
    bruno.press("ask-access-button")
    assert "Um administrador decide" in bruno.app.success[0].value
    assert "por 2 horas" in bruno.html
    assert bruno.buttons["my-requests"] == "1 pedido aguarda"
    (request,) = BreakGlass(world.client("bruno")).mine().which("asked")
    assert (request.named, request.document_id, request.hours) == ("Salaries", "", 2)
    BreakGlass(world.client("otto")).approve(request.id)
    bruno.press("my-requests")
    assert "aprovado por Otto Braga" in bruno.html
    assert bruno.buttons["my-requests"].startswith("Aberto para você até ")
    bruno.press(f"end-{request.id}")
    assert "Encerrado" in bruno.html
    assert bruno.buttons["my-requests"] == "O que eu pedi"


def test_what_exists_and_what_does_not_look_the_same(world: World) -> None:
    shown = []
    for named in ("Salaries", "nothing here"):
        bruno = looked_for(ScriptPage(world.url).sign_in("bruno"), named)
        told = [bruno.html, bruno.app.info[0].value]
        bruno.app.text_area(key="access-reason").input(REASON)
        bruno.press("ask-access-button")
        told += [bruno.html.replace(named, ""), bruno.app.success[0].value]
        bruno.press("my-requests")
        (one,) = BreakGlass(world.client("bruno")).mine().which("asked")
        assert one.document_id == ""
        told = [part.replace(named, "").replace(one.id, "") for part in told]
        shown.append([re.sub(r"há \d+ \w+", "há pouco", part) for part in told])
        bruno.press(f"end-{one.id}")
        assert "retirado" in bruno.html
    assert shown[0] == shown[1]


def test_nobody_may_ask_for_what_they_can_read(world: World) -> None:
    ana = looked_for(ScriptPage(world.url).sign_in("ana"), "Salaries")
    assert ana.app.success[0].value == "You can read it: ask about it."
    assert "ask-access-button" not in ana.buttons


def test_an_administrator_approves_what_somebody_else_asked_for(world: World) -> None:
    request = asked(world)
    otto = at_requests(world, "otto", "people")
    assert [one.proto.label for one in otto.app.get("page_link")] == [
        "Sources",
        "People and access (1)",
        "Kept and erased",
    ]
    for words in ("Bruno Lima", REASON, "Waits", "Salaries", "lapses in"):
        assert words in otto.html, words
    otto.press(f"look-{request.id}")
    assert "would be opened" in otto.html
    assert FIGURE not in otto.html
    otto.press("approve")
    assert "No request waits." in otto.html
    assert "People and access" in [one.proto.label for one in otto.app.get("page_link")]
    assert "approved by Otto Braga · until" in otto.html
    answer = [*world.client("bruno").ask(SALARY, None, Filters())]
    assert FIGURE in str(answer)
    otto.press(f"end-{request.id}")
    assert "open from" in otto.html
    document = BreakGlass(world.client("bruno")).mine().requests[0].document_id
    with pytest.raises(Gone):
        world.client("bruno").document(document, 1)


def test_an_administrator_refuses_and_says_why(world: World) -> None:
    request = asked(world, "no such thing")
    otto = at_requests(world, "otto", "people", "pt")
    otto.press(f"look-{request.id}")
    assert "Nenhum documento daqui" in otto.app.warning[0].value
    assert otto.app.button(key="approve").disabled
    otto.app.text_input(key="refusal").input("There is no such document.")
    otto.press("refuse")
    assert "Recusado" in otto.html
    bruno = ScriptPage(world.url).sign_in("bruno").press("my-requests")
    assert "Resposta: There is no such document." in bruno.html
    assert f"end-{request.id}" not in bruno.buttons


def test_an_auditor_sees_who_and_what_was_read_with_it(world: World) -> None:
    request = asked(world)
    document = BreakGlass(world.client("otto")).approve(request.id).document_id
    [*world.client("bruno").ask(SALARY, None, Filters())]
    world.client("bruno").call("GET", f"/v1/documents/{document}")
    vera = at_requests(world, "vera", "audit")
    inquiry = vera.app.session_state["inquiry"]
    inquiry.open_request(next(r for r in inquiry.glass.all().requests if r.id == request.id))
    vera.run()
    for words in (
        "1 document was read with it",
        REASON,
        "Access for a while asked",
        "Access for a while given",
        "Access for a while used",
        "read for a question",
        "opened",
        document,
    ):
        assert words in vera.html, words
    used = next(e for e in inquiry.opened.events if e.query_id)
    inquiry.open(used.seq)
    vera.run()
    assert f"<h1>{SALARY}</h1>" in vera.html
    vera.press("all-events")
    assert "What the log has of it" in vera.html
    vera.press("all-requests")
    assert "the newest first" in vera.html


@pytest.mark.parametrize("login", ["ana", "vera"])
def test_only_the_second_person_decides(login: str, world: World) -> None:
    request = asked(world)
    glass = BreakGlass(world.client(login))
    for act in (glass.documents, glass.approve, glass.refuse):
        with pytest.raises(Problem) as refused:
            act(request.id)
        assert refused.value.slug == "forbidden"
