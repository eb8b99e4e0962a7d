"""The chat page without a browser, as its person would use it."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from tests.ui.world import PASSWORD
from ui.check import SCRIPT, Shown, answers


class ScriptPage:
    """Drives the page's own script against a live API."""

    def __init__(self, url: str) -> None:
        self.app = AppTest.from_file(SCRIPT, default_timeout=60)
        self.app.secrets["api"] = url
        self.run()

    def run(self) -> None:
        """Run the script once more; it must not raise."""
        self.app.run()
        self.checked()

    def checked(self) -> None:
        """Fail if the script raised."""
        assert not self.app.exception, self.app.exception

    def sign_in(self, login: str, password: str = PASSWORD) -> ScriptPage:
        """Fill in the form and send it."""
        self.app.text_input(key="login").input(login)
        self.app.text_input(key="password").input(password)
        return self.press("sign-in-button")

    def press(self, key: str) -> ScriptPage:
        """Press a button."""
        self.app.button(key=key).click().run()
        self.checked()
        return self

    def go(self, path: str) -> ScriptPage:
        """Open another page by the path of its address."""
        self.app._page_hash = calc_hash(path)
        self.run()
        return self

    def ask(self, question: str) -> Shown:
        """Ask, and return the newest answer."""
        self.app.chat_input(key="question").set_value(question).run()
        self.checked()
        return self.answers[-1]

    def open(self, name: str) -> ScriptPage:
        """Click a source of the newest answer, such as `n1`."""
        state = self.app.session_state["visit"]
        answer = state.exchanges[-1].answer
        places = {f"n{one.n}": one for one in answer.citations}
        places |= {f"c{i}": one for i, one in enumerate(answer.closest)}
        state.clicked = (f"answer-{answer.id}/{name}", places[name])
        self.run()
        return self

    @property
    def answers(self) -> list[Shown]:
        """The answers on the page, oldest first."""
        return answers(self.app)

    @property
    def bodies(self) -> list[str]:
        """The HTML of the answers on the page, oldest first."""
        return [json.loads(one.proto.json)["html"] for one in self.app.get("bidi_component")]

    @property
    def html(self) -> str:
        """Everything that is shown as HTML, answers included."""
        return "\n".join([*(one.proto.body for one in self.app.get("html")), *self.bodies])

    @property
    def buttons(self) -> dict[str, str]:
        """The labels of the buttons by key."""
        return {str(one.key): one.label for one in self.app.button}
