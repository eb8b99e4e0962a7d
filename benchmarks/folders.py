"""A folder of made-up documents as long as real ones, in six formats, English and Portuguese."""

from __future__ import annotations

import csv
import html
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from examples.generate import HERE
from examples.generators import office, portable
from examples.generators.blocks import Block, Heading, Paragraph, Table

COMPANY = "Companhia Exemplo S.A."
_PORTUGUESE = re.compile(r"\b(não|são|até|para|deve|uma)\b")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class _Section:
    heading: str
    paragraphs: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Document:
    title: str
    lang: str
    sections: tuple[_Section, ...]


def write(folder: Path, n: int, seed: int = 3) -> None:
    """Write `n` documents of 1 to 30 sections, most of them short; two calls write the same.

    Sentences are those of the sample companies in another order and with other numbers, so no two
    documents are alike.
    """
    rng = random.Random(seed)
    sentences = _sentences()
    writers: list[tuple[str, Callable[[Path, _Document], None]]] = [
        ("md", _markdown),
        ("html", _html),
        ("docx", _docx),
        ("pdf", _pdf),
        ("txt", _text),
        ("csv", _csv),
    ]
    for number in range(n):
        suffix, put = writers[number % len(writers)]
        lang = "pt" if number // len(writers) % 2 else "en"
        path = folder / f"{number % 10:02}" / f"document-{number:04}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path, _document(rng, sentences[lang], number, lang))


def _sentences() -> dict[str, list[str]]:
    """Return the sentences of the sample companies' Markdown files by language."""
    found: dict[str, list[str]] = {"en": [], "pt": []}
    for path in sorted((HERE / "companies").rglob("*.md")):
        text = path.read_text()
        lang = "pt" if len(_PORTUGUESE.findall(text)) > 3 else "en"
        for line in text.splitlines():
            clean = line.strip("-*0123456789. ")
            if len(clean) > 40 and not line.startswith(("#", "|", "`")):
                found[lang].append(clean.replace("*", "").rstrip(".") + ".")
    return found


def _document(rng: random.Random, sentences: list[str], number: int, lang: str) -> _Document:
    n_sections = max(1, min(30, round(rng.lognormvariate(1.2, 0.8))))
    sections = tuple(_section(rng, sentences, i + 1) for i in range(n_sections))
    return _Document(f"{_title(rng, sentences)} {number}", lang, sections)


def _section(rng: random.Random, sentences: list[str], number: int) -> _Section:
    paragraphs = tuple(
        " ".join(_changed(rng, rng.choice(sentences)) for _ in range(rng.randint(2, 6)))
        for _ in range(rng.randint(1, 3))
    )
    rows = tuple(
        (_title(rng, sentences), str(rng.randint(1, 9_999)), f"{rng.random():.3f}")
        for _ in range(rng.randint(3, 12))
    )
    return _Section(f"{number}. {_title(rng, sentences)}", paragraphs, rows)


def _changed(rng: random.Random, sentence: str) -> str:
    return _NUMBER.sub(lambda found: str(rng.randint(1, 10 ** len(found[0]))), sentence)


def _title(rng: random.Random, sentences: list[str]) -> str:
    words = _NUMBER.sub("", rng.choice(sentences)).split()
    return " ".join(words[: rng.randint(3, 6)]).strip(".,;: ")


def _blocks(document: _Document) -> list[Block]:
    blocks: list[Block] = []
    for section in document.sections:
        blocks.append(Heading(section.heading))
        blocks += [Paragraph(html.escape(text)) for text in section.paragraphs]
        blocks.append(Table(("Item", "Code", "Share"), section.table))
    return blocks


def _docx(path: Path, document: _Document) -> None:
    office.docx(path, document.title, _blocks(document), company=COMPANY, lang=document.lang)


def _pdf(path: Path, document: _Document) -> None:
    portable.pdf(path, document.title, _blocks(document), company=COMPANY, lang=document.lang)


def _markdown(path: Path, document: _Document) -> None:
    parts = [f"# {document.title}"]
    for section in document.sections:
        rows = [("Item", "Code", "Share"), ("---", "---", "---"), *section.table]
        table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        parts += [f"## {section.heading}", *section.paragraphs, table]
    path.write_text("\n\n".join(parts) + "\n")


def _html(path: Path, document: _Document) -> None:
    parts = [f"<h1>{html.escape(document.title)}</h1>"]
    for section in document.sections:
        parts.append(f"<h2>{html.escape(section.heading)}</h2>")
        parts += [f"<p>{html.escape(text)}</p>" for text in section.paragraphs]
        cells = ("".join(f"<td>{html.escape(c)}</td>" for c in row) for row in section.table)
        parts.append("<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>")
    body = "\n".join(parts)
    path.write_text(
        f'<!doctype html><html lang="{document.lang}"><head><meta charset="utf-8">'
        f"<title>{html.escape(document.title)}</title></head><body>{body}</body></html>\n"
    )


def _text(path: Path, document: _Document) -> None:
    parts = [document.title]
    for section in document.sections:
        parts += [section.heading, *section.paragraphs]
    path.write_text("\n\n".join(parts) + "\n")


def _csv(path: Path, document: _Document) -> None:
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("Section", "Item", "Code", "Share"))
        for section in document.sections:
            lines.writerows((section.heading, *row) for row in section.table)
