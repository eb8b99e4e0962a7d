"""The page of people and access, on its own script against a live API."""

from __future__ import annotations

import pytest

from assistant.domain import Principal
from assistant.store import sources
from assistant.store.group_names import replace_titles
from tests.ui.script import ScriptPage
from tests.ui.world import World
from ui.client import Client, Problem, SignedOut
from ui.people import People

STAFF = "group:acme:staff"


@pytest.fixture
def otto(world: World) -> ScriptPage:
    """The page of the administrator, opened at people and access."""
    return ScriptPage(world.url).sign_in("otto").go("people")


def opened(page: ScriptPage, login: str) -> ScriptPage:
    """Open a person who is listed."""
    roster = page.app.session_state["roster"]
    roster.open(next(one.id for one in roster.people.all() if one.login == login))
    page.run()
    return page


def section(page: ScriptPage, name: str) -> ScriptPage:
    page.app.segmented_control(key="people-section").set_value(name).run()
    page.checked()
    return page


def test_everybody_is_listed_with_their_roles(otto: ScriptPage) -> None:
    for words in ("Ana Souza", "Employee", "Vera Melo", "Auditor", "Active"):
        assert words in otto.html, words


def test_somebody_is_added_disabled_and_enabled(otto: ScriptPage, world: World) -> None:
    otto.press("add-person")
    otto.press("save-person")
    assert [one.value for one in otto.app.error] == ["Enter a login."]
    otto.app.text_input(key="new-login").input("lia")
    otto.app.text_input(key="new-person-name").input("Lia Prado")
    otto.app.multiselect(key="new-roles").set_value(["admin", "auditor"])
    otto.press("save-person")
    assert "nobody audits their own work" in otto.app.error[0].value
    otto.app.multiselect(key="new-roles").set_value(["employee"])
    otto.press("save-person")
    (password,) = [one.value for one in otto.app.code]
    signed_in = Client(world.url).sign_in("lia", password)
    lia = Client(world.url, signed_in.token)
    assert lia.me().person.name == "Lia Prado"
    otto.press("disable")
    assert "Disabled" in otto.html
    assert password not in str([one.value for one in otto.app.code])
    with pytest.raises(SignedOut):
        lia.me()
    otto.press("enable").press("new-password")
    (second,) = [one.value for one in otto.app.code]
    assert second != password
    assert Client(world.url).sign_in("lia", second).person.login == "lia"
    otto.press("end-sessions")
    assert "session" not in otto.html


def test_roles_are_changed_but_not_ones_own(otto: ScriptPage, world: World) -> None:
    opened(otto, "bruno")
    bruno = next(o for o in People(world.client("otto")).all() if o.login == "bruno")
    otto.app.multiselect(key=f"roles-of-{bruno.id}").set_value(["employee", "integrator"])
    otto.press("save-roles")
    assert world.client("bruno").me().person.roles == ("employee", "integrator")
    otto.app.multiselect(key=f"roles-of-{bruno.id}").set_value(["employee"])
    otto.press("save-roles")
    opened(otto, "otto")
    assert "another administrator changes it" in otto.html
    assert "disable" not in otto.buttons


def test_groups_show_source_age_and_the_way_to_each(otto: ScriptPage) -> None:
    section(otto, "groups")
    assert "Acme" in otto.html
    assert "ago" in otto.html
    otto.app.session_state["roster"].open_group(STAFF)
    otto.run()
    assert "Ana Souza" in otto.html
    assert "Bruno Lima" in otto.html
    otto.press("all-groups")
    opened(otto, "ana")
    assert 'title="user:local|ana → group:acme:finance"' in otto.html


def test_groups_show_their_names_and_who_tells_them(otto: ScriptPage, world: World) -> None:
    finance = "group:acme:finance"
    with world.database.begin() as conn:
        source_id = sources.source_named(conn, "acme").id
        replace_titles(conn, source_id, {Principal(finance): "Finance & <b>treasury</b>"})
    called = "Finance &amp; &lt;b&gt;treasury&lt;/b&gt;"
    section(otto, "groups")
    assert f'<b>{called}</b> <span class="quiet">finance</span>' in otto.html
    roster = otto.app.session_state["roster"]
    roster.open_group(finance)
    otto.run()
    assert f"<h1>{called}</h1>" in otto.html
    assert "told by Acme" in otto.html
    otto.press("all-groups")
    opened(otto, "ana")
    assert f"<span>{called}</span>" in otto.html
    roster.open("")
    otto.run()
    section(otto, "access")
    otto.app.selectbox(key="reading-person").select("ana")
    otto.press("explore")
    assert f'title="allow {finance}">allow {called}</span>' in otto.html
    for asked in ("explain", "readers"):
        otto.app.selectbox(key="explored").select(asked).run()
        if asked == "explain":
            otto.app.selectbox(key="explain-person").select("ana")
        otto.app.text_input(key=f"{asked}-document").input("finance/salaries.md")
        otto.press("explore")
        assert called in otto.html
        assert f"{finance}" in otto.html
        assert "Acme" in otto.html
    with world.database.begin() as conn:
        replace_titles(conn, source_id, {})


