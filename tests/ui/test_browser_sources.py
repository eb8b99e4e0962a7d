"""The sources looked after in a real browser: added, tested, synced, mended, scheduled, removed."""

from __future__ import annotations

import httpx
from playwright.sync_api import Page, expect

from tests.ui.conftest import OpenTab
from tests.ui.test_browser import sign_in
from tests.ui.world import PASSWORD, World


def settled(page: Page) -> None:
    """Wait until the page is drawn: a click on one that is being drawn anew is lost."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning"
    )
    page.screenshot()  # headless, nothing is drawn (nor tidied away) until somebody looks


def press(page: Page, key: str) -> None:
    """Press a button with the keyboard."""
    settled(page)
    page.locator(f".st-key-{key} button").first.press("Enter")


def described(page: Page, name: str, path: str) -> None:
    """Fill in the form of a folder."""
    settled(page)
    page.locator(".st-key-new-name input").fill(name)
    page.locator(".st-key-new-title input").fill(name.title())
    page.locator(".st-key-new-files-path input").fill(path)


def test_from_adding_to_removing(tab: OpenTab, works: World, works_address: str) -> None:
    waiting = works.folder.parent / "waiting" / "manuals"
    page = tab(url=works_address)
    sign_in(page, "olga")
    press(page, "add-source")
    described(page, "manuals", str(waiting / "nowhere"))
    press(page, "test-source")
    expect(page.get_by_role("alert")).to_contain_text("nowhere")
    expect(page.locator(".st-key-save-source")).to_have_count(0)

    described(page, "manuals", str(waiting))
    press(page, "test-source")
    expect(page.get_by_text("manuals can be used.")).to_be_visible()
    expect(page.locator(".readers")).to_contain_text("group:staff 3")
    press(page, "save-source")
    expect(page.get_by_text("Never synced")).to_be_visible()

    press(page, "dry-run")
    expect(page.get_by_text("A sync would do this: +3 ~0 −0 documents")).to_be_visible()
    press(page, "sync-now")
    expect(page.get_by_text("+2 ~0 −0 documents, 0 access changes, 1 failure")).to_be_visible()
    cause = page.locator(".st-key-cause-corrupt")
    expect(cause).to_contain_text("scan.pdf")
    expect(cause).to_contain_text("Open the file in its program and save it again.")

    (waiting / "scan.pdf").write_bytes((works.folder.parent / "press.pdf").read_bytes())
    press(page, "retry-corrupt")
    expect(page.get_by_text("Everything that was listed could be read.")).to_be_visible()

    settled(page)
    page.get_by_role("radio", name="Schedule").press("Space")
    page.get_by_text("At an interval").click()
    settled(page)
    page.locator(".st-key-every-minutes input").fill("90")
    press(page, "save-schedule")
    expect(page.get_by_text("Every 90 minutes")).to_be_visible()

    settled(page)
    page.get_by_role("radio", name="Settings").press("Space")
    settled(page)
    page.locator(".st-key-edit-manuals-0-include textarea").fill("*.md")
    press(page, "look-at-change")
    found = page.locator(".st-key-change-found")
    expect(found.locator("table.runs")).to_contain_text("*.md")
    expect(found).to_contain_text("The next sync lists the whole source again.")
    press(page, "save-change")
    expect(found).to_have_count(0)
    press(page, "dry-run")
    expect(page.get_by_text("A sync would do this: +0 ~0 −1 documents")).to_be_visible()


def test_what_everyone_could_read_is_refused(
    tab: OpenTab, works: World, works_address: str
) -> None:
    page = tab(url=works_address)
    sign_in(page, "olga")
    press(page, "add-source")
    described(page, "notices", str(works.folder.parent / "waiting" / "notices"))
    press(page, "test-source")
    expect(page.get_by_role("alert")).to_contain_text("Refused: everyone could read 1 items.")
    expect(page.locator(".st-key-save-source")).to_have_count(0)
    page.locator(".st-key-new-public label").click()
    press(page, "test-source")
    expect(page.get_by_text("notices can be used.")).to_be_visible()


def test_an_employee_has_no_such_page(tab: OpenTab, works: World, works_address: str) -> None:
    page = tab(url=f"{works_address}/sources")
    sign_in(page, "eva")
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    expect(page.get_by_role("link", name="Sources")).to_have_count(0)
    expect(page.locator(".clocks")).to_have_count(0)
    body = {"login": "eva", "password": PASSWORD}
    token = httpx.post(f"{works.url}/v1/sessions", json=body).json()["token"]
    for method, path in (
        ("GET", "/v1/connectors"),
        ("POST", "/v1/connector-tests"),
        ("GET", "/v1/sync-runs"),
    ):
        refused = httpx.request(
            method,
            works.url + path,
            headers={"Authorization": f"Bearer {token}"},
            json={"name": "x", "connector": "files"} if method == "POST" else None,
        )
        assert refused.status_code == 403, path
