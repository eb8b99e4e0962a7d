"""What only a real browser knows: clicks, keys, what is visible, what is fetched and run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.scripted import ScriptedGenerator
from tests.ui.acme import BOLTS, INVOICES, SALARY
from tests.ui.conftest import OpenTab
from tests.ui.served import page_served
from tests.ui.world import PASSWORD, World


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """Sign in with the keyboard alone."""
    page.locator(".st-key-login input").fill(login)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def ask(page: Page, question: str) -> None:
    """Ask with the keyboard alone, and wait for the whole answer."""
    before = page.locator(".verdict").count()
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_have_count(before + 1)
    page.wait_for_timeout(2_000)  # the run that wrote the answer is followed by one that shows it
    page.screenshot()  # headless, nothing is drawn (nor tidied away) until somebody looks


def test_wrong_password_then_right_one(tab: OpenTab) -> None:
    page = tab()
    sign_in(page, "ana", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("The login or the password is wrong.")
    sign_in(page, "ana")
    expect(page.get_by_text("You can read 6 documents in 1 collection")).to_be_visible()
    expect(page.get_by_role("button", name="How long are invoices kept")).to_be_visible()


def test_citation_opens_its_passage_and_its_page(tab: OpenTab, address: str) -> None:
    page = tab()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    sign_in(page, "ana")
    ask(page, BOLTS)
    chip = page.locator(".chip").first
    chip.hover()
    expect(chip.locator(".tip")).to_be_visible()
    expect(chip.locator(".tip")).to_contain_text("Pump manual")
    chip.click()
    expect(page.locator(".passage mark")).to_have_text(
        "The casing bolts of the pump P-7 are tightened with 85 Nm."
    )
    image = page.locator(".st-key-panel img")
    expect(image).to_be_visible()
    assert image.evaluate("one => one.decode().then(() => one.naturalWidth)") > 600
    page.keyboard.press("Escape")
    expect(page.locator(".passage")).to_have_count(0)
    assert {host for host in hosts if host not in address} == set()


def test_portuguese(tab: OpenTab) -> None:
    page = tab()
    page.get_by_role("radio", name="PT").click()
    expect(page.get_by_role("button", name="Entrar")).to_be_visible()
    assert page.url.endswith("lang=pt")
    sign_in(page, "bruno")
    ask(page, "Quantos dias de férias tem um funcionário?")
    expect(page.locator(".assistant-answer").last).to_contain_text("30 dias de férias por ano.")
    page.locator(".card").first.press("Enter")
    expect(page.locator(".passage mark")).to_be_visible()
    expect(page.locator(".st-key-panel .where")).to_contain_text("versão 1")


def test_revoked_while_open(tab: OpenTab, world: World) -> None:
    page = tab()
    sign_in(page, "ana")
    ask(page, SALARY)
    expect(page.locator(".assistant-answer").last).to_contain_text("41,500 reais")
    with world.revoked("acme/finance/salaries.md"):
        page.locator(".chip").first.click()
        expect(page.get_by_text("This source is no longer available to you.")).to_be_visible()
        expect(page.get_by_text("41,500")).to_have_count(0)
        page.locator(".st-key-new-chat button").click()
        # A click on a page that is being drawn anew is lost.
        expect(page.get_by_text("What would you like to know?")).to_be_visible()
        expect(page.locator("[data-testid=stApp]")).to_have_attribute(
            "data-test-script-state", "notRunning"
        )
        page.locator(".st-key-history").get_by_role("button", name=SALARY[:20]).first.click()
        expect(page.get_by_text("1 sentence is no longer available to you")).to_be_visible()
        assert "41,500" not in page.content()
        ask(page, SALARY)
        assert "41,500" not in page.content()


def test_nothing_in_a_document_runs_or_links(tab: OpenTab) -> None:
    page = tab()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    sign_in(page, "ana")
    ask(page, "What do visitors wear in all halls?")
    page.locator("[data-open]").first.click()
    expect(page.locator(".passage")).to_be_visible()
    main = page.locator("[data-testid=stMain]")
    expect(main).to_contain_text("evil.example")
    expect(main.locator("a")).to_have_count(0)
    expect(main.locator("img")).to_have_count(0)
    assert page.title() == "Assistant"
    assert not [url for url in fetched if "evil.example" in url]


def test_phone(tab: OpenTab) -> None:
    page = tab(width=390, height=800)
    sign_in(page, "ana")
    ask(page, BOLTS)
    page.locator(".chip").first.click()
    panel = page.locator(".st-key-panel")
    expect(panel.locator("mark")).to_be_visible()
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Escape")
    expect(page.locator(".verdict")).to_have_count(1)
    expect(page.locator(".verdict")).to_be_visible()


@pytest.fixture
def slow(world: World) -> Iterator[tuple[ScriptedGenerator, str]]:
    """A page whose generator waits before its third sentence, so that the first is complete."""
    generator = ScriptedGenerator(
        lambda prompt: [f"{p.text.splitlines()[0]} [{p.n}]\n" for p in prompt.passages]
    )
    generator.hold(2)
    with world.written_by(generator) as api, page_served(api) as (_, url):
        yield generator, url
        generator.release()


def test_stopping_keeps_what_was_written(tab: OpenTab, slow: tuple[ScriptedGenerator, str]) -> None:
    generator, url = slow
    page = tab(url=url)
    sign_in(page, "ana")
    page.get_by_test_id("stChatInputTextArea").fill(INVOICES)
    page.keyboard.press("Enter")
    expect(page.locator(".sentence")).to_have_count(1)
    page.get_by_role("button", name="Stop").first.click()
    expect(page.get_by_text("Stopped. This answer was not kept")).to_be_visible()
    expect(page.locator(".sentence")).to_have_count(1)
    page.wait_for_timeout(200)
    assert generator.n_closed == len(generator.prompts) == 1
    assert generator.n_completed == 0
    generator.release()
    ask(page, INVOICES)
    expect(page.locator(".verdict")).to_have_count(1)
