"""A source that was opened: the passage between its neighbours, and the page it stands on."""

from __future__ import annotations

import streamlit as st

from ui import components
from ui.model import Document
from ui.session import Opened, Visit
from ui.text import Speech


def show(visit: Visit, say: Speech, opened: Opened) -> None:
    """Show the source, or that it is not available."""

    def closed() -> None:
        visit.opened = None

    with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="panel-top"):
        components.line("over", [say("Source")])
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key="close-source",
            help=say("Close the source"),
            on_click=closed,
            shortcut="Escape",
        )
    if opened.document is None:
        st.warning(say("This source is no longer available to you."), icon=":material/lock:")
        return
    _show(say, opened, opened.document)


def _show(say: Speech, opened: Opened, document: Document) -> None:
    place = opened.place.model_copy(
        update={
            "superseded": document.superseded,
            "outdated": document.version != opened.place.version,
        }
    )
    components.text(components.document_head_html(say, document, place))
    components.text(components.passage_html(say, document, opened.place))
    if opened.image is not None:
        page = opened.place.page
        alt = say("Page {page} of {title}", page=page, title=document.title)
        st.image(opened.image, width="stretch", alt=alt)
        components.line("quiet", [say("page {page} of {n}", page=page, n=document.n_pages or page)])
