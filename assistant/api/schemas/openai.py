"""OpenAI's chat protocol as far as it makes sense here.

https://platform.openai.com/docs/api-reference/chat. Sampling parameters and unknown names are
ignored; what would change the meaning of the answer (tools, several choices, a response format)
is refused.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.api.schemas.questions import MAX_QUESTION
from assistant.domain import Turn
from assistant.errors import InvalidRequest
from assistant.text.inert import visible

MODEL = "assistant"


class Lenient(BaseModel):
    """A request body that ignores unknown names, as OpenAI's clients send many."""

    model_config = ConfigDict(extra="ignore")


class Part(Lenient):
    """A piece of a message; only `text` is understood."""

    type: str
    text: str = ""


class ChatMessage(Lenient):
    """A message. System and developer messages are ignored: the assistant has its own rules."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def words(self) -> str:
        """Return the text; raises `InvalidRequest` for pictures, sounds and files."""
        if isinstance(self.content, list):
            if other := next((part.type for part in self.content if part.type != "text"), None):
                raise InvalidRequest(f"Only text can be read, not {other[:40]!r}.")
            return visible("\n".join(part.text for part in self.content)).strip()
        return visible(self.content or "").strip()


class StreamOptions(Lenient):
    """What a stream ends with."""

    include_usage: bool = False


class ChatRequest(Lenient):
    """A chat completion: the last message is the question, earlier ones are its history."""

    model: str = MODEL
    messages: list[ChatMessage] = Field(min_length=1, max_length=500)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    response_format: dict[str, Any] | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None

    def checked(self) -> ChatRequest:
        """Return the request; raises `InvalidRequest` for what can't be done."""
        refusals = {
            "n must be 1: there is one answer to a question.": self.n not in (None, 1),
            "tools and functions are not supported.": bool(self.tools or self.functions),
            "response_format must be text.": (self.response_format or {}).get("type", "text")
            != "text",
            "logprobs are not available.": bool(self.logprobs),
            "modalities must be text.": set(self.modalities or ["text"]) != {"text"},
            "tool messages are not supported.": any(
                message.role in ("tool", "function") for message in self.messages
            ),
            "The last message must be the user's.": self.messages[-1].role != "user",
        }
        for sentence, is_wrong in refusals.items():
            if is_wrong:
                raise InvalidRequest(sentence)
        return self

    def question(self) -> str:
        """Return the last message's text; raises `InvalidRequest` if it is empty or too long."""
        text = self.messages[-1].words()
        if not text:
            raise InvalidRequest("The last message is empty; write what you want to know.")
        if len(text) > MAX_QUESTION:
            raise InvalidRequest(f"A question may have {MAX_QUESTION:,} characters at most.")
        return text

    def turns(self) -> tuple[Turn, ...]:
        """Return the earlier questions with their answers, oldest first."""
        found: list[Turn] = []
        for message in self.messages[:-1]:
            if message.role == "user" and (asked := message.words()):
                found.append(Turn(asked[:MAX_QUESTION]))
            elif message.role == "assistant" and found:
                found[-1] = Turn(found[-1].question, message.words())
        return tuple(found)


class Model(BaseModel):
    """The one model there is."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "enterprise-assistant"


class ModelList(BaseModel):
    """The list of the one model."""

    object: Literal["list"] = "list"
    data: list[Model] = [Model()]
