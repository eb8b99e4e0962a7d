"""The world that the pages' tests look at, without a browser and with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from assistant.models.embedder import SentenceEmbedder
from assistant.store.embedded import EmbeddedServer
from tests.ui import acme
from tests.ui import works as works_folders
from tests.ui.script import ScriptPage
from tests.ui.served import page_served
from tests.ui.world import World, opened

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)

OpenTab = Callable[..., Page]


@pytest.fixture(scope="session")
def world(
    postgres: EmbeddedServer,
    bundled: SentenceEmbedder,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Two small companies and the API over them."""
    data_dir = tmp_path_factory.mktemp("acme")
    with opened(postgres, data_dir, bundled, acme.write, acme.MEMBERS) as made:
        yield made


@pytest.fixture(scope="session")
def works(
    postgres: EmbeddedServer,
    bundled: SentenceEmbedder,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """A company whose sources are looked after on the page, with a worker."""
    data_dir = tmp_path_factory.mktemp("works")
    with (
        opened(postgres, data_dir, bundled, works_folders.write, works_folders.MEMBERS) as made,
        made.working(),
    ):
        yield made


@pytest.fixture(scope="session")
def works_address(works: World) -> Iterator[str]:
    """The address of the pages over that company."""
    with page_served(works.url) as (_, url):
        yield url


@pytest.fixture
def page(world: World) -> ScriptPage:
    """The chat page of somebody who has just opened it, without a browser."""
    return ScriptPage(world.url)


@pytest.fixture(scope="session")
def address(world: World) -> Iterator[str]:
    """The address of the chat page, served as in production."""
    with page_served(world.url) as (_, url):
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser; its event loop would keep other modules' tests from running theirs."""
    assert CHROMIUM.exists(), "The browser tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        opened_browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=ARGUMENTS, timeout=60_000
        )
        yield opened_browser
        opened_browser.close()


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[OpenTab]:
    """Opens the chat page in a tab of its own, by default at 1280 x 800."""
    with ExitStack() as stack:

        def open_tab(width: int = 1280, height: int = 800, url: str = address) -> Page:
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale="en-US"
            )
            stack.callback(context.close)
            opened_tab = context.new_page()
            opened_tab.set_default_timeout(30_000)
            opened_tab.goto(url)
            return opened_tab

        yield open_tab
