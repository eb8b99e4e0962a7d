"""An answer in the shape of OpenAI's chat completions, whole or in chunks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from assistant.answering.prompt import contradiction
from assistant.answering.transcript import citation_json, is_row
from assistant.api.exchange import Exchange
from assistant.api.schemas.openai import MODEL
from assistant.domain import Answer, Citation, Delta, Done, Sentence, Usage, Writing
from assistant.text.inert import inert, inert_uri

Json = dict[str, Any]


@dataclass(slots=True)
class Text:
    """A message's text as it grows, with an annotation for each `[n]` marker in it.

    The text is that of the answer: markers after each sentence, rows on lines of their own.
    """

    content: str = ""
    annotations: list[Json] = field(default_factory=list)

    def add(self, sentence: Sentence) -> str:
        """Append a sentence with its markers; return the piece that was appended."""
        before = len(self.content)
        if self.content:
            self.content += "\n" if is_row(sentence) else " "
        self.content += sentence.text
        self._mark(sentence.citations)
        return self.content[before:]

    def close(self, answer: Answer) -> str:
        """Append what an answer says beside its sentences, or has none; return the piece."""
        before = len(self.content)
        if not self.content:
            self.content = answer.text
        for disagreement in answer.disagreements:
            self.content += f"\n{contradiction(answer.lang)}"
            self._mark(disagreement.citations)
            self.content += "."
        return self.content[before:]

    def _mark(self, citations: Sequence[Citation]) -> None:
        for position, citation in enumerate(citations):
            self.content += " " if position == 0 else ""
            start = len(self.content)
            self.content += f"[{citation.n}]"
            self.annotations.append(_annotation(citation, start, len(self.content)))


@dataclass(frozen=True, slots=True)
class Completion:
    """The envelope of one completion."""

    id: str = field(default_factory=lambda: f"chatcmpl-{uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, answer: Answer, usage: Usage | None) -> Json:
        """Return the completion of a request that is not streamed."""
        text = _written(answer)
        message = {
            "role": "assistant",
            "content": text.content,
            "refusal": None,
            "annotations": text.annotations,
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": _usage(usage),
            "assistant": _extension(answer),
        }

    async def chunks(self, exchange: Exchange, *, with_usage: bool) -> AsyncIterator[Json]:
        """Yield the chunks of a stream; the last one with a choice has annotations."""
        text = Text()
        yield self._chunk({"role": "assistant", "content": ""})
        async for event in exchange.events():
            if isinstance(event, Delta):
                yield self._chunk({"content": text.add(event.sentence)})
            elif isinstance(event, Writing):
                yield self._chunk({"content": ""})
            elif isinstance(event, Done):
                if piece := text.close(event.answer):
                    yield self._chunk({"content": piece})
                last = self._chunk({"annotations": text.annotations}, finish_reason="stop")
                yield {**last, "assistant": _extension(event.answer)}
        if with_usage:
            head = self._head("chat.completion.chunk")
            yield {**head, "choices": [], "usage": _usage(exchange.usage)}

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": MODEL}


def _written(answer: Answer) -> Text:
    text = Text()
    for sentence in answer.sentences:
        text.add(sentence)
    text.close(answer)
    return text


def _annotation(citation: Citation, start: int, end: int) -> Json:
    place = {
        "start_index": start,
        "end_index": end,
        "title": inert(citation.passage.title),
        "url": inert_uri(citation.passage.uri),
    }
    return {"type": "url_citation", "url_citation": place}


def _extension(answer: Answer) -> Json:
    citations: Sequence[Citation] = answer.citations
    return {
        "citations": [citation_json(citation) for citation in citations],
        "receipt": answer.receipt,
        "abstained": answer.abstained,
        "conversation_id": None,
    }


def _usage(usage: Usage | None) -> Json | None:
    """Return the tokens used; None where the generator doesn't count them."""
    if usage is None or usage.n_prompt_tokens is None or usage.n_completion_tokens is None:
        return None
    return {
        "prompt_tokens": usage.n_prompt_tokens,
        "completion_tokens": usage.n_completion_tokens,
        "total_tokens": usage.n_prompt_tokens + usage.n_completion_tokens,
    }
