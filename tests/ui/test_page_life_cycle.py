"""The page of holds, erasures and retention, on its own script against a live API."""

from __future__ import annotations

import pytest

from assistant.store import holds
from tests.ui.script import ScriptPage
from tests.ui.world import World
from ui.client import Problem
from ui.life import LifeCycle


def at(world: World, login: str, section: str = "holds", lang: str = "en") -> ScriptPage:
    """The page of somebody, at one of its sections."""
    page = ScriptPage(world.url)
    page.app.query_params["lang"] = lang
    page.run()
    page.sign_in(login).go("kept")
    page.app.segmented_control(key="life-section").set_value(section).run()
    page.checked()
    return page


def test_a_hold_blocks_an_erasure_until_it_is_released(world: World) -> None:
    vera = at(world, "vera")
    vera.press("place-hold")
    assert "Say what to hold" in vera.app.error[0].value
    vera.app.text_input(key="hold-value").input("globex")
    vera.app.radio(key="hold-kind").set_value("collection")
    vera.app.text_input(key="hold-reason").input("case 2026-114")
    vera.press("place-hold")
    assert "case 2026-114" in vera.html

    otto = at(world, "otto", "erasures")
    otto.app.text_area(key="subject-names").input("stopped at a pressure")
    otto.press("find-subject")
    assert "Passages" in otto.html
    assert otto.app.button(key="erase").disabled
    otto.app.text_input(key="erase-word").input("erase").run()
    otto.press("erase")
    assert "case 2026-114" in otto.app.error[0].value.replace("\\", "")

    vera.press("release-hold")
    assert "released" in vera.html
    with world.database.begin() as conn:
        assert not holds.listed(conn, in_force=True)


def test_an_erasure_is_counted_confirmed_and_certified(world: World) -> None:
    with world.extra("globex/zoraide.md", "# Note\n\nZoraide Quixad\u00e1 called at nine.\n"):
        page = at(world, "otto", "erasures")
        page.app.text_area(key="subject-names").input("Zoraide Quixad\u00e1\n")
        page.press("find-subject")
        page.app.text_input(key="erase-word").input("erase").run()
        page.press("erase")
        assert page.app.success[0].value == "Erased and certified: 1 documents."
        assert "1 item kept out of syncs" in page.html
        world.sync()
        assert LifeCycle(world.client("otto")).find(["Zoraide Quixad\u00e1"]).is_empty
        page.press("release-erasure")
        assert "released, or nothing to keep out" in page.html
    seen = at(world, "vera", "erasures")
    assert "Zoraide" not in seen.html
    assert "find-subject" not in seen.buttons
    assert "release-erasure" not in seen.buttons


def test_retention_says_what_it_would_forget(world: World) -> None:
    page = at(world, "otto", "retention")
    assert "can be read for 72 months" in page.html
    assert page.app.button(key="run-retention").disabled
    assert "run-retention" not in at(world, "vera", "retention").buttons


def test_portuguese(world: World) -> None:
    page = at(world, "otto", "retention", lang="pt")
    assert "Guarda e apagamento" in page.html
    assert "podem ser lidas por 72 meses" in page.html


@pytest.mark.parametrize("login", ["ana", "bruno"])
def test_others_have_no_such_page_and_the_api_refuses(world: World, login: str) -> None:
    life = LifeCycle(world.client(login))
    for look in (life.holds, life.erasures, life.plan, life.run):
        with pytest.raises(Problem) as refused:
            look()
        assert refused.value.slug == "forbidden"
    assert "Kept and erased" not in ScriptPage(world.url).sign_in(login).go("kept").html
