"""The page of the sources, on its own script against a live API."""

from __future__ import annotations

import time

import pytest

from tests.ui.script import ScriptPage
from tests.ui.world import World
from ui.sources import Draft, Sources


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


def test_a_form_that_is_not_filled_in_says_what_is_missing(olga: ScriptPage) -> None:
    olga.press("add-source").press("test-source")
    said = [one.value for one in olga.app.error]
    assert said == ["**Name** Use a-z, 0-9, - and _, at most 64.", "**Path** This is required."]
    assert "save-source" not in olga.buttons


def test_nested_settings_are_checked_as_json(olga: ScriptPage) -> None:
    olga.press("add-source")
    olga.app.selectbox(key="kind").select("sql").run()
    olga.app.text_input(key="new-name").input("rows")
    olga.app.text_input(key="new-sql-url").input("postgresql://db.example/erp")
    olga.app.text_area(key="new-sql-kinds").input('{"name": "orders"}')
    olga.press("test-source")
    said = [one.value for one in olga.app.error]
    assert said == ["**Documents** A list is needed, in square brackets."]
    assert olga.app.text_input(key="new-sql-password").proto.type == 1  # a password


def test_a_refusal_of_the_api_is_shown_with_its_words(olga: ScriptPage) -> None:
    olga.press("add-source")
    olga.app.text_input(key="new-name").input("etc")
    olga.app.text_input(key="new-files-path").input("/etc")
    olga.press("test-source")
    (said,) = [one.value for one in olga.app.error]
    assert said.startswith("Something in this is not valid:")
    assert "local" in said


def test_a_source_is_removed_only_by_its_name(olga: ScriptPage, works: World) -> None:
    folder = works.folder.parent / "waiting" / "notices"
    olga.press("add-source")
    olga.app.text_input(key="new-name").input("short-lived")
    olga.app.text_input(key="new-files-path").input(str(folder))
    olga.app.checkbox(key="new-public").check()
    olga.press("test-source").press("save-source")
    assert "Never synced" in olga.html
    olga.app.segmented_control(key="section-short-lived").set_value("settings").run()
    olga.app.text_input(key="removal-name").input("another")
    olga.press("remove-source")
    assert [one.value for one in olga.app.error] == [
        "That is not the name of this source; nothing was removed."
    ]
    olga.app.text_input(key="removal-name").input("short-lived")
    olga.press("remove-source")
    assert "source-short-lived" not in olga.buttons
    assert "source-plant" in olga.buttons


def test_a_source_is_changed_after_a_look_at_what_would_change(
    olga: ScriptPage, works: World
) -> None:
    folder = works.folder.parent / "waiting" / "manuals"
    olga.press("add-source")
    olga.app.text_input(key="new-name").input("books")
    olga.app.text_input(key="new-files-path").input(str(folder))
    olga.press("test-source").press("save-source")
    olga.app.segmented_control(key="section-books").set_value("settings").run()
    prefix = "edit-books-0"
    assert olga.app.text_input(key=f"{prefix}-path").value == str(folder)
    olga.press("look-at-change")
    assert olga.app.info[0].value == "Nothing would change."
    olga.app.text_input(key=f"{prefix}-path").input("/etc")
    olga.press("look-at-change")
    assert "local" in olga.app.error[0].value
    assert "save-change" not in olga.buttons
    olga.app.text_input(key=f"{prefix}-path").input(str(folder))
    olga.app.text_area(key=f"{prefix}-include").input("*.md")
    olga.app.text_input(key=f"{prefix}-title").input("The books")
    olga.press("look-at-change")
    for words in ("as by default", "<td>*.md</td>", "2 items looked at", "lists the whole"):
        assert words in olga.html, words
    olga.press("save-change")
    assert "<h1>The books</h1>" in olga.html
    assert olga.app.text_area(key="edit-books-1-include").value == "*.md"
    olga.app.text_area(key="edit-books-1-include").input("")
    olga.press("look-at-change").press("save-change")
    stored = Sources(works.client("olga")).one("books")
    assert (stored.title, stored.config) == ("The books", {"path": str(folder)})
    Sources(works.client("olga")).remove("books")


def test_a_secret_is_replaced_and_never_shown(olga: ScriptPage, works: World) -> None:
    sources = Sources(works.client("olga"))
    config = {"url": "http://127.0.0.1:1/dav", "username": "ana", "allow_http": True}
    sources.add(Draft("dav", "webdav", config, {"password": "canary-4717"}))
    page = ScriptPage(works.url)
    page.app.query_params["lang"] = "pt"
    page.run()
    page.sign_in("olga").press("source-dav")
    page.app.segmented_control(key="section-dav").set_value("settings").run()
    page.checked()
    password = page.app.text_input(key="edit-dav-0-password")
    assert (password.value, "definido" in password.label) == ("", True)
    page.app.text_input(key="edit-dav-0-url").input("http://127.0.0.1:2/dav")
    page.press("look-at-change")
    assert "Give anew" in page.app.error[0].value
    page.app.text_input(key="edit-dav-0-password").input("another-4718")
    page.press("look-at-change")
    assert "outro segredo" in page.html
    assert "save-change" not in page.buttons  # nothing answers there
    assert "canary-4717" not in page.html
    assert "another-4718" not in page.html
    sources.remove("dav")


def test_runs_come_to_their_end_in_portuguese(works: World) -> None:
    page = ScriptPage(works.url)
    page.app.query_params["lang"] = "pt"
    page.run()
    page.sign_in("olga").press("source-plant")
    assert page.buttons["sync-now"] == "Sincronizar agora"
    for key in ("dry-run", "sync-now", "full-sync"):
        page.press(key)
        until = time.monotonic() + 60
        while key not in page.buttons:
            assert time.monotonic() < until, "the run did not end"
            time.sleep(0.2)
            page.run()
    page.app.segmented_control(key="section-plant").set_value("runs").run()
    page.checked()
    assert "Simulação" in page.html
    assert "+0 ~0 −0 documentos" in page.html


def test_at_set_times_in_a_time_zone(olga: ScriptPage) -> None:
    olga.press("source-plant")
    olga.app.segmented_control(key="section-plant").set_value("schedule").run()
    olga.app.radio(key="way-plant").set_value("cron").run()
    olga.app.text_input(key="cron").input("every day")
    olga.press("save-schedule")
    assert "five fields" in olga.app.error[0].value
    olga.app.text_input(key="cron").input("30 6 * * mon-fri")
    olga.app.selectbox(key="zone").select("America/Sao_Paulo")
    olga.press("save-schedule")
    assert "At 30 6 * * mon-fri (America/Sao_Paulo)" in olga.html
    olga.app.radio(key="way-plant").set_value("never").run()
    olga.press("save-schedule")
    assert "Only when somebody starts it" in olga.html


def test_a_run_that_waits_is_paused_resumed_and_cancelled(world: World) -> None:
    page = ScriptPage(world.url).sign_in("otto").press("source-globex").press("sync-now")
    assert "Waiting for a worker" in page.html
    assert "sync-now" not in page.buttons
    page.press("pause")
    assert "Paused" in page.html
    page.press("resume")
    assert "Waiting for a worker" in page.html
    page.press("cancel")
    assert "Cancelled" in page.html
    assert "sync-now" in page.buttons
