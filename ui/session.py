"""Who is signed in to a browser tab, and what the tab shows.

All of it lives in the tab's Streamlit session on the server: the token never reaches the browser,
and nothing is shared between people.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import streamlit as st
from streamlit.navigation.page import Page

from ui import problems, provider
from ui.break_glass import BreakGlass, Requests
from ui.client import ApiError, Client, Gone
from ui.model import Answer, Citation, Delta, Document, Filters, Head, Me, Near
from ui.text import LANGS, Lang, Speech, language

ME_S = 30.0

_VISIT = "visit"
_NOTICE = "notice"
_LANG = "lang"
_CHOSEN = "chosen-lang"
_REFUSED = "refused"


@dataclass(slots=True)
class Exchange:
    """A question and what became of it; one that is neither answered nor failed was stopped."""

    question: str
    answer: Answer | None = None
    sentences: list[Delta] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    problem: ApiError | None = None
    judgement: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that was clicked; without a document it is not available to the person."""

    name: str
    place: Citation | Near
    document: Document | None = None
    image: bytes | None = None


@dataclass(slots=True)
class Visit:
    """A signed-in person's tab; what was clicked waits here until the next run of the page."""

    client: Client
    me: Me
    conversations: list[Head] = field(default_factory=list)
    conversation_id: str | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    opened: Opened | None = None
    filters: Filters = field(default_factory=Filters)
    asked: str = ""
    clicked: tuple[str, Citation | Near] | None = None
    wanted: str = ""
    unwanted: str = ""
    judged: tuple[Exchange, Answer, str] | None = None
    places: Sequence[Page] = ()
    me_at: float = field(default_factory=time.monotonic)
    requests: Requests = field(default_factory=Requests)
    n_waiting: int = 0

    def begin_anew(self) -> None:
        """Leave the conversation."""
        self.conversation_id = None
        self.exchanges = []
        self.opened = None

    def refresh(self) -> None:
        """Ask the API again for what the person may read and has asked for."""
        if time.monotonic() - self.me_at > ME_S:
            self.me = self.client.me()
            self.requests = _requests(self.client, self.me)
            self.n_waiting = _n_waiting(self.client, self.me)
            self.me_at = time.monotonic()

    def outdate(self) -> None:
        """Let the next run ask the API anew."""
        self.me_at = -math.inf

    def settle(self) -> None:
        """Do what was clicked since the last run; raises `ApiError`."""
        if self.unwanted:
            gone, self.unwanted = self.unwanted, ""
            self._delete(gone)
        if self.wanted:
            wanted, self.wanted = self.wanted, ""
            self.open_conversation(wanted)
        if self.clicked is not None:
            (name, place), self.clicked = self.clicked, None
            self.open_source(name, place)
        if self.judged is not None:
            judged, self.judged = self.judged, None
            self.judge(*judged)

    def judge(self, exchange: Exchange, answer: Answer, reason: str) -> None:
        """Tell the API what the person thinks of an answer."""
        if answer.id is not None and answer.conversation_id is not None:
            self.client.judge(answer.conversation_id, answer.id, reason)
            exchange.judgement = reason

    def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation as the API gives it now."""
        self.begin_anew()
        found = self.client.conversation(conversation_id)
        self.conversation_id = found.id
        for message in found.messages:
            if message.role == "user":
                self.exchanges.append(Exchange(message.question or ""))
            elif self.exchanges:
                self.exchanges[-1].answer = message.answer

    def open_source(self, name: str, place: Citation | Near) -> None:
        """Fetch a cited document anew, so that its permission is checked now."""
        try:
            document = self.client.document(place.document_id, place.chunk_id)
            image = None
            if place.page is not None and document.n_pages and place.page <= document.n_pages:
                image = self.client.page_image(place.document_id, place.page, place.chunk_id)
        except Gone:
            self.opened = Opened(name, place)
            self.recheck()
        else:
            self.opened = Opened(name, place, document, image)

    def recheck(self) -> None:
        """Replace the answers shown by what the API would show now."""
        if self.conversation_id is None:
            return
        try:
            found = self.client.conversation(self.conversation_id)
        except Gone:
            self.begin_anew()
            return
        current = {m.answer.id: m.answer for m in found.messages if m.answer is not None}
        for exchange in self.exchanges:
            if exchange.answer is not None and exchange.answer.id is not None:
                exchange.answer = current.get(exchange.answer.id)

    def answered(self, exchange: Exchange, answer: Answer) -> None:
        """Keep a finished answer; the earlier ones are checked again."""
        self.conversation_id = answer.conversation_id
        if len(self.exchanges) > 1:
            self.recheck()
        exchange.answer = answer
        self.conversations = self.client.conversations()

    def _delete(self, conversation_id: str) -> None:
        if conversation_id == self.conversation_id:
            self.begin_anew()
        with suppress(Gone):
            self.client.delete_conversation(conversation_id)
        self.conversations = self.client.conversations()


def api() -> str:
    """Return the address of the API, given when the page was started."""
    return str(st.secrets["api"])


def visit() -> Visit | None:
    """Return the visit of the person who is signed in to this tab."""
    found: Visit | None = st.session_state.get(_VISIT)
    return found


def begin(login: str, password: str) -> None:
    """Sign in; the page then speaks the person's language unless one was chosen."""
    signed_in = Client(api()).sign_in(login, password)
    begun = _begun(signed_in.token)
    if _LANG not in st.query_params:
        choose(begun.me.person.lang)


def arrive() -> Visit | None:
    """Return the visit of this tab; whoever comes from the identity provider begins one.

    A token that the API has refused is not tried again.
    """
    found, token = visit(), provider.access_token()
    if found is not None or not token or st.session_state.get(_REFUSED) == token:
        return found
    try:
        return _begun(token)
    except ApiError as error:
        st.session_state[_REFUSED] = token
        st.session_state[_NOTICE] = problems.sentence(speech(), error)
    return None


def _begun(token: str) -> Visit:
    client = Client(api(), token)
    me = client.me()
    conversations = client.conversations() if me.person.asks else []
    begun = Visit(client, me, conversations, requests=_requests(client, me))
    begun.n_waiting = _n_waiting(client, me)
    st.session_state[_VISIT] = begun
    return begun


def _requests(client: Client, me: Me) -> Requests:
    """Return what the person has asked for, if they are somebody who may."""
    return BreakGlass(client).mine() if me.person.asks else Requests()


def _n_waiting(client: Client, me: Me) -> int:
    """Count the requests that wait for the person, if they are somebody who decides."""
    return BreakGlass(client).all().n_waiting_for(me.person.id) if me.person.administers else 0


def end(notice: str = "") -> None:
    """Forget everything about the person; the sign-in page shows the notice."""
    st.session_state.clear()
    st.session_state[_NOTICE] = notice


def sign_out() -> None:
    """End the session at the API too."""
    current = visit()
    if current is not None:
        with suppress(ApiError):
            current.client.sign_out()
    end()
    provider.sign_out()


def notice() -> str:
    """Return what the sign-in page has to say."""
    return str(st.session_state.get(_NOTICE, ""))


def choose(lang: Lang) -> None:
    """Speak this language from now on; it stays in the address."""
    st.query_params[_LANG] = st.session_state[_CHOSEN] = lang


def speech() -> Speech:
    """Return the language of the address, else the one chosen, else the browser's.

    A click right after a choice still comes with the address from before it.
    """
    named = st.query_params.get(_LANG, st.session_state.get(_CHOSEN))
    if named in LANGS:
        return Speech(language(named))
    return Speech(language(st.context.locale))