def test_a_key_is_shown_once_and_revoked(otto: ScriptPage, world: World) -> None:
    section(otto, "keys")
    otto.app.text_input(key="key-owner").input("reports")
    otto.app.text_input(key="key-name").input("nightly")
    otto.press("save-key")
    (key,) = [one.value for one in otto.app.code]
    assert Client(world.url, key).me().person.login == "service:reports"
    otto.press("revoke-key")
    assert not otto.app.code
    assert "Revoked" in otto.html
    with pytest.raises(SignedOut):
        Client(world.url, key).me()


@pytest.mark.parametrize(
    ("asked", "typed", "told"),
    [
        ("reading", {}, "May read 6 documents"),
        ("readers", {"readers-document": "finance/salaries.md"}, "1 person may read it"),
        ("explain", {"explain-document": "finance/salaries.md"}, "group:acme:finance"),
        ("compare", {}, "Only bruno"),
        ("simulate", {"change-what": "bruno", "change-names": "group:acme:finance"}, "1 gained"),
    ],
)
def test_the_explorer_answers_without_a_text_of_a_document(
    asked: str, typed: dict[str, str], told: str, otto: ScriptPage
) -> None:
    section(otto, "access")
    otto.app.selectbox(key="explored").select(asked).run()
    if asked == "compare":
        otto.app.selectbox(key="compare-person").select("ana")
        otto.app.selectbox(key="other-person").select("bruno")
    elif asked not in {"readers", "simulate"}:
        otto.app.selectbox(key=f"{asked}-person").select("ana")
    for key, text in typed.items():
        otto.app.text_input(key=key).input(text)
    otto.press("explore")
    assert told in otto.html + str([one.value for one in otto.app.success])
    assert "41,500" not in otto.html
    assert "Salaries" not in otto.html
    assert "salary" not in otto.html


def test_what_nobody_has_is_said_and_nothing_breaks(otto: ScriptPage) -> None:
    section(otto, "access")
    otto.app.selectbox(key="explored").select("readers").run()
    otto.press("explore")
    assert otto.app.error[0].value == "Fill in the form first."
    otto.app.selectbox(key="explored").select("simulate").run()
    otto.app.text_input(key="change-what").input("bruno")
    otto.app.text_input(key="change-names").input("finance")
    otto.press("explore")
    assert "Something in this is not valid" in otto.app.error[0].value


def test_portuguese(world: World) -> None:
    page = ScriptPage(world.url)
    page.app.query_params["lang"] = "pt"
    page.run()
    page.sign_in("otto").go("people")
    assert "Pessoas e acesso" in page.html
    section(page, "access")
    page.app.selectbox(key="reading-person").select("ana")
    page.press("explore")
    assert "Pode ler 6 documentos" in page.html


@pytest.mark.parametrize("login", ["ana", "vera"])
def test_the_api_refuses_everybody_else(world: World, login: str) -> None:
    people = People(world.client(login))
    for look in (
        lambda: people.reading("ana"),
        lambda: people.readers("finance/salaries.md"),
        lambda: people.add({"login": "x"}),
        lambda: people.disable("x"),
        lambda: people.add_key({"login": "ana"}),
    ):
        with pytest.raises(Problem) as refused:
            look()
        assert refused.value.slug == "forbidden"
    assert "People and access" not in ScriptPage(world.url).sign_in(login).go("people").html


def test_why_reveals_nothing(world: World) -> None:
    told = {
        name: People(world.client("bruno")).why(name)
        for name in ("Salaries", "finance/salaries.md", "Reactor", "nothing of the kind")
    }
    assert len(set(told.values())) == 1
    assert not told["Salaries"].visible
    assert People(world.client("ana")).why("Salaries").visible
