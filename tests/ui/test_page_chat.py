"""The chat page's logic, on its own script against a live API."""

from __future__ import annotations

import pytest

from tests.ui.acme import BOLTS, INVOICES, REACTOR, SALARY
from tests.ui.script import ScriptPage
from tests.ui.world import World


def test_wrong_password_is_refused_with_one_sentence(page: ScriptPage) -> None:
    page.sign_in("ana", "wrong")
    assert [e.value for e in page.app.error] == [
        "The login or the password is wrong. Check both and try again."
    ]
    assert not page.app.chat_input


def test_empty_form_asks_for_both(page: ScriptPage) -> None:
    page.press("sign-in-button")
    assert [e.value for e in page.app.error] == ["Enter your login and your password."]


def test_signing_in_speaks_the_persons_language(page: ScriptPage) -> None:
    page.sign_in("bruno")
    assert page.app.query_params["lang"] == "pt"
    assert "Você pode ler" in page.html
    assert page.buttons["sign-out"] == "Sair"


def test_chosen_language_wins_over_the_persons(world: World) -> None:
    page = ScriptPage(world.url)
    page.app.query_params["lang"] = "en"
    page.run()
    page.sign_in("bruno")
    assert "You can read" in page.html


def test_language_can_be_switched_while_signed_in(page: ScriptPage) -> None:
    page.sign_in("bruno")
    page.app.segmented_control(key="language-switch").set_value("en").run()
    page.checked()
    assert page.app.query_params["lang"] == "en"
    assert page.buttons["sign-out"] == "Sign out"


def test_header_counts_what_the_person_may_read(world: World) -> None:
    # ana: all six of acme's documents; bruno: without the salaries.
    for login, words in (("ana", "6 documents in 1"), ("bruno", "5 documentos em 1")):
        page = ScriptPage(world.url).sign_in(login)
        assert words in page.html


def test_answer_shows_its_sentence_and_its_source(page: ScriptPage) -> None:
    shown = page.sign_in("ana").ask(INVOICES)
    assert "Invoices are kept for ten years in the archive of the head office. [1]" in shown.text
    assert "Every sentence checked against its source" in page.html
    assert "Retention" in page.bodies[-1]


def test_portuguese_question_in_portuguese(page: ScriptPage) -> None:
    shown = page.sign_in("bruno").ask("Quantos dias de férias tem um funcionário?")
    assert "30 dias de férias por ano. [1]" in shown.text


def test_opening_a_source_highlights_the_quote_and_shows_the_page(page: ScriptPage) -> None:
    page.sign_in("ana").ask(BOLTS)
    page.open("n1")
    assert "<mark>The casing bolts of the pump P-7 are tightened with 85 Nm.</mark>" in page.html
    (image,) = page.app.get("image")
    assert len(image.proto.imgs) == 1
    page.press("close-source")
    assert "<mark>" not in page.html


def test_revoked_source_is_no_longer_available_and_leaves_the_answer(world: World) -> None:
    page = ScriptPage(world.url).sign_in("ana")
    page.ask(INVOICES)
    with world.revoked("acme/retention.md"):
        page.open("n1")
        assert [w.value for w in page.app.warning] == ["This source is no longer available to you."]
        assert "ten years" not in page.html
        assert "no longer available to you" in page.html


def test_next_question_no_longer_sees_what_was_revoked(world: World) -> None:
    page = ScriptPage(world.url).sign_in("ana")
    page.ask(SALARY)
    assert "41,500" in page.html
    with world.revoked("acme/finance/salaries.md"):
        page.ask(SALARY)
        assert "41,500" not in page.html


def test_history_reopens_without_what_was_revoked(world: World) -> None:
    page = ScriptPage(world.url).sign_in("ana")
    page.ask(SALARY)
    conversation = page.app.session_state["visit"].conversation_id
    page.press("new-chat")
    assert not page.answers
    with world.revoked("acme/finance/salaries.md"):
        page.press(f"open-{conversation}")
        assert SALARY in page.html
        assert "41,500" not in page.html
    page.press("new-chat").press(f"open-{conversation}")
    assert "41,500" in page.html


