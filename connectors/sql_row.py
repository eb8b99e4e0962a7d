"""One kind of rows as documents: which rows, what they say, and who may read each.

A template is text with `{column}` in it (`{{` and `}}` are braces): no expressions, no formats. A
line of it whose columns are all empty is left out. Principals come from a column as an array, a
JSON list, or a text separated by commas, semicolons or lines; what can't be understood among
those denied or required closes the row, among those allowed it grants nothing.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from string import Formatter
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, unquote
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator

from connectors.contract import Access, ConnectorError, Frozen, Item
from connectors.sidecars import Principals

Row = Mapping[str, Any]

MAX_ID_BYTES = 180
"""An id that is longer when written into a path is cut and made unique by its hash."""

_SUFFIXES = {"text/markdown": ".md", "text/plain": ".txt", "text/html": ".html"}
_PRINCIPAL = re.compile(r"everyone|(?:user|group):[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*\S)?")
_CUT = re.compile(r"(?:%[0-9A-F]?)?~[0-9a-f]{24}$")
_ODD = re.compile(r"[\x00-\x1f\x7f/%]")


def _template(text: str) -> str:
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{error}; write {{{{ or }}}} for a brace") from error
    if any(name == "" or spec or conversion for _, name, spec, conversion in parts):
        raise ValueError("write {column}, without a format; {{ and }} are braces")
    return text


Template = Annotated[str, AfterValidator(_template)]


class Kind(Frozen):
    """One kind of documents: a table or a query, and what its columns mean."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(
        title="Name", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="part of every id"
    )
    table: str = Field(default="", title="Table", description="TABLE or SCHEMA.TABLE")
    query: str = Field(default="", title="Query", description="a SELECT, instead of a table")
    id: str = Field(title="Id column", description="never empty, different in every row")
    changed: str = Field(
        default="",
        title="Change column",
        description="grows whenever a row changes, such as a time of change; without one all rows "
        "are read in every run",
    )
    deleted: str = Field(
        default="", title="Deletion column", description="true or not empty in a deleted row"
    )
    title: Template = Field(default="", title="Title", description="text with {column} in it")
    body: Template = Field(title="Body", description="text with {column} in it")
    media_type: Literal["text/markdown", "text/plain", "text/html"] = Field(
        default="text/markdown", title="Format of the body"
    )
    link: Template = Field(
        default="", title="Link", description="where people see a row; with {column} in it"
    )
    allow: Principals = Field(
        default=frozenset(),
        title="Readers",
        description="user:LOGIN, group:NAME or everyone; empty is nobody",
    )
    deny: Principals = Field(default=frozenset(), title="Not readers")
    all_of: Principals = Field(
        default=frozenset(), title="Required", description="what a reader must hold besides"
    )
    allow_column: str = Field(
        default="", title="Readers column", description="decides instead of the readers above"
    )
    deny_column: str = Field(default="", title="Not readers column")
    all_of_column: str = Field(default="", title="Required column")
    principals_are: Literal["", "user:", "group:"] = Field(
        default="", title="Prefix", description="put before what the columns hold without one"
    )
    date_column: str = Field(default="", title="Date column")
    lang: str = Field(default="", title="Language", description="such as en or pt")
    collection: str = Field(default="", title="Collection")
    industry: str = Field(default="", title="Industry")

    @model_validator(mode="after")
    def _has_rows(self) -> Self:
        if bool(self.table.strip()) == bool(self.query.strip()):
            raise ValueError(f"{self.name} needs either a table or a query")
        if self.query and not re.match(r"\s*(select|with|values|\()", self.query, re.IGNORECASE):
            raise ValueError(f"the query of {self.name} must be a SELECT")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns that are read, each once."""
        named = [self.id, self.changed, self.deleted, self.date_column]
        named += [self.allow_column, self.deny_column, self.all_of_column]
        for template in (self.title, self.body, self.link):
            named += [name for _, name, _, _ in Formatter().parse(template) if name]
        return tuple(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True, slots=True)
class Document:
    """A row as it is listed, and what it says; `is_clear` if all its principals are known."""

    item: Item
    body: bytes
    is_clear: bool = True

    @property
    def digest(self) -> str:
        """Return what changes with anything that is listed of the row."""
        item, access = self.item, self.item.access
        lists = [sorted(some) for some in (access.allow, access.deny, access.all_of)]
        told = [item.id, item.version, item.uri, item.title, item.meta, lists]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def document(kind: Kind, row: Row) -> Document:
    """Return the document of a row; raises `ConnectorError` if it can't be one."""
    title = " ".join(filled(kind.title, row).split())
    escaped = kind.media_type == "text/html"
    body = filled(kind.body, row, html.escape if escaped else str)
    path = item_id(kind, row[kind.id])
    changed = row[kind.changed] if kind.changed else None
    access, is_clear = _access(kind, row)
    item = Item(
        id=path,
        version="sha256:" + hashlib.sha256(f"{title}\0{body}".encode()).hexdigest(),
        uri=filled(kind.link, row, lambda text: quote(text, safe="")) or path,
        title=title,
        media_type=kind.media_type,
        modified_at=_aware(changed) if isinstance(changed, datetime) else None,
        access=access,
        meta=_meta(kind, row),
    )
    return Document(item, body.encode(), is_clear)


