"""Curation: what is done to a document between its reader and its chunks.

Personal data is found and, where the collection's policy says so, masked, or the document refused,
before anything is cut, embedded or stored. What a document has in common with others is kept as
keys, so that duplicates, versions and repeated paragraphs are found across runs and sources.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from assistant.errors import AssistantError
from assistant.personal.find import find
from assistant.personal.finding import Kind
from assistant.personal.policy import Policy, Table, policy_of
from assistant.store.curations import Curation
from assistant.store.document import KnownDocument
from assistant.text.likeness import band_keys, key, packed, signature
from assistant.text.versions import Version, version_of
from connectors.contract import Item
from connectors.readers.model import Block, Reading
from connectors.readers.record import Record, Value

N_EDGES = 3
"""Blocks at the begin and at the end of a document that may be repeated in others."""
MIN_EDGE_CHARS = 20
MAX_EDGE_CHARS = 1_500
REPEATED_IN = 5
"""Documents of a source that must have a paragraph at their edge before it counts as repeated."""
MAX_REPEATED_SHARE = 0.5
"""A document that repeats more of others than this is a duplicate, and left as it is."""

_HIDDEN = re.compile(r"[Hh]idden (?:text|sheets?)\b")
_PLACES = re.compile(r"at (\d+) place")
_EDGE_KINDS = frozenset({"paragraph", "list", "caption"})


class PersonalData(AssistantError):
    """The document holds personal data that its collection refuses."""

    slug = "personal-data"


@dataclass(frozen=True, slots=True)
class Curated:
    """A reading as it may be stored, and what was found in it.

    `masked` says whether anything was replaced. `edges` are the keys of the blocks that may turn
    out to be repeated, by the block's index.
    """

    title: str
    reading: Reading
    masked: bool
    edges: Mapping[int, int]
    curation: Curation


@dataclass(frozen=True, slots=True)
class Curator:
    """Curates the documents of one source under the policies of its collections."""

    source: str
    table: Table

    def policy(self, item: Item) -> Policy:
        """Return the policy of an item's collection."""
        named = item.meta.get("collection")
        return policy_of(self.table, named if isinstance(named, str) and named else self.source)

    def rules(self, collection: str) -> str:
        """Return the name of what a collection's policy does."""
        return policy_of(self.table, collection).digest

    def cleaned(self, item: Item) -> Item:
        """Return an item whose title and metadata its policy has been applied to.

        Its id and address stay: without them it could not be found again.
        """
        policy = self.policy(item)
        if policy.digest == "keep":
            return item
        kept = {"collection", "industry", "lang", "date", "superseded_by"}
        meta = {k: v if k in kept else _masked_json(v, policy) for k, v in item.meta.items()}
        return item.model_copy(update={"title": policy.apply(item.title, "en"), "meta": meta})

    def is_outdated(self, item: Item, known: KnownDocument) -> bool:
        """Say whether a document was curated under other rules than now."""
        return known.rules != self.policy(item).digest

    def is_in_doubt(self, item: Item, known: KnownDocument) -> bool:
        """Say whether what is stored may hold what the policy now masks or refuses."""
        digest = self.policy(item).digest
        return known.is_live and digest != "keep" and known.rules not in {"", digest}

    def curate(self, item: Item, reading: Reading, title: str, lang: str) -> Curated:
        """Find what is in a reading and apply the policy; raises `PersonalData`."""
        policy = self.policy(item)
        found = [one.kind for text in _texts(reading, title) for one in find(text)]
        if refused := policy.refused(found):
            listed = ", ".join(f"{n} × {kind}" for kind, n in sorted(refused.items()))
            raise PersonalData(
                f"It holds personal data that its collection refuses ({listed}). Take it out at "
                "the source, or change `curation.personal_data`."
            )
        masked = any(policy.outcome(kind) == "mask" for kind in found)
        if masked:
            title, reading = policy.apply(title, lang), _masked(reading, policy, lang)
        edges = _edges(self.source, reading)
        curation = self._curation(item, reading, title, policy, found, edges)
        return Curated(title, reading, masked, edges, curation)

    def _curation(
        self,
        item: Item,
        reading: Reading,
        title: str,
        policy: Policy,
        found: Sequence[Kind],
        edges: Mapping[int, int],
    ) -> Curation:
        text = " ".join(" ".join(block.text.split()) for block in reading.blocks)
        sha256 = hashlib.sha256(text.casefold().encode()).hexdigest()
        minima = signature(text)
        version = _version(item, title)
        keys = [key("text", sha256), *edges.values()]
        keys += band_keys(minima) if minima is not None else []
        keys += [key("family", self.source, version.family)] if version.family else []
        return Curation(
            rules=policy.digest,
            text_sha256=sha256,
            signature=packed(minima),
            family=version.family,
            rank=version.rank,
            keys=tuple(dict.fromkeys(keys)),
            edges=tuple(dict.fromkeys(edges.values())),
            repeated=(),
            findings=_findings(reading, policy, found),
        )


