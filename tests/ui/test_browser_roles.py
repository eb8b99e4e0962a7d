"""What auditors, administrators and readers do in a real browser, and what each never sees."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from assistant.audit import verifier
from assistant.domain import Principal
from assistant.store import sources
from assistant.store.group_names import replace_titles
from tests.ui.acme import INVOICES
from tests.ui.conftest import OpenTab
from tests.ui.test_browser import sign_in
from tests.ui.test_browser_sources import press, settled
from tests.ui.world import PASSWORD, World


def choose(page: Page, section: str) -> None:
    """Show a section of the page."""
    settled(page)
    page.get_by_role("radio", name=section).press("Space")
    settled(page)


def saved(page: Page, key: str, folder: Path) -> Path:
    """Press a button that downloads, and return the file."""
    settled(page)
    with page.expect_download() as download:
        page.locator(f".st-key-{key} button").first.press("Enter")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_an_auditor_finds_replays_verifies_and_takes_away(
    tab: OpenTab, world: World, tmp_path: Path
) -> None:
    world.client("ana").call("POST", "/v1/answers", {"question": INVOICES})
    page = tab()
    sign_in(page, "vera")
    expect(page.get_by_text("Every look here is recorded in the log")).to_be_visible()
    expect(page.get_by_test_id("stChatInputTextArea")).to_have_count(0)
    page.locator(".trace", has_text=INVOICES).first.press("Enter")
    expect(page.locator("h1")).to_have_text(INVOICES)
    expect(page.locator(".st-key-proof .state")).to_have_text("Proven")
    expect(page.locator("table.chunks .rule").first).to_have_text("allow group:acme:staff")
    press(page, "replay")
    expect(page.locator(".st-key-replayed")).to_contain_text("brings the same passages")
    expect(page.get_by_text("Decision now")).to_be_visible()
    receipt = saved(page, "download-receipt", tmp_path)
    press(page, "all-events")
    choose(page, "Verify")
    press(page, "verify-log")
    expect(page.locator(".st-key-verified")).to_contain_text("All of it verifies:")
    choose(page, "Export")
    log, key = saved(page, "export-log", tmp_path), saved(page, "download-key", tmp_path)
    program = saved(page, "download-verifier", tmp_path)
    assert program.read_bytes() == Path(verifier.__file__).read_bytes()
    for file in (log, receipt):
        assert verifier.main([str(key), str(file)]) == 0, file
    page.get_by_role("radio", name="PT").press("Space")
    expect(page.get_by_text("Cada consulta aqui fica no registro, em seu nome.")).to_be_visible()


def test_an_administrator_adds_somebody_and_locks_them_out(tab: OpenTab, world: World) -> None:
    page = tab()
    sign_in(page, "otto")
    settled(page)
    page.get_by_role("link", name="People and access").click()
    expect(page.locator(".trace", has_text="Ana Souza")).to_be_visible()
    press(page, "add-person")
    settled(page)
    page.locator(".st-key-new-login input").fill("rosa")
    page.locator(".st-key-new-person-name input").fill("Rosa Nunes")
    press(page, "save-person")
    expect(page.get_by_text("It is shown this once")).to_be_visible()
    password = page.locator(".st-key-secret code").inner_text().strip()
    body = {"login": "rosa", "password": password}
    token = httpx.post(f"{world.url}/v1/sessions", json=body).json()["token"]
    held = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{world.url}/v1/me", headers=held).status_code == 200
    press(page, "disable")
    expect(page.locator(".state.bad")).to_have_text("Disabled")
    expect(page.get_by_text(password)).to_have_count(0)
    assert httpx.get(f"{world.url}/v1/me", headers=held).status_code == 401
    press(page, "all-people")
    choose(page, "Who may read what")
    press(page, "explore")
    expect(page.locator(".st-key-finding .outcome")).to_contain_text("May read 6 documents")
    expect(page.locator(".path").first).to_contain_text("staff")
    page.get_by_role("radio", name="PT").press("Space")
    expect(page.locator("h1")).to_have_text("Pessoas e acesso")


def test_groups_are_called_by_their_names_both_ways(
    tab: OpenTab, world: World, address: str
) -> None:
    with world.database.begin() as conn:
        source_id = sources.source_named(conn, "acme").id
        replace_titles(conn, source_id, {Principal("group:acme:finance"): "Treasury"})
    page = tab(url=f"{address}/people?lang=pt")
    sign_in(page, "otto")
    expect(page.locator("h1")).to_have_text("Pessoas e acesso")
    choose(page, "Grupos")
    page.locator(".trace", has_text="Treasury").press("Enter")
    expect(page.locator("h1")).to_have_text("Treasury")
    expect(page.locator(".status-line")).to_contain_text("informado por Acme")
    press(page, "all-groups")
    choose(page, "Quem pode ler o quê")
    press(page, "explore")  # what Ana, the first, may read
    expect(page.locator(".st-key-finding .path").first).to_be_visible()
    expect(page.locator(".st-key-finding")).to_contain_text("allow Treasury")
    settled(page)
    page.locator(".st-key-explored").get_by_role("combobox").click()
    page.get_by_role("option", name="Quem pode ler este documento?").click()
    settled(page)
    page.locator(".st-key-readers-document input").fill("finance/salaries.md")
    press(page, "explore")
    readers = page.locator(".st-key-finding")
    expect(readers).to_contain_text("Treasury (group:acme:finance), Acme")
    with world.database.begin() as conn:
        replace_titles(conn, source_id, {})


def test_an_auditor_holds_what_an_administrator_then_can_not_erase(
    tab: OpenTab, world: World, address: str
) -> None:
    page = tab()
    sign_in(page, "vera")
    settled(page)
    page.get_by_role("link", name="Kept and erased").click()
    expect(page.get_by_text("Nothing is on hold.")).to_be_visible()
    settled(page)
    page.locator(".st-key-hold-value input").fill("Zoraide")
    page.locator(".st-key-hold-reason input").fill("case 7")
    press(page, "place-hold")
    expect(page.locator(".state.late")).to_contain_text("in force since")
    other = tab(url=f"{address}/kept?lang=pt")
    sign_in(other, "otto")
    expect(other.locator("h1")).to_have_text("Guarda e apagamento")
    expect(other.locator(".state.late")).to_contain_text("em vigor desde")
    expect(other.locator(".st-key-place-hold")).to_have_count(0)
    choose(other, "Apagamentos")
    expect(other.locator(".st-key-find-subject")).to_be_visible()
    press(page, "release-hold")
    expect(page.locator(".state.late")).to_have_count(0)


def test_a_reader_asks_why_and_is_told_nothing(tab: OpenTab, address: str) -> None:
    page = tab(url=f"{address}/?lang=pt")
    sign_in(page, "bruno")
    told = []
    for name in ("Salaries", "nothing of the kind"):
        press(page, "why")
        page.locator(".st-key-why-document input").fill(name)
        page.locator(".st-key-ask-why button").first.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("ou não está compartilhado com você")
        expect(dialog).to_contain_text("Acme")
        expect(dialog.locator(".st-key-ask-access-button")).to_be_visible()
        settled(page)
        told.append(dialog.inner_text())
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("login", "address_of", "refused"),
    [
        ("ana", ("audit", "people", "kept"), ("audit/events", "people", "access/reading", "holds")),
        ("vera", ("people", "sources"), ("access/reading", "connectors", "conversations")),
        ("otto", ("audit",), ("audit/events", "audit/verify", "conversations")),
    ],
)
def test_who_may_not_sees_no_such_page(
    login: str,
    address_of: tuple[str, ...],
    refused: tuple[str, ...],
    tab: OpenTab,
    address: str,
    world: World,
) -> None:
    titles = {"audit": "Audit", "people": "People and access", "sources": "Sources"}
    titles["kept"] = "Kept and erased"
    for path in address_of:
        page = tab(url=f"{address}/{path}")
        sign_in(page, login)
        expect(page.locator(".st-key-person")).to_be_visible()
        settled(page)
        expect(page.get_by_role("link", name=titles[path])).to_have_count(0)
        expect(page.locator("h1", has_text=titles[path])).to_have_count(0)
    body = {"login": login, "password": PASSWORD}
    token = httpx.post(f"{world.url}/v1/sessions", json=body).json()["token"]
    for path in refused:
        answer = httpx.get(
            f"{world.url}/v1/{path}",
            params={"user": "ana"} if path == "access/reading" else {},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 403, path