def test_conversation_can_be_deleted(world: World) -> None:
    page = ScriptPage(world.url).sign_in("bruno")
    page.ask("Qual é o valor do vale-refeição?")
    conversation = page.app.session_state["visit"].conversation_id
    page.app.menu_button(key=f"more-{conversation}").click("Apagar").run()
    page.checked()
    assert f"open-{conversation}" not in page.buttons
    assert not page.answers
    assert conversation not in {head.id for head in world.client("bruno").conversations()}


def test_other_company_is_not_found(page: ScriptPage) -> None:
    shown = page.sign_in("ana").ask(REACTOR)
    assert "93 bar" not in page.html
    assert shown.n_citations == 0
    assert "Not found in the documents you can read" in page.html


def test_abstention_offers_the_closest_passages(page: ScriptPage) -> None:
    page.sign_in("ana").ask("Who won the chess championship of 1927 in Buenos Aires?")
    assert page.bodies[-1].count('data-open="c') == 3
    page.open("c0")
    assert '<div class="document">' in page.html


def test_suggested_question_is_asked_by_its_button(page: ScriptPage) -> None:
    page.sign_in("ana")
    assert page.buttons["suggestion-0"].replace("\\", "") == INVOICES
    page.press("suggestion-0")
    assert "ten years" in page.answers[-1].text
    assert "suggestion-0" not in page.buttons


def test_follow_up_shows_how_it_was_understood(page: ScriptPage) -> None:
    page.sign_in("ana").ask(BOLTS)
    page.ask("And after how many hours are they checked again?")
    assert len(page.answers) == 2
    assert "Understood as:" in page.html


def test_filters_restrict_the_search_and_stay_in_the_address(page: ScriptPage) -> None:
    page.sign_in("ana")
    page.app.pills(key="type").set_value(["text/csv"]).run()
    page.checked()
    assert page.app.query_params["type"] == "text/csv"
    assert "only CSV" in page.html
    page.ask(INVOICES)
    assert "ten years" not in page.html
    assert "0.42 EUR" in page.ask("What is the price of the hex bolt M8?").text
    page.press("clear-filters")
    assert "ten years" in page.ask(INVOICES).text


def test_filters_of_the_address_are_used(world: World) -> None:
    page = ScriptPage(world.url)
    page.app.query_params["type"] = "text/csv"
    page.run()
    page.sign_in("ana")
    assert "only CSV" in page.html


@pytest.mark.parametrize("reason", ["good", "wrong", "wrong_source", "should_not_see"])
def test_feedback_is_sent(page: ScriptPage, reason: str) -> None:
    page.sign_in("ana").ask(INVOICES)
    answer = page.app.session_state["visit"].exchanges[-1].answer
    page.press(f"{reason}-answer-{answer.id}")
    assert "Thank you, this is noted." in page.html


def test_receipt_can_be_copied_and_downloaded(world: World, page: ScriptPage) -> None:
    page.sign_in("ana").ask(INVOICES)
    answer = page.app.session_state["visit"].exchanges[-1].answer
    assert answer.receipt in [code.value for code in page.app.code]
    assert world.client("ana").receipt(answer.receipt).startswith("{")


def test_expired_session_leads_to_the_sign_in_page(page: ScriptPage) -> None:
    page.sign_in("ana")
    page.app.session_state["visit"].client.sign_out()
    page.app.chat_input(key="question").set_value(INVOICES).run()
    page.checked()
    assert [i.value for i in page.app.info] == ["Your session has ended. Sign in again to go on."]
    assert "visit" not in page.app.session_state
    page.sign_in("ana")
    assert page.app.chat_input


def test_signing_out_forgets_everything(world: World, page: ScriptPage) -> None:
    page.sign_in("ana").ask(INVOICES)
    client = page.app.session_state["visit"].client
    page.press("sign-out")
    assert "ten years" not in page.html
    assert "visit" not in page.app.session_state
    with pytest.raises(Exception, match="Sign in"):
        client.me()


def test_document_cannot_put_markup_on_the_page(page: ScriptPage) -> None:
    page.sign_in("ana").ask("What do visitors wear in all halls?")
    page.open("n1")
    for forbidden in ("<script", "<img", "onerror=", "<a ", "https://evil"):
        assert forbidden not in page.html.replace("&lt;", "")
    assert "evil.example" in page.html


def test_unreachable_api_is_one_sentence(world: World) -> None:
    page = ScriptPage("http://127.0.0.1:9")
    page.sign_in("ana")
    (error,) = page.app.error
    assert "can't be reached" in error.value