def repeated_blocks(curated: Curated, repeated: frozenset[int]) -> frozenset[int]:
    """Return the indices of the blocks that many documents repeat; none if that is most of it."""
    blocks = curated.reading.blocks
    found = {index for index, edge in curated.edges.items() if edge in repeated}
    n_chars = sum(len(block.text) for block in blocks)
    n_repeated = sum(len(blocks[index].text) for index in found)
    return frozenset(found) if n_repeated <= MAX_REPEATED_SHARE * n_chars else frozenset()


def _version(item: Item, title: str) -> Version:
    """Return the version that the file's name speaks of, else the title."""
    named = version_of(item.id.rstrip("/").rpartition("/")[2])
    return named if named.rank else version_of(title)


def _edges(source: str, reading: Reading) -> dict[int, int]:
    """Return keys of the blocks at the begin and end of a document, by their index."""
    indices = [n for n, block in enumerate(reading.blocks) if block.kind != "heading"]
    if len(indices) <= N_EDGES:
        return {}
    outer = dict.fromkeys((*indices[:N_EDGES], *indices[-N_EDGES:]))
    return {
        n: key("edge", source, " ".join(reading.blocks[n].text.casefold().split()))
        for n in outer
        if reading.blocks[n].kind in _EDGE_KINDS
        and MIN_EDGE_CHARS <= len(reading.blocks[n].text) <= MAX_EDGE_CHARS
    }


def _findings(reading: Reading, policy: Policy, found: Sequence[Kind]) -> dict[str, JsonValue]:
    personal: dict[str, JsonValue] = {
        kind: {policy.outcome(kind): n} for kind, n in sorted(Counter(found).items())
    }
    hidden = sum(
        int(places[1]) if (places := _PLACES.search(warning)) else 1
        for warning in reading.warnings
        if _HIDDEN.search(warning)
    )
    return {"personal_data": personal, "hidden_text": hidden, "repeated": 0}


def _texts(reading: Reading, title: str) -> Iterator[str]:
    """Yield every text of a document once: its title, its headings, its blocks."""
    yield title
    yield from dict.fromkeys(part for block in reading.blocks for part in block.heading)
    yield from (block.text for block in reading.blocks if block.kind != "heading")


def _masked(reading: Reading, policy: Policy, lang: str) -> Reading:
    return replace(
        reading,
        title=policy.apply(reading.title, lang),
        blocks=tuple(_masked_block(block, policy, lang) for block in reading.blocks),
        records=tuple(_masked_record(record, policy, lang) for record in reading.records),
    )


def _masked_block(block: Block, policy: Policy, lang: str) -> Block:
    text = policy.apply(block.text, lang)
    heading = tuple(policy.apply(part, lang) for part in block.heading)
    if text == block.text and heading == block.heading:
        return block
    # The cells say the same as the text; unmasked they must not go on.
    cells = block.cells if text == block.text else None
    return replace(block, text=text, heading=heading, cells=cells)


def _masked_record(record: Record, policy: Policy, lang: str) -> Record:
    values = {key: _masked_value(key, value, policy, lang) for key, value in record.values.items()}
    return replace(record, values=values)


def _masked_value(key: str, value: Value, policy: Policy, lang: str) -> Value:
    if isinstance(value, str):
        return _of_field(key, value, policy, lang)
    if isinstance(value, tuple):
        return tuple(_of_field(key, part, policy, lang) for part in value)
    return value


def _of_field(key: str, text: str, policy: Policy, lang: str) -> str:
    """Mask the value of a named field, whose name counts as its label."""
    label = f"{key.replace('_', ' ')}: "
    masked = policy.apply(label + text, lang)
    return masked[len(label) :] if masked.startswith(label) else policy.apply(text, lang)


def _masked_json(value: JsonValue, policy: Policy) -> JsonValue:
    if isinstance(value, str):
        return policy.apply(value, "en")
    if isinstance(value, list):
        return [_masked_json(part, policy) for part in value]
    if isinstance(value, dict):
        return {k: _masked_json(part, policy) for k, part in value.items()}
    return value
