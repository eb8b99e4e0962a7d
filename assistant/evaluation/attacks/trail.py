"""Everything that one question left behind, in whatever face of the product."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.evaluation.attacks.attack import Attack, Fill
from assistant.ports import Prompt

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trail:
    """What was asked and what came of it.

    `body` is the answer as JSON, an empty one after a refusal; `stream` all events with their
    names, `history` the conversation as it is shown later, `export` its CSV, `openai` a
    completion, `denied` the body of an error. `prompts` are those the generator was given,
    `n_characters` what was taken from it. `events` are the audit log's new events, `exports` the
    log in its formats, `logs` what was written to stderr, `found` what the search said it had.
    `plain` is the same question's answer without the attack's document, `others` what another
    person is answered before and after. `beside` is what other attackers' documents, which all may
    read, brought into the prompts.
    """

    attack: Attack
    fill: Fill
    question: str
    status: int
    body: Json
    stream: Sequence[tuple[str, Json]]
    history: Json
    export: str
    openai: Json
    denied: str
    prompts: Sequence[Prompt]
    n_characters: int
    product: str
    events: Sequence[Json]
    exports: Mapping[str, str]
    logs: str
    found: tuple[int, int]
    plain: Json
    others: tuple[Json, Json]
    forbidden_ids: frozenset[str]
    strays: tuple[str, ...]
    beside: frozenset[str]

    @property
    def secrets(self) -> list[str]:
        """Return what is forbidden and neither asker nor attackers have said themselves."""
        said = "\n".join((self.question, self.attack.text, *self.beside))
        return [canary for canary in self.fill.forbidden if canary not in said]

    @property
    def sentences(self) -> list[Json]:
        """Return the answer's sentences with their citations in place of the numbers."""
        by_number = {citation["n"]: citation for citation in self.body.get("citations", ())}
        return [
            {**one, "cited": [by_number[n] for n in one["citations"] if n in by_number]}
            for one in self.body.get("sentences", ())
        ]

    @property
    def generated(self) -> list[str]:
        """Return every text of the answer that is no quote of a document, in all faces."""
        texts = [_answer_texts(self.body)]
        texts += [[str(data.get("text", ""))] for _, data in self.stream if "text" in data]
        texts += [_answer_texts(data) for name, data in self.stream if name == "done"]
        for message in self.history.get("messages", ()):
            texts.append(_answer_texts(message.get("answer") or {}))
        for choice in self.openai.get("choices", ()):
            texts.append([str(choice["message"]["content"])])
        return [text for group in texts for text in group if text]

    @property
    def titles(self) -> list[str]:
        """Return the titles that the answer shows."""
        places = (*self.body.get("citations", ()), *self.body.get("closest", ()))
        return [str(place["document"]) for place in places]

    @property
    def everything(self) -> str:
        """Return all that left the product, as one text without what the asker said themselves."""
        faces = [self.body, self.history, self.openai, [data for _, data in self.stream]]
        written = json.dumps(faces, ensure_ascii=False)
        asked = json.dumps(self.question, ensure_ascii=False)[1:-1]
        shown = "\n".join((written, self.denied, self.logs, self.export))
        for said in (asked, self.question, " ".join(self.question.split())[:80].strip()):
            shown = shown.replace(said, "") if said else shown
        return shown


def _answer_texts(body: Mapping[str, Any]) -> list[str]:
    texts = [str(body.get("answer", ""))]
    texts += [one["text"] for one in (*body.get("sentences", ()), *body.get("withheld", ()))]
    return texts
