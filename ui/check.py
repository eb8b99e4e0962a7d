"""Asking once on the page's own script, without a browser."""

from __future__ import annotations

import json
import logging
import sys
from html.parser import HTMLParser
from pathlib import Path

from streamlit.testing.v1 import AppTest

SCRIPT = Path(__file__).with_name("app.py")
TIMEOUT_S = 180.0


def check(api: str, login: str, password: str, question: str) -> int:
    """Sign in, ask and print the answer; returns 0 only if it was shown with a citation."""
    logging.disable(logging.WARNING)
    page = AppTest.from_file(SCRIPT, default_timeout=TIMEOUT_S)
    page.secrets["api"] = api
    page.run()
    page.text_input(key="login").input(login)
    page.text_input(key="password").input(password)
    page.button(key="sign-in-button").click().run()
    if not page.chat_input:
        return _failed(page, "the sign-in was refused")
    page.chat_input(key="question").set_value(question).run()
    shown = answers(page)
    if not shown or not shown[-1].n_citations:
        return _failed(page, "no answer with a citation was shown")
    sys.stdout.write(shown[-1].text + "\n")
    return 0


class Shown(HTMLParser):
    """The text of an answer as a person sees it, with `[n]` where its sources are."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.n_citations = 0
        self._parts: list[str] = []
        self._hidden = 0
        self.feed(body)
        self.close()

    @property
    def text(self) -> str:
        """The sentences, a line for each paragraph and row."""
        lines = "".join(self._parts).split("\n")
        return "\n".join(" ".join(line.split()) for line in lines if line.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, a chip, or what is hidden."""
        named = dict(attrs)
        classes = (named.get("class") or "").split()
        if self._hidden or "sources" in classes:
            self._hidden += 1
        elif "chip" in classes:
            self.n_citations += 1
            self._parts.append(f" [{(named.get('data-open') or '')[1:]}]")
            self._hidden += 1
        elif tag in {"p", "div"}:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End what is hidden."""
        self._hidden = max(0, self._hidden - 1)

    def handle_data(self, data: str) -> None:
        """Keep what is seen."""
        if not self._hidden:
            self._parts.append(data)


def answers(page: AppTest) -> list[Shown]:
    """Return the answers on a page, oldest first."""
    bodies = [json.loads(element.proto.json) for element in page.get("bidi_component")]
    return [Shown(body["html"]) for body in bodies]


def _failed(page: AppTest, reason: str) -> int:
    said = " ".join(element.value for element in page.error)
    sys.stderr.write(f"{reason}. {said}\n")
    return 1
