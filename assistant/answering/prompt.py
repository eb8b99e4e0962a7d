"""What a generator is given: rules, passages fenced by a random code, the question.

The fence follows "spotlighting by delimiting" (Hines et al., 2024, arXiv:2403.14720): a document
can't close a fence whose code it can't know. Chat-template tokens in documents and questions are
defused, because servers tokenize them as the real ones.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template

from assistant.domain import Lang, Passage
from assistant.ports import Prompt
from assistant.text.inert import visible

_LOCALE: dict[Lang, str] = {"en": "en", "pt": "pt-BR"}
_LABELS: dict[Lang, tuple[str, str, str, str]] = {
    "en": ("passage", "page", "date", "superseded by a newer version"),
    "pt": ("trecho", "página", "data", "substituído por uma versão mais nova"),
}
_ANGLE_TOKEN = re.compile(
    r"<(\|[^<>\n]{0,40}\|?|/?s|/?(?:bos|eos|pad|unk|mask|system|user|assistant|human|inst|sys|think"
    r"|tool_call|tool_response|tools?|function|start_of_turn|end_of_turn|passages?|documents?"
    r"|trechos?|instructions?)\b[^<>\n]{0,40}|<SYS>|</SYS>)>+",
    re.IGNORECASE,
)
_SQUARE_TOKEN = re.compile(
    r"\[(/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG))\]", re.IGNORECASE
)
_FULLWIDTH_TOKEN = re.compile(r"<[｜|]([^<>\n]{0,60})[｜|]>")
_ROLE_LINE = re.compile(
    r"^([ \t#*]*(?:system|user|assistant|human|instruction|response|sistema|usuário|assistente))"
    r"([ \t*]*):",
    re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(r"<(/[A-Za-z][^<>\n]{0,80})>")
_FENCE = re.compile(r"(?:<{3,}|>{3,}|={5,}|-{5,}|`{3,}|#{3,})")


def build(
    question: str,
    lang: Lang,
    passages: Sequence[Passage],
    principals_sha256: str,
    nonce: str | None = None,
    *,
    max_characters: int = 24_000,
) -> Prompt:
    """Render the prompt in the answer's language.

    Passages that would take it over `max_characters` are left out, the last first, but never the
    first one; the prompt's `passages` are those it holds. `principals_sha256` becomes the cache
    salt. `nonce` is 128 random bits in hexadecimal unless a test or a replay gives it.
    """
    nonce = nonce or secrets.token_hex(16)
    kept: list[Passage] = []
    rendered: list[str] = []
    length = 0
    for passage in passages:
        text = _rendered(passage, lang, nonce)
        length += len(text)
        if kept and length > max_characters:
            break
        kept.append(passage)
        rendered.append(text)
    system_template, user_template = _templates(lang)
    system = system_template.substitute(nonce=nonce)
    user = user_template.substitute(
        passages="\n\n".join(rendered), question=escaped(question, nonce)
    )
    digest = hashlib.sha256(f"{system}\0{user}".encode()).hexdigest()
    return Prompt(question, lang, tuple(kept), system, user, digest, principals_sha256)


def abstention(lang: Lang) -> str:
    """Return the text that says nothing was found: the same for absent and forbidden."""
    return _file(f"abstention.{_LOCALE[lang]}.md").strip()


def contradiction(lang: Lang) -> str:
    """Return the words before the numbers of quotes that contradict each other."""
    return _file(f"disagreement.{_LOCALE[lang]}.md").strip()


def escaped(text: str, nonce: str = "") -> str:
    """Return text in which nothing reads as a fence, a chat-template token or a turn of a chat.

    Characters that can't be seen are dropped.
    """
    text = visible(text)
    if nonce:
        text = re.sub(re.escape(nonce), "…", text, flags=re.IGNORECASE)
    previous = None
    while previous != text:
        previous = text
        text = _FULLWIDTH_TOKEN.sub(r"‹\1›", text)
        text = _ANGLE_TOKEN.sub(lambda match: f"‹{match.group(1).strip('<>|')}›", text)
        text = _TAG.sub(r"‹\1›", text)
        text = _SQUARE_TOKEN.sub(r"(\1)", text)
        text = text.replace("<|", "<¦").replace("|>", "¦>")
        text = _FENCE.sub(lambda match: match.group()[:2], text)
    return _ROLE_LINE.sub(r"\1\2 -", text)


def _rendered(passage: Passage, lang: Lang, nonce: str) -> str:
    label, page, date, superseded = _LABELS[lang]
    about = [passage.title, *passage.heading]
    about += [f"{page} {passage.page}"] if passage.page is not None else []
    about += [f"{date} {passage.modified_at:%Y-%m-%d}"] if passage.modified_at else []
    about += [superseded] if passage.superseded else []
    head = escaped(" · ".join(about).replace("\n", " "), nonce)
    body = escaped(passage.text, nonce)
    return f"<<{label} [{passage.n}] {nonce}>>\n{head}\n{body}\n<<{nonce}>>"


@cache
def _templates(lang: Lang) -> tuple[Template, Template]:
    system, _, user = _file(f"answer.{_LOCALE[lang]}.md").partition("\n---\n")
    return Template(system.strip()), Template(user.strip())


@cache
def _file(name: str) -> str:
    return (files("assistant.answering") / "prompts" / name).read_text(encoding="utf-8")
