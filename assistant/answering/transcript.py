"""An answer as JSON: what clients receive, what is stored, and what of it may be shown later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assistant.answering.prompt import contradiction
from assistant.domain import Answer, Citation, DocumentId, Lang, Passage, Sentence
from assistant.text.inert import inert, inert_uri

NO_LONGER_AVAILABLE = "no longer available to you"

Json = dict[str, Any]


def passage_json(passage: Passage) -> Json:
    """Describe a passage without its place in an answer."""
    return {
        "document_id": passage.document_id,
        "chunk_id": passage.chunk_id,
        "document": inert(passage.title),
        "uri": inert_uri(passage.uri),
        "version": passage.version,
        "page": passage.page,
        "heading": [inert(part) for part in passage.heading],
        "text": passage.text,
        "lang": passage.lang,
        "collection": passage.collection,
        "media_type": passage.media_type,
        "modified_at": passage.modified_at.isoformat() if passage.modified_at else None,
        "superseded": passage.superseded,
        "score": round(passage.score, 4),
    }


def citation_json(citation: Citation) -> Json:
    """Describe a citation: its passage's place, and the quote instead of the passage's text."""
    body = passage_json(citation.passage)
    del body["text"], body["score"]
    return {
        "n": citation.n,
        **body,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "boxes": [list(box) for box in citation.passage.boxes],
        "verdict": citation.verdict,
        "outdated": False,
    }


def withheld_json(sentence: Sentence) -> Json:
    """Describe a sentence that failed verification."""
    return {"text": sentence.text, "verdict": sentence.verdict, "reason": sentence.reason}


def answer_json(answer: Answer, question: str) -> Json:
    """Describe an answer in the shape of the API's `Answer`, without its ids in the store."""
    return {
        "question": question,
        "standalone_question": answer.standalone_question,
        "answer": answer.text,
        "lang": answer.lang,
        "abstained": answer.abstained,
        "sentences": [
            {"text": s.text, "citations": [c.n for c in s.citations], "row": is_row(s)}
            for s in answer.sentences
        ],
        "citations": [citation_json(c) for c in answer.citations],
        "withheld": [withheld_json(s) for s in answer.withheld],
        "closest": [passage_json(p) for p in answer.closest],
        "disagreements": [{"citations": [c.n for c in d.citations]} for d in answer.disagreements],
        "receipt": answer.receipt,
        "seconds": round(answer.seconds, 3),
    }


def is_row(sentence: Sentence) -> bool:
    """Say whether a sentence is a table row or list item, which stands on a line of its own."""
    return any(c.passage.kind in {"table", "list", "record"} for c in sentence.citations)


def joined(sentences: Sequence[Json], disagreements: Sequence[Json], lang: Lang) -> str:
    """Write an answer's text: `[n]` after each sentence, rows on lines of their own.

    Where documents disagree, a last line says so and names the quotes to compare.
    """
    text = ""
    for sentence in sentences:
        marked = sentence["text"] + " " + "".join(f"[{n}]" for n in sentence["citations"])
        separator = "\n" if sentence["row"] else " "
        text = f"{text}{separator if text else ''}{marked.strip()}"
    for one in disagreements if text else ():
        text += f"\n{disputed(one['citations'], lang)}"
    return text


def disputed(numbers: Sequence[int], lang: Lang) -> str:
    """Say that documents disagree, and by which citations."""
    return f"{contradiction(lang)} {''.join(f'[{n}]' for n in numbers)}."


def still_permitted(body: Json, versions: Mapping[DocumentId, frozenset[int]]) -> Json:
    """Return what of a stored answer its reader may see now.

    `versions` maps the ids of the documents the reader may read now to the versions they had since
    they are there. A sentence stays while one of its citations stays, a disagreement while two of
    them do; a citation of an earlier version stays, marked `outdated`. What goes leaves no text
    behind.
    """
    kept = [c for c in body["citations"] if _is_there(c, versions)]
    numbers = {c["n"] for c in kept}
    sentences = [
        {**s, "citations": [n for n in s["citations"] if n in numbers]} for s in body["sentences"]
    ]
    shown = [s for s in sentences if s["citations"]]
    gone = [
        {"text": "", "verdict": "not_permitted", "reason": NO_LONGER_AVAILABLE}
        for s in sentences
        if not s["citations"]
    ]
    among = [
        {"citations": [n for n in one["citations"] if n in numbers]}
        for one in body.get("disagreements", ())
    ]
    disputed = [one for one in among if len(one["citations"]) > 1]
    untouched = not gone and len(kept) == len(body["citations"])
    return {
        **body,
        "answer": body["answer"] if untouched else joined(shown, disputed, body["lang"]),
        "sentences": shown,
        "disagreements": disputed,
        "citations": [
            {**c, "outdated": max(versions[c["document_id"]]) != c["version"]} for c in kept
        ],
        "withheld": gone + [{**w, "text": ""} for w in body["withheld"]],
        "closest": [p for p in body["closest"] if _is_there(p, versions)],
    }


def _is_there(place: Json, versions: Mapping[DocumentId, frozenset[int]]) -> bool:
    return place["version"] in versions.get(place["document_id"], ())
