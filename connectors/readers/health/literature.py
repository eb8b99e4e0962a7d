"""Medical literature: citations of PubMed and MEDLINE, and whole articles in JATS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from connectors.readers.branches import every, first, text, texts
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.health.narrative import local, place_table_of, words
from connectors.readers.model import Reading
from connectors.readers.record import Value, moment
from connectors.readers.register import Register
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean, language
from connectors.readers.vocabularies import JATS

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_THREE = {"eng": "en", "por": "pt", "spa": "es", "fre": "fr", "ger": "de", "ita": "it"}
_MAX_DEPTH = 20


def read(source: Source) -> Reading:
    """Read citations of PubMed, or an article in JATS; raises `ReadError`."""
    root = parse(source.path.read_bytes())
    register = Register(cap=source.limits.rows)
    if source.media_type == JATS:
        register.lang = language(root.get("{http://www.w3.org/XML/1998/namespace}lang"))
        _article(root, register)
    else:
        _citations(root, register)
    if not register.records:
        raise ReadError("empty", "The file holds no citation with a PMID or a title.")
    only = register.outline.first_heading if len(register.records) == 1 else None
    return Reading(
        source.media_type,
        best_title(only, None, source.name),
        tuple(register.outline.blocks),
        register.lang,
        tuple(register.records),
        tuple(register.warnings),
    )


def _citations(root: etree._Element, register: Register) -> None:
    found = [e for name in ("MedlineCitation", "BookDocument") for e in root.iter(f"{{*}}{name}")]
    languages = set()
    for citation in found:
        article = first(citation, "Article")
        article = citation if article is None else article
        spoken = texts(article, "Language")
        languages.add(_THREE.get(spoken[0], "") if spoken else "")
        _citation(citation, article, register)
    if len(languages) == 1:
        register.lang = languages.pop() or None


def _citation(citation: etree._Element, article: etree._Element, register: Register) -> None:
    number = text(citation, "PMID")
    title = text(article, "ArticleTitle", "Book/BookTitle")
    if not (number or title):
        return
    register.outline.heading(title or f"PMID {number}", 1)
    around = citation.getparent()
    register.state(
        "article",
        title,
        {
            "title": title,
            "pmid": number,
            "authors": ", ".join(_authors(article)),
            "journal": text(article, "Journal/Title", "Journal/ISOAbbreviation"),
            "date": _date(article),
            "volume": text(article, "Journal/JournalIssue/Volume"),
            "issue": text(article, "Journal/JournalIssue/Issue"),
            "pages": text(article, "Pagination/MedlinePgn"),
            "doi": _doi(article, around),
            "types": tuple(texts(article, "PublicationTypeList/PublicationType")),
            "mesh": tuple(texts(citation, "MeshHeadingList/MeshHeading/DescriptorName")),
            "keywords": tuple(texts(citation, "KeywordList/Keyword")),
            "language": ", ".join(texts(article, "Language")),
        },
        record_id=number,
        silent=("title",),
    )
    for part in every(article, "Abstract/AbstractText"):
        label = clean(part.get("Label", ""))
        told = words(part)
        register.outline.paragraph(f"{label.capitalize()}: {told}" if label else told)


def _authors(article: etree._Element) -> Iterator[str]:
    for one in every(article, "AuthorList/Author")[:100]:
        given = text(one, "ForeName", "Initials")
        yield f"{given} {text(one, 'LastName')}".strip() or text(one, "CollectiveName")


def _date(article: etree._Element) -> Value | None:
    for path in ("Journal/JournalIssue/PubDate", "ArticleDate", "Book/PubDate"):
        found = first(article, path)
        if found is not None and text(found, "Year"):
            return _day(text(found, "Year"), text(found, "Month"), text(found, "Day"))
    return text(article, "Journal/JournalIssue/PubDate/MedlineDate")


def _day(year: str, month: str, day: str) -> Value | None:
    """A day of a year, a month as number or name, and a day, of which the last may be missing."""
    short = month[:3].lower()
    number = _MONTHS.index(short) + 1 if short in _MONTHS else int(month) if month.isdigit() else 0
    parts = [year, f"{number:02}" if number else "", day.zfill(2) if day.isdigit() else ""]
    return moment("-".join(parts[: parts.index("")] if "" in parts else parts))


def _doi(article: etree._Element, around: etree._Element | None) -> str:
    for one in every(article, "ELocationID"):
        if one.get("EIdType") == "doi":
            return words(one)
    for one in () if around is None else around.iter("{*}ArticleId"):
        if one.get("IdType") == "doi":
            return words(one)
    return ""


def _article(root: etree._Element, register: Register) -> None:
    meta = first(root, "front/article-meta")
    if meta is None:
        return
    title = text(meta, "title-group/article-title")
    register.outline.heading(title, 1)
    ids = {e.get("pub-id-type", ""): words(e) for e in every(meta, "article-id")}
    date = first(meta, "pub-date")
    names = (
        f"{text(one, 'name/given-names')} {text(one, 'name/surname')}".strip()
        for one in every(meta, "contrib-group/contrib")[:100]
    )
    register.state(
        "article",
        title,
        {
            "title": title,
            "pmid": ids.get("pmid"),
            "pmcid": ids.get("pmc") or ids.get("pmcid"),
            "authors": ", ".join(filter(None, names)),
            "journal": text(root, "front/journal-meta/journal-title-group/journal-title",
                            "front/journal-meta/journal-title"),
            "date": None if date is None
            else _day(text(date, "year"), text(date, "month"), text(date, "day")),
            "doi": ids.get("doi"),
            "keywords": tuple(texts(meta, "kwd-group/kwd")),
        },
        record_id=ids.get("pmid") or ids.get("doi", ""),
        silent=("title",),
    )  # fmt: skip
    for abstract in every(meta, "abstract"):
        register.outline.heading("Resumo" if register.lang == "pt" else "Abstract", 2)
        _place(abstract, register, 3)
    body = first(root, "body")
    if body is not None:
        _place(body, register, 2)
    cited = [words(e) for e in every(root, "back/ref-list/ref")]
    if cited:
        register.outline.heading("Referências" if register.lang == "pt" else "References", 2)
        register.outline.items([f"- {one}" for one in cited])


def _place(element: etree._Element, register: Register, level: int) -> None:
    if level > _MAX_DEPTH:
        register.warn(f"Sections nested deeper than {_MAX_DEPTH} levels were left out.")
        return
    for part in element:
        match local(part):
            case "title":
                register.outline.heading(words(part), level - 1 or 1)
            case "sec" | "boxed-text" | "app":
                _place(part, register, level + 1)
            case "p":
                _paragraph(part, register)
            case "list":
                register.outline.items([f"- {words(one)}" for one in every(part, "list-item")])
            case "table-wrap":
                _table(part, register)
            case "fig":
                register.outline.caption(_joined(every(part, "label") + every(part, "caption")))
            case "disp-formula" | "disp-quote" | "def-list" | "preformat":
                register.outline.paragraph(words(part))


def _paragraph(part: etree._Element, register: Register) -> None:
    """A paragraph; a table or a figure that floats inside comes after it."""
    floating = [e for e in part if local(e) in ("table-wrap", "fig", "list")]
    for one in floating:
        tail = one.tail or ""
        previous = one.getprevious()
        if previous is not None:
            previous.tail = (previous.tail or "") + tail
        else:
            part.text = (part.text or "") + tail
        one.tail = None
        part.remove(one)
    register.outline.paragraph(words(part))
    if floating:
        holder = etree.Element("sec")
        holder.extend(floating)
        _place(holder, register, 3)


def _table(wrap: etree._Element, register: Register) -> None:
    register.outline.caption(_joined(every(wrap, "label") + every(wrap, "caption")))
    for table in wrap.iter("{*}table"):
        place_table_of(register.outline, table)
    register.outline.paragraph(_joined(every(wrap, "table-wrap-foot")))


def _joined(elements: Iterable[etree._Element]) -> str:
    return " ".join(filter(None, map(words, elements)))
