"""Lines of statements in real filings come out as rows: typed from the printed pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from connectors.readers import Reading, sniff
from connectors.readers.child import read
from connectors.readers.source import Source

# File, page, label, and what stands below each column's name.
LINES: list[tuple[str, int, str, dict[str, str]]] = [
    # Income: two spans of two dates, dates of which only the year differs, two columns.
    ("2023 Q2 AMZN.pdf", 4, "Net service sales",
     {"Three Months Ended June 30, 2022": "64,659", "Three Months Ended June 30, 2023": "75,351",
      "Six Months Ended June 30, 2022": "124,648", "Six Months Ended June 30, 2023": "145,728"}),
    ("2023 Q2 AMZN.pdf", 4, "Other income (expense), net",
     {"Three Months Ended June 30, 2022": "(5,545)", "Three Months Ended June 30, 2023": "61",
      "Six Months Ended June 30, 2022": "(14,115)", "Six Months Ended June 30, 2023": "(382)"}),
    ("2023 Q2 AMZN.pdf", 4, "Diluted earnings per share",
     {"Three Months Ended June 30, 2022": "$(0.20)", "Three Months Ended June 30, 2023": "$0.65",
      "Six Months Ended June 30, 2022": "$(0.58)", "Six Months Ended June 30, 2023": "$0.95"}),
    ("2023 Q2 AMZN.pdf", 4,
     "Weighted-average shares used in computation of earnings per share: Diluted",
     {"Three Months Ended June 30, 2022": "10,175", "Three Months Ended June 30, 2023": "10,449",
      "Six Months Ended June 30, 2022": "10,173", "Six Months Ended June 30, 2023": "10,398"}),
    ("2023 Q3 NVDA.pdf", 3, "Operating expenses: Acquisition termination cost",
     {"Three Months Ended October 29, 2023": "—", "Three Months Ended October 30, 2022": "—",
      "Nine Months Ended October 29, 2023": "—", "Nine Months Ended October 30, 2022": "1,353"}),
    ("2023 Q3 NVDA.pdf", 3, "Net income per share: Basic",
     {"Three Months Ended October 29, 2023": "$3.75",
      "Three Months Ended October 30, 2022": "$0.27",
      "Nine Months Ended October 29, 2023": "$7.07",
      "Nine Months Ended October 30, 2022": "$1.18"}),
    # Balance sheets: labels of two lines, titles in the middle, the older date first.
    ("2022 Q3 AAPL.pdf", 6, "Current assets: Vendor non-trade receivables",
     {"June 25, 2022": "20,439", "September 25, 2021": "25,228"}),
    ("2022 Q3 AAPL.pdf", 6, "Non-current liabilities: Term debt",
     {"June 25, 2022": "94,700", "September 25, 2021": "109,106"}),
    ("2022 Q3 AAPL.pdf", 6,
     "Common stock and additional paid-in capital, $0.00001 par value: 50,400,000 shares "
     "authorized; 16,095,378 and 16,426,786 shares issued and outstanding, respectively",
     {"June 25, 2022": "62,115", "September 25, 2021": "57,365"}),
    ("2022 Q3 AAPL.pdf", 6, "Accumulated other comprehensive income/(loss)",
     {"June 25, 2022": "(9,297)", "September 25, 2021": "163"}),
    ("2022 Q3 AMZN.pdf", 6, "Property and equipment, net",
     {"December 31, 2021": "160,281", "September 30, 2022": "177,195"}),
    ("2022 Q3 AMZN.pdf", 6, "Current liabilities: Accounts payable",
     {"December 31, 2021": "$78,664", "September 30, 2022": "$67,760"}),
    ("2022 Q3 AMZN.pdf", 6,
     "Common stock ($0.01 par value; 100,000 shares authorized; 10,644 and 10,714 shares issued; "
     "10,175 and 10,198 shares outstanding)",
     {"December 31, 2021": "106", "September 30, 2022": "107"}),
    ("2023 Q1 NVDA.pdf", 5, "Deferred income tax assets",
     {"April 30, 2023": "4,568", "January 29, 2023": "3,396"}),
    ("2023 Q1 NVDA.pdf", 5, "Total liabilities and shareholders' equity",
     {"April 30, 2023": "$44,460", "January 29, 2023": "$41,182"}),
    # Cash flows: labels that fill the line, sections in sections.
    ("2022 Q3 AAPL.pdf", 8,
     "Changes in operating assets and liabilities: Vendor non-trade receivables",
     {"Nine Months Ended June 25, 2022": "4,789", "Nine Months Ended June 26, 2021": "4,892"}),
    ("2022 Q3 AAPL.pdf", 8, "Financing activities: Proceeds from issuance of term debt, net",
     {"Nine Months Ended June 25, 2022": "—", "Nine Months Ended June 26, 2021": "13,923"}),
    ("2022 Q3 AAPL.pdf", 8, "Cash paid for interest",
     {"Nine Months Ended June 25, 2022": "$1,910", "Nine Months Ended June 26, 2021": "$1,870"}),
    ("2023 Q1 INTC.pdf", 9, "Changes in assets and liabilities: Accrued compensation and benefits",
     {"Three Months Ended Apr 1, 2023": "(1,560)", "Three Months Ended Apr 2, 2022": "(1,884)"}),
    ("2023 Q1 INTC.pdf", 9, "Net cash provided by (used for) financing activities",
     {"Three Months Ended Apr 1, 2023": "7,394", "Three Months Ended Apr 2, 2022": "(1,864)"}),
    ("2023 Q1 MSFT.pdf", 6,
     "Acquisition of companies, net of cash acquired, and purchases of intangible and other assets",
     {"Three Months Ended December 31, 2022": "(679)",
      "Three Months Ended December 31, 2021": "(850)",
      "Six Months Ended December 31, 2022": "(1,028)",
      "Six Months Ended December 31, 2021": "(2,056)"}),
    ("2023 Q1 MSFT.pdf", 6, "Common stock repurchased",
     {"Three Months Ended December 31, 2022": "(5,459)",
      "Three Months Ended December 31, 2021": "(7,433)",
      "Six Months Ended December 31, 2022": "(11,032)",
      "Six Months Ended December 31, 2021": "(15,117)"}),
]  # fmt: skip


@cache
def reading(path: Path) -> Reading:
    return read(Source(path, sniff(path), path.name))


@pytest.mark.parametrize(("name", "page", "label", "values"), LINES)
def test_lines_of_statements_are_rows(
    shared_data: Path, name: str, page: int, label: str, values: dict[str, str]
) -> None:
    tables = [
        block.cells
        for block in reading(shared_data / "finance_sec10q/docs" / name).blocks
        if block.cells is not None and block.page == page
    ]
    rows = [
        (table[0], row)
        for table in tables
        for row in table[1:]
        if row[0] == label or row[0].endswith(f": {label}")
    ]
    assert len(rows) == 1, [row for _, row in rows]
    header, row = rows[0]
    found = {
        column: cell
        for column in values
        for name_, cell in zip(header[1:], row[1:], strict=True)
        if column in name_
    }
    assert found == values
    assert [cell for cell in row[1:] if cell] == list(values.values())


def test_a_paragraph_between_two_tables_is_no_label(shared_data: Path) -> None:
    """What looks like a long label must not glue tables: prose stays prose."""
    filing = reading(shared_data / "finance_sec10q/docs/2022 Q3 AAPL.pdf")
    labels = [row[0] for block in filing.blocks if block.cells for row in block.cells[1:]]
    assert len(labels) > 200
    assert not [label for label in labels if label.count(". ") > 2]
