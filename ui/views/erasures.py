"""Erasing a person: first counted, then confirmed, then certified."""

from __future__ import annotations

import json

import streamlit as st

from ui import components, trail
from ui.life import Custody, Erasure, Places
from ui.rights import table_html
from ui.safety import plain
from ui.standing import chip_html
from ui.text import Speech


def show(mine: Custody, say: Speech, *, may_erase: bool) -> None:
    """Show the erasures, and to those who may the form of a new one; raises `ApiError`."""
    if may_erase:
        _looking(mine, say)
        if mine.places is not None:
            _found(mine, say, mine.places)
        if mine.certificate is not None:
            _certified(say, mine)
    found = mine.life.erasures()
    components.line("over", [say("Erasures so far")])
    if found:
        st.html(_table(say, found))
        if may_erase:
            _releasing(mine, say, [one for one in found if one.n_kept_out])
    else:
        components.line("note", [say("Nobody was erased yet.")])


def _looking(mine: Custody, say: Speech) -> None:
    with st.form("subject", border=True):
        typed = st.text_area(
            say("Everything the person goes by, one a line"),
            key="subject-names",
            height=120,
            placeholder=say("Full name, e-mail, login, patient's or tax number"),
        )
        sent = st.form_submit_button(
            say("Find them"), key="find-subject", icon=":material/search:", type="primary"
        )
    if not sent:
        return
    names = [line.strip() for line in typed.splitlines() if line.strip()]
    if not names:
        st.error(say("Name whom to erase."))
        return
    with st.spinner(say("Looking everywhere; nothing is changed …")):
        mine.look_for(names)


def _found(mine: Custody, say: Speech, places: Places) -> None:
    if places.is_empty:
        st.info(say("Nothing here names this person."), icon=":material/search_off:")
        return
    with st.container(border=True, key="places-found", gap="small"):
        st.html(
            trail.grid_html(
                [
                    (say("Accounts"), say.number(places.persons)),
                    (say("Documents"), say.number(places.documents)),
                    (say("Passages"), say.number(places.chunks)),
                    (say("Records"), say.number(places.records)),
                    (say("Conversations"), say.number(places.conversations)),
                    (say("Keys of the log"), say.number(places.keys)),
                    (say("Saved indexes"), say.number(places.generations)),
                    (say("Backups"), say.number(places.backups)),
                ]
            )
        )
        components.line(
            "note",
            [
                say(
                    "Documents that name the person go whole. This can't be undone; what was "
                    "erased stays out of syncs until you release it."
                )
            ],
        )
        word = say("erase")
        typed = st.text_input(say("Type “{word}” to confirm", word=word), key="erase-word")
        st.button(
            say("Erase for good"),
            key="erase",
            icon=":material/delete_forever:",
            disabled=typed.strip().casefold() != word.casefold(),
            on_click=mine.wishing(mine.erase),
        )


def _certified(say: Speech, mine: Custody) -> None:
    certificate = mine.certificate or {}
    body = certificate["certificate"]
    with st.container(key="certified"):
        st.success(
            say("Erased and certified: {n} documents.", n=len(body["documents"])),
            icon=":material/verified:",
        )
        for file in body["keys_files_not_renewed"]:
            st.warning(components.sentences([say("Delete every copy of {file}.", file=file)]))
        st.download_button(
            say("Certificate"),
            data=json.dumps(certificate, indent=2, ensure_ascii=False),
            file_name=f"erasure-{body['erasure_id']}.json",
            mime="application/json",
            key="download-certificate",
            icon=":material/download:",
            on_click="ignore",
        )


def _table(say: Speech, found: list[Erasure]) -> str:
    rows = []
    for one in found:
        tone = (
            ("good", say("done {when}", when=say.moment(one.finished_at)))
            if one.finished_at is not None
            else ("busy", say("under way"))
        )
        out = (
            say.plural("{n} item kept out of syncs", "{n} items kept out of syncs", one.n_kept_out)
            if one.n_kept_out
            else say("released, or nothing to keep out")
        )
        rows.append(
            (
                f"<code>{plain(one.id)}</code>",
                plain(say.plural("{n} document", "{n} documents", one.n_documents)),
                plain(out),
                chip_html(*tone),
            )
        )
    return table_html((say("Erasure"), say("Documents"), say("Syncs"), ""), rows)


def _releasing(mine: Custody, say: Speech, found: list[Erasure]) -> None:
    if not found:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="releasing"):
        chosen = st.selectbox(
            say("Erasure to release"), [one.id for one in found], key="released-erasure"
        )
        st.button(
            say("Let it come back"),
            key="release-erasure",
            help=say("The next full sync may bring its documents back."),
            on_click=mine.wishing(lambda: mine.life.release(str(chosen))),
        )
