"""Access for a while in a real browser, by the three who have to do with it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.ui.acme import SALARY
from tests.ui.conftest import OpenTab
from tests.ui.test_browser import ask, sign_in
from tests.ui.test_browser_roles import choose
from tests.ui.test_browser_sources import press, settled


def test_one_asks_another_approves_a_third_sees_what_was_read(tab: OpenTab, address: str) -> None:
    bruno = tab(url=f"{address}/?lang=pt")
    sign_in(bruno, "bruno")
    press(bruno, "why")
    bruno.locator(".st-key-why-document input").fill("Salaries")
    bruno.locator(".st-key-ask-why button").first.press("Enter")
    dialog = bruno.get_by_role("dialog")
    expect(dialog).to_contain_text("ou não está compartilhado com você")
    settled(bruno)
    bruno.locator(".st-key-access-reason textarea").fill("O conselho se reúne em uma hora.")
    bruno.locator(".st-key-ask-access-button button").press("Enter")
    expect(dialog).to_contain_text("Um administrador decide")
    bruno.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(bruno.locator(".st-key-my-requests")).to_contain_text("1 pedido aguarda")

    otto = tab(url=f"{address}/people")
    sign_in(otto, "otto")
    choose(otto, "Access for a while (1)")
    expect(otto.locator(".request").first).to_contain_text("Bruno Lima")
    settled(otto)
    otto.get_by_role("button", name="Look at it").press("Enter")
    expect(otto.locator("table.runs")).to_contain_text("would be opened")
    press(otto, "approve")
    expect(otto.locator(".request .state.good")).to_have_text("Open")

    press(bruno, "my-requests")
    expect(dialog).to_contain_text("aprovado por Otto Braga · até")
    bruno.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    ask(bruno, SALARY)
    expect(bruno.locator(".sentence").last).to_contain_text("41,500")

    vera = tab(url=f"{address}/audit?lang=pt")
    sign_in(vera, "vera")
    choose(vera, "Acesso por um tempo")
    vera.locator(".trace", has_text="Salaries").first.press("Enter")
    expect(vera.locator(".outcome")).to_contain_text("1 documento foi lido com ele")
    used = vera.locator(".trace", has_text="Acesso por um tempo usado").first
    used.press("Enter")
    expect(vera.locator("h1")).to_have_text(SALARY)
    expect(vera.locator("table.chunks .rule").first).to_contain_text("allow grant:")

    settled(otto)
    otto.get_by_role("button", name="End it now").press("Enter")
    expect(otto.locator(".request .state.good")).to_have_count(0)
    bruno.locator(".chip").first.click()
    expect(bruno.get_by_text("Esta fonte não está mais disponível para você.")).to_be_visible()
    expect(bruno.get_by_text("41,500")).to_have_count(0)
