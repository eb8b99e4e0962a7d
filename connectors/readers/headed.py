"""CSV files of a known kind, told by the names in their header row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from connectors.readers.errors import ReadError
from connectors.readers.record import snake
from connectors.readers.text import clean

if TYPE_CHECKING:
    from connectors.readers.model import Reading
    from connectors.readers.source import Source

# Groups of columns, of each of which one must be there; then the module whose `read_rows` reads it.
_KINDS: tuple[tuple[tuple[frozenset[str], ...], str], ...] = tuple(
    (tuple(frozenset(group.split()) for group in groups), module)
    for groups, module in (
        (("cd_conta", "ds_conta", "vl_conta", "dt_refer"), "finance.cvm"),
        (("cnpj_fundo cnpj_fundo_classe cnpj_cia", "dt_comptc dt_refer"), "finance.cvm"),
        (("data", "valor"), "finance.cvm"),
        (("handle url_handle", "title", "variant_price price"), "retail.shopify"),
        (("id", "title", "price", "availability", "link image_link"), "retail.merchant"),
        (
            (
                "rating overall stars star_rating review_score score nota reviews_rating "
                "review_rating",
                "review_text text review_body review_comment_message comment content "
                "reviews_text comentario body review",
                "asin product_id product clothing_id order_id business_id item_id sku "
                "produto product_title review_id id name",
            ),
            "retail.reviews",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the names of its columns as written; `line` counts from 1 in the file."""

    line: int
    cells: dict[str, str]

    def get(self, *names: str) -> str:
        """Return the first of these columns (in snake_case) that has something."""
        known = {snake(name): value for name, value in self.cells.items()}
        return next((known[name] for name in names if known.get(name)), "")

    def refuse(self, problem: str) -> NoReturn:
        """Raise a `ReadError` that names this line."""
        raise ReadError("corrupt", f"Line {self.line} of the table {problem}.")


def module_of(header: Sequence[str]) -> str | None:
    """Return the module that reads rows under a header, if it is a known one."""
    names = {snake(cell.strip().lstrip("\ufeff")) for cell in header}
    return next(
        (module for groups, module in _KINDS if all(names & group for group in groups)), None
    )


def reading(source: Source, text: str, delimiter: str) -> Reading | None:
    """Return what the reader of a known kind of table understood; None for any other table.

    Raises `ReadError` with the line of a row that has more cells than the header.
    """
    lines = csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter)
    header = next((row for row in lines if any(cell.strip() for cell in row)), [])
    module = module_of(header)
    if module is None:
        return None
    names = [clean(name) for name in header]
    rows = list(_rows(lines, names, source.limits.rows))
    result: Reading = import_module(f"connectors.readers.{module}").read_rows(source, rows)
    return result


def _rows(lines: Iterable[list[str]], names: list[str], cap: int) -> Iterable[Row]:
    n_rows = 0
    line_num = getattr(lines, "line_num", 0)
    try:
        for cells in lines:
            start, line_num = line_num + 1, getattr(lines, "line_num", 0)
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
                Row(start, {}).refuse(f"has {len(cells)} cells, the header has {len(names)}")
            n_rows += 1
            if n_rows > cap + 1:
                return
            yield Row(start, dict(zip(names, map(clean, cells), strict=False)))
    except csv.Error as error:
        raise ReadError(
            "corrupt",
            f"Line {line_num} of the table has a field that never ends; check its quotes.",
        ) from error
