"""The pages as people of the sample companies see them, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from assistant import wiring
from assistant.cli import serving
from assistant.settings import load
from tests.ui.conftest import ARGUMENTS, CHROMIUM

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


@pytest.fixture(scope="module")
def address(demo_data: Path) -> Iterator[str]:
    """The address of the chat page over the sample companies."""
    settings = serving.addressed(load(data_dir=demo_data), None, 0, 0)
    with (
        wiring.assistant(settings) as assistant,
        serving.running(assistant, page=True) as addresses,
    ):
        yield addresses.page


@pytest.mark.parametrize(
    ("name", "lang", "login", "question", "quoted"),
    [
        ("chat-en", "en", "ana", "What was the CET1 ratio at the end of 2025?", "12.9%"),
        ("chat-pt", "pt", "carla", "Qual é a dose de oxaliplatina no protocolo FOLFOX?", "mg"),
    ],
)
def test_a_citation_opens_its_source(
    name: str,
    lang: str,
    login: str,
    question: str,
    quoted: str,
    address: str,
    demo_data: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    folder = IMAGES if request.config.getoption("--update-screenshots") else tmp_path
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        page.goto(f"{address}/?lang={lang}")
        page.locator(".st-key-login input").fill(login)
        page.keyboard.press("Tab")
        page.keyboard.type((demo_data / "demo-password").read_text())
        page.keyboard.press("Enter")
        page.get_by_test_id("stChatInputTextArea").fill(question)
        page.keyboard.press("Enter")
        expect(page.locator(".verdict")).to_have_count(1, timeout=60_000)
        page.wait_for_timeout(2_000)
        page.locator(".chip").first.click()
        expect(page.locator(".passage mark").first).to_be_visible(timeout=30_000)
        expect(page.locator(".passage mark").first).to_contain_text(quoted)
        page.wait_for_timeout(3_000)
        page.screenshot(path=folder / f"{name}.png")
        browser.close()
    assert (folder / f"{name}.png").stat().st_size > 20_000


@pytest.mark.parametrize(("name", "lang"), [("admin-en", "en"), ("admin-pt", "pt")])
def test_the_sources_and_their_clocks(
    name: str,
    lang: str,
    address: str,
    demo_data: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    folder = IMAGES if request.config.getoption("--update-screenshots") else tmp_path
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        page.goto(f"{address}/?lang={lang}")
        page.locator(".st-key-login input").fill("grace")
        page.keyboard.press("Tab")
        page.keyboard.type((demo_data / "demo-password").read_text())
        page.keyboard.press("Enter")
        page.locator(".st-key-places a").nth(1).click(timeout=60_000)
        expect(page.locator(".clocks")).to_have_count(4, timeout=60_000)
        expect(page.locator(".state.good")).to_have_count(4)
        page.wait_for_timeout(3_000)
        page.screenshot(path=folder / f"{name}.png")
        browser.close()
    assert (folder / f"{name}.png").stat().st_size > 20_000


def signed_in(browser: Browser, address: str, login: str, lang: str, password: str) -> Page:
    """A page of somebody at one of their places."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
    page.goto(f"{address}/?lang={lang}")
    page.locator(".st-key-login input").fill(login)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-person")).to_be_visible(timeout=60_000)
    return page


def drawn(page: Page, path: Path) -> None:
    """Save what is seen once the page is at rest, with the pointer out of the way."""
    page.mouse.move(900, 890)
    page.wait_for_timeout(2_000)
    page.screenshot(path=path)
    assert path.stat().st_size > 20_000


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_auditors_and_administrators(
    lang: str, address: str, demo_data: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = IMAGES if request.config.getoption("--update-screenshots") else tmp_path
    password = (demo_data / "demo-password").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        ana = signed_in(browser, address, "ana", lang, password)
        ana.get_by_test_id("stChatInputTextArea").fill(
            "What was the CET1 ratio at the end of 2025?"
        )
        ana.keyboard.press("Enter")
        expect(ana.locator(".verdict")).to_have_count(1, timeout=60_000)

        elisa = signed_in(browser, address, "elisa", lang, password)
        elisa.locator(".st-key-places a").nth(1).click()
        expect(elisa.locator(".trace").first).to_contain_text("CET1", timeout=30_000)
        elisa.wait_for_timeout(2_000)
        elisa.locator(".trace").first.click()
        expect(elisa.locator(".st-key-proof .state.good")).to_be_visible(timeout=30_000)
        elisa.wait_for_timeout(2_000)
        elisa.locator(".st-key-replay button").first.click()
        expect(elisa.locator(".st-key-replayed")).to_be_visible(timeout=30_000)
        drawn(elisa, folder / f"audit-{lang}.png")

        grace = signed_in(browser, address, "grace", lang, password)
        grace.locator(".st-key-places a").nth(2).click()
        expect(grace.locator(".trace")).to_have_count(8, timeout=30_000)
        grace.wait_for_timeout(2_000)
        grace.locator(".trace", has_text="Bruno Lima").click()
        expect(grace.locator(".path").first).to_be_visible(timeout=30_000)
        drawn(grace, folder / f"people-{lang}.png")
        browser.close()