def is_deleted(kind: Kind, row: Row) -> bool:
    """Say whether a row stands for a deleted document."""
    if not kind.deleted:
        return False
    value = row[kind.deleted]
    if isinstance(value, str):
        return value.strip().lower() not in ("", "0", "f", "false", "n", "no")
    return value is not None and value is not False and value != 0


def item_id(kind: Kind, value: Any) -> str:
    """Return the id of the row with this value in its id column: `KIND/VALUE.SUFFIX`.

    Raises `ConnectorError` if the value is neither a number without fraction, a text nor a UUID.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | UUID | Decimal) or value == "":
        raise ConnectorError(
            f"The id column {kind.id} of {kind.name} holds {type(value).__name__}; name a column "
            "with numbers, texts or UUIDs, or make one in the query."
        )
    text = _ODD.sub(lambda odd: quote(odd[0], safe=""), str(value))
    if len(text.encode()) > MAX_ID_BYTES:
        start = text.encode()[: MAX_ID_BYTES // 2].decode(errors="ignore")
        text = f"{start}~{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    return f"{kind.name}/{text}{_SUFFIXES[kind.media_type]}"


def row_id(kind: Kind, path: str) -> tuple[str, bool]:
    """Return the id of a row as text from what `item_id` made of it, and whether it was cut."""
    text = path.removeprefix(f"{kind.name}/").removesuffix(_SUFFIXES[kind.media_type])
    start = _CUT.sub("", text)
    return unquote(start), start != text


def filled(template: str, row: Row, quoted: Any = str) -> str:
    """Return a template with a row's values; each goes through `quoted`."""
    lines = []
    for line in template.splitlines():
        text, n_columns, n_filled = "", 0, 0
        for literal, name, _, _ in Formatter().parse(line):
            value = shown(row[name]) if name else ""
            n_columns += bool(name)
            n_filled += bool(value)
            text += literal + quoted(value)
        if n_filled or not n_columns:
            lines.append(text)
    return "\n".join(lines)


def shown(value: Any) -> str:
    """Return a value as people write it; raises `ConnectorError` for binary ones."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, bytes | memoryview):
        raise ConnectorError("A column holds binary data; leave it out of the templates.")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value).replace("\x00", "")


def principals(value: Any, prefix: str) -> tuple[frozenset[str], bool]:
    """Return the principals in a column's value, and whether all of it was understood."""
    if value is None:
        return frozenset(), True
    found = value
    if isinstance(value, str):
        found = [part for part in re.split(r"[,;\n]", value) if part.strip()]
        if value.lstrip().startswith("["):
            try:
                found = json.loads(value)
            except ValueError:
                return frozenset(), False
    if not isinstance(found, list | tuple | set):
        found = [found]
    texts = [one.strip() if isinstance(one, str) else shown(one) for one in found]
    named = ("user:", "group:")
    full = [
        text if text == "everyone" or text.startswith(named) else prefix + text for text in texts
    ]
    good = frozenset(text for text in full if _PRINCIPAL.fullmatch(text))
    return good, all(text in good for text in full)


def _access(kind: Kind, row: Row) -> tuple[Access, bool]:
    allow, is_clear = kind.allow, True
    if kind.allow_column:
        allow, is_clear = principals(row[kind.allow_column], kind.principals_are)
    understood = True
    lists = {"deny": kind.deny, "all_of": kind.all_of}
    for name, column in (("deny", kind.deny_column), ("all_of", kind.all_of_column)):
        if column:
            more, whole = principals(row[column], kind.principals_are)
            lists[name] |= more
            understood &= whole
    access = Access(allow=allow, **lists) if understood else Access()
    return access, is_clear and understood


def _meta(kind: Kind, row: Row) -> dict[str, JsonValue]:
    meta: dict[str, JsonValue] = {
        key: value for key in ("collection", "industry", "lang") if (value := getattr(kind, key))
    }
    dated = row[kind.date_column] if kind.date_column else None
    if isinstance(dated, date):
        meta["date"] = (dated.date() if isinstance(dated, datetime) else dated).isoformat()
    elif isinstance(dated, str) and re.match(r"\d{4}-\d\d-\d\d", dated):
        meta["date"] = dated[:10]
    return meta


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
