"""Every message is said in both languages."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from assistant.audit.event import EventData
from ui import trail
from ui.model import Answer
from ui.text import FOLDER, LOCALES, Speech, language
from ui.views.exchange import disagreement

SOURCE = FOLDER.parent
Message = str | tuple[str, str]


def messages() -> Iterator[tuple[Message, str]]:
    """Find the messages in the source; a message that isn't a literal can't be translated."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            name = getattr(function, "id", getattr(function, "attr", ""))
            place = f"{path.relative_to(SOURCE)}:{node.lineno}"
            if name == "plural":
                yield (literal(node.args[0]), literal(node.args[1])), place
            elif name == "mark" or (name == "say" and isinstance(node.args[0], ast.Constant)):
                yield literal(node.args[0]), place


def literal(node: ast.expr) -> str:
    assert isinstance(node, ast.Constant), ast.dump(node)
    return str(node.value)


def catalog(lang: str) -> Catalog:
    path = FOLDER / lang / "LC_MESSAGES" / "ui.po"
    with Path(path).open("rb") as file:
        return read_po(file, locale=lang)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_are_messages() -> None:
    assert len(dict(messages())) > 80


@pytest.mark.parametrize("locale", [name for lang, name in LOCALES.items() if lang != "en"])
def test_every_message_is_translated(locale: str) -> None:
    translated = catalog(locale)
    for message, place in messages():
        entry = translated.get(message if isinstance(message, str) else message[0])
        assert entry is not None, f"{place}: {message!r} is not in {locale}"
        assert entry.string is not None
        forms = (entry.string,) if isinstance(entry.string, str) else tuple(entry.string)
        assert all(forms), f"{place}: {message!r} has no translation in {locale}"
        assert not entry.fuzzy, f"{place}: {message!r} is fuzzy in {locale}"
        wanted = fields(message if isinstance(message, str) else message[1])
        for form in forms:
            assert fields(form) == wanted, f"{place}: {form!r} has other values"


@pytest.mark.parametrize("locale", [name for lang, name in LOCALES.items() if lang != "en"])
def test_no_translation_is_left_over(locale: str) -> None:
    said = {message for message, _ in messages()}
    for entry in catalog(locale):
        if entry.id:
            assert (entry.id if isinstance(entry.id, str) else tuple(entry.id)) in said


def test_speaking() -> None:
    english, portuguese = Speech("en"), Speech("pt")
    assert english.plural("{n} source", "{n} sources", 1) == "1 source"
    assert portuguese.plural("{n} source", "{n} sources", 1204) == "1.204 fontes"
    assert english.plural("{n} source", "{n} sources", 1204) == "1,204 sources"
    assert portuguese("New chat") == "Nova conversa"
    assert english.day(date(2025, 3, 9)) == "Mar 9, 2025"
    assert portuguese.day(date(2025, 3, 9)) == "9 de mar. de 2025"
    assert portuguese.seconds(1.25) == "1,2"


def test_ago() -> None:
    four_minutes = datetime.now(UTC) - timedelta(minutes=4)
    assert Speech("en").ago(four_minutes) == "4 minutes ago"
    assert Speech("pt").ago(four_minutes) == "há 4 minutos"
    assert "ago" in Speech("en").ago(datetime.now(UTC) + timedelta(seconds=5))


def test_language_of_a_tag() -> None:
    assert [language(tag) for tag in ("pt-BR", "pt", "en-US", "de", None)] == [
        "pt",
        "pt",
        "en",
        "en",
        "en",
    ]


def test_documents_that_disagree_are_named() -> None:
    said = {"document_id": "d", "chunk_id": 1, "quote": "", "start": 0, "end": 0}
    answer = Answer.model_validate(
        {
            "question": "How long?",
            "answer": "Ten years. [1]",
            "lang": "en",
            "abstained": False,
            "sentences": [{"text": "Ten years.", "citations": [1]}],
            "citations": [{**said, "n": 1, "document": "A"}, {**said, "n": 2, "document": "B"}],
            "disagreements": [{"citations": [1, 2]}],
        }
    )
    assert disagreement(Speech("en"), answer) == [
        "The documents disagree on this; compare [1] A, [2] B"
    ]
    assert disagreement(Speech("pt"), answer) == [
        "Os documentos não concordam sobre isto; compare [1] A, [2] B"
    ]


def test_every_event_of_the_log_has_a_name() -> None:
    assert {kind.type for kind in get_args(EventData)} <= set(trail.EVENTS)
