"""Reviews of products in CSV or JSON, as Amazon, Olist, Yelp and shops export them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.readers.headed import Row
from connectors.readers.ledger import Ledger, joined, named
from connectors.readers.model import Reading
from connectors.readers.record import Value, day, decimal, snake
from connectors.readers.source import Source
from connectors.readers.text import clean

_NAMES = {
    "rating": "rating overall stars star_rating review_score score nota reviews_rating "
    "review_rating",
    "text": "review_text text review_body review_comment_message comment content "
    "reviews_text comentario body review",
    "title": "review_title review_headline summary review_comment_title headline reviews_title "
    "title titulo",
    "product": "parent_asin asin product_id product clothing_id business_id item_id sku "
    "produto product_title order_id name",
    "author": "reviewer_name user_id reviewer_id author customer_id reviewer username "
    "reviews_username",
    "date": "review_time review_date review_creation_date date timestamp unix_review_time "
    "reviews_date created_at data",
    "verified": "verified verified_purchase",
    "helpful": "helpful_vote helpful_votes helpful vote useful",
    "id": "review_id id",
}
_ALIASES = {name: aliases.split() for name, aliases in _NAMES.items()}


def is_reviews(value: Any) -> bool:
    """Whether a JSON value is a list of objects that rate something in words."""
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value[:50]):
        return False
    names = {snake(key) for item in value[:50] for key in item}
    return all(names & set(_ALIASES[name]) for name in ("rating", "text", "product"))


def read_json(value: list[dict[str, Any]], source: Source) -> Reading:
    """Read a list of reviews."""
    ledger = _ledger(source)
    for item in value:
        if isinstance(item, dict):
            _review(ledger, {snake(key): _written(v) for key, v in item.items()})
    return ledger.reading(source.media_type)


def read_rows(source: Source, rows: list[Row]) -> Reading:
    """Read a table of reviews; raises `ReadError` with the line of a rating that is no number."""
    ledger = _ledger(source)
    for row in rows:
        fields = {snake(name): value for name, value in row.cells.items()}
        rating = _field(fields, "rating")
        if rating and decimal(rating.split("/")[0].replace(",", ".")) is None:
            row.refuse(f"has the rating {rating[:30]!r}, which is not a number")
        _review(ledger, fields)
    return ledger.reading(source.media_type)


def _ledger(source: Source) -> Ledger:
    ledger = Ledger(source)
    ledger.heading("Reviews", 1)
    return ledger


def _review(ledger: Ledger, fields: Mapping[str, str]) -> None:
    rating = decimal(_field(fields, "rating").split("/")[0].replace(",", "."))
    subject, title, body = (_field(fields, name) for name in ("product", "title", "text"))
    values: dict[str, Value | None] = {
        "product": subject,
        "rating": rating,
        "title": title,
        "text": body,
        "author": _field(fields, "author"),
        "date": _day(_field(fields, "date")),
        "verified": {"true": True, "false": False, "y": True, "n": False}.get(
            _field(fields, "verified").lower()
        ),
        "helpful": _field(fields, "helpful"),
    }
    stars = f"{rating.normalize():f} stars" if rating is not None else "no rating"
    keys = ("date", "author", "verified", "helpful")
    ledger.state(
        joined(
            f"Review of {subject or 'a product'}: {stars}",
            *(named(key, values[key]) for key in keys if values[key] is not None),
            joined(title, body, by=" — "),
        ),
        "review",
        values,
        own_id=_field(fields, "id"),
        subject=f"product:{subject}" if subject else "",
    )


def _field(fields: Mapping[str, str], name: str) -> str:
    return next((fields[alias] for alias in _ALIASES[name] if fields.get(alias)), "")


def _written(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    return clean(str(getattr(value, "raw", value)))


def _day(written: str) -> date | None:
    """A day in ISO 8601, as seconds or milliseconds since 1970, or as `03 1, 2014`."""
    if written.isdigit() and len(written) in (10, 13):
        return datetime.fromtimestamp(int(written[:10]), UTC).date()
    if (found := day(written)) is not None:
        return found
    for form in ("%m %d, %Y", "%B %d, %Y", "%d/%m/%Y", "%b %d, %Y"):
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None
