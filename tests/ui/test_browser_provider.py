"""Signing in to the pages at a real identity provider, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from assistant.access.identity import lock_out
from assistant.api.app import create_app
from assistant.cli.serving import sign_in_at
from assistant.settings import IdentitySettings, Settings
from assistant.store.database import Database
from tests.support.company import Company, assembled, events_of, served
from tests.support.oidc import AUDIENCE, Provider, provider
from tests.support.scripted import ScriptedGenerator
from tests.ui.served import free_port, page_served

SECRET = "the-secret-of-the-pages"


@dataclass(frozen=True)
class Place:
    """The pages, the provider, and the database behind them."""

    url: str
    idp: Provider
    database: Database


@contextmanager
def placed(database: Database, data_dir: Path, token_s: int = 300) -> Iterator[Place]:
    """Serve the pages of a company whose people sign in at a provider."""
    company = Company(database)
    company.document("minutes", "The board met in March.", allow=["group://oidc/finance"])
    company.document("canteen", "The canteen opens at noon.")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        idp = stack.enter_context(provider(page=url, token_s=token_s))
        identity = IdentitySettings.model_validate(
            {
                "oidc": {"issuer": idp.issuer, "audience": AUDIENCE, "leeway_s": 0},
                "page": {
                    "client_id": "page-RS256",
                    "client_secret": "secret",
                    "cookie_secret": SECRET * 2,
                    "url": url,
                    "scopes": ("openid", "ask"),
                },
            }
        )
        settings = Settings(data_dir=data_dir, identity=identity)
        app = create_app(assembled(settings, database, ScriptedGenerator()))
        api = stack.enter_context(served(app))
        stack.enter_context(page_served(api, port, sign_in_at(identity)))
        yield Place(url, idp, database)


@contextmanager
def tab(browser: Browser, place: Place, locale: str = "en-US") -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale=locale)
    try:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(place.url)
        yield page
    finally:
        context.close()


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    with placed(database, tmp_path) as made:
        yield made


def sign_in(page: Page, place: Place, login: str, *, first: bool = True) -> None:
    """Go to the provider, fill in its forms, and come back; the first time it asks for consent."""
    page.locator(".st-key-provider-button button").click()
    page.wait_for_url(f"{place.idp.issuer}/interaction/**")
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill("x")
    page.locator("button[type=submit]").click()
    if first:
        page.locator("input[name=prompt][value=consent]").wait_for(state="attached")
        page.locator("button[type=submit]").click()
    page.wait_for_url(f"{place.url}/**")


def token_cookies(page: Page) -> list[Any]:
    return [c for c in page.context.cookies() if c["name"].startswith("_streamlit_user")]


def test_people_sign_in_at_their_provider_and_out_again(browser: Browser, place: Place) -> None:
    with tab(browser, place) as page:
        expect(page.get_by_text("or with a login of this assistant")).to_be_visible()
        sign_in(page, place, "ana")
        # By the group in the token: the canteen's menu, and the minutes of finance.
        expect(page.get_by_text("You can read 2 documents in 1 collection")).to_be_visible()
        cookies = token_cookies(page)
        assert cookies
        assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies)
        page.reload()
        expect(page.get_by_text("You can read 2 documents in 1 collection")).to_be_visible()
        page.locator(".st-key-sign-out button").click()
        page.wait_for_url(f"{place.idp.issuer}/session/end**")
        page.locator("button[name=logout]").click()
        page.wait_for_url(f"{place.url}/**")
        expect(page.locator(".st-key-provider-button button")).to_be_visible()
        assert token_cookies(page) == []
        # The cookie of before, brought back, holds a token that was signed out.
        page.context.add_cookies(cookies)
        page.reload()
        expect(page.get_by_text("Your session has ended. Sign in again to go on.")).to_be_visible()
        expect(page.locator(".st-key-provider-button button")).to_be_visible()
    types = [event["type"] for event in events_of(place.database)]
    assert [types.count(f"auth.signed_{way}") for way in ("in", "out")] == [1, 1]


def test_who_is_locked_out_is_told_so_in_portuguese(browser: Browser, place: Place) -> None:
    with tab(browser, place, "pt-BR") as page:
        expect(page.get_by_text("Entrar com a conta da empresa")).to_be_visible()
        sign_in(page, place, "bruno")
        expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
        with place.database.begin() as conn:
            lock_out(conn, f"{place.idp.issuer}|bruno")
        page.get_by_test_id("stChatInputTextArea").fill("Quando abre a cantina?")
        page.keyboard.press("Enter")
        ended = "Sua sessão terminou. Entre de novo para continuar."
        expect(page.get_by_text(ended)).to_be_visible()
        sign_in(page, place, "bruno", first=False)
        expect(page.get_by_text(ended)).to_be_visible()
        expect(page.get_by_test_id("stChatInputTextArea")).to_have_count(0)


def test_an_expired_token_ends_at_the_sign_in(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    """The cookie holds for 30 days and nobody but the API looks at when the token ends."""
    with placed(database, tmp_path, token_s=1) as place, tab(browser, place) as page:
        sign_in(page, place, "ana")
        expect(page.locator(".brand")).to_be_visible()
        page.wait_for_timeout(2_000)
        page.reload()
        expect(page.get_by_text("Your session has ended. Sign in again to go on.")).to_be_visible()
        assert token_cookies(page)
        page.locator(".st-key-provider-button button").click()
        # Asked for the password although the provider still knows them.
        expect(page.locator("input[name=password]")).to_be_visible()
