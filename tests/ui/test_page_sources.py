"""The page of the sources, on its own script against a live API."""

from __future__ import annotations

import pytest

from tests.ui.script import ScriptPage
from tests.ui.world import World


@pytest.fixture
def olga(works: World) -> ScriptPage:
    """The page of the admin, who asks no questions."""
    return ScriptPage(works.url).sign_in("olga")


def test_an_admin_sees_the_sources(olga: ScriptPage) -> None:
    assert not olga.app.chat_input
    assert "Plant" in olga.buttons["source-plant"]
    assert "1 document" in olga.html
    assert "Up to date" in olga.html
    for clock in ("Content", "Deletions", "Access", "Groups", "Next run"):
        assert clock in olga.html


def test_an_employee_sees_the_chat_and_no_sources(works: World) -> None:
    page = ScriptPage(works.url).sign_in("eva")
    assert page.app.chat_input
    assert "add-source" not in page.buttons
    assert not page.app.get("page_link")


def test_an_integrator_who_asks_has_both(works: World) -> None:
    page = ScriptPage(works.url).sign_in("ivo")
    assert page.app.chat_input
    assert len(page.app.get("page_link")) == 2
