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

# From filings that the rules were not made with, typed from pictures of the pages. The last four
# showed faults, since mended: a range was three cells, a remark was part of a column's name, and
# what follows a total counted as part of what it sums.
OTHERS: list[tuple[str, int, str, dict[str, str]]] = [
    ("2022 Q3 MSFT.pdf", 5,
     "Current assets: Accounts receivable, net of allowance for doubtful accounts of $438 and $633",
     {"September 30, 2022": "31,279", "June 30, 2022": "44,261"}),
    ("2022 Q3 MSFT.pdf", 5, "Accumulated other comprehensive loss",
     {"September 30, 2022": "(7,343)", "June 30, 2022": "(4,678)"}),
    ("2022 Q3 MSFT.pdf", 13, "U.S. government securities",
     {"Fair Value Level": "Level 1", "Adjusted Cost Basis": "79,696", "Unrealized Gains": "29",
      "Unrealized Losses": "(2,178)", "Recorded Basis": "77,547",
      "Cash and Cash Equivalents": "9", "Short-term Investments": "77,538",
      "Equity Investments": "0"}),
    ("2022 Q3 MSFT.pdf", 13, "U.S. government and agency securities",
     {"Less than 12 Months Fair Value": "$61,761",
      "Less than 12 Months Unrealized Losses": "$(3,411)",
      "12 Months or Greater Fair Value": "$4,233",
      "12 Months or Greater Unrealized Losses": "$(830)",
      "Total Fair Value": "$65,994", "Total Unrealized Losses": "$(4,241)"}),
    ("2022 Q3 NVDA.pdf", 4,
     "Available-for-sale securities: Reclassification adjustments for net realized gain included "
     "in net income",
     {"Three Months Ended October 30, 2022": "—", "Three Months Ended October 31, 2021": "—",
      "Nine Months Ended October 30, 2022": "1", "Nine Months Ended October 31, 2021": "—"}),
    ("2022 Q3 NVDA.pdf", 4, "Cash flow hedges: Net unrealized gain (loss)",
     {"Three Months Ended October 30, 2022": "(14)", "Three Months Ended October 31, 2021": "22",
      "Nine Months Ended October 30, 2022": "(44)", "Nine Months Ended October 31, 2021": "(5)"}),
    ("2022 Q3 NVDA.pdf", 20, "Additions",
     {"Three Months Ended October 30, 2022": "3", "Three Months Ended October 31, 2021": "5",
      "Nine Months Ended October 30, 2022": "141", "Nine Months Ended October 31, 2021": "20"}),
    ("2022 Q3 NVDA.pdf", 20, "2028 and thereafter", {"": "410"}),
    ("2023 Q1 AMZN.pdf", 3,
     "Depreciation and amortization of property and equipment and capitalized content costs, "
     "operating lease assets, and other",
     {"Three Months Ended March 31, 2022": "9,193", "Three Months Ended March 31, 2023": "11,123",
      "Twelve Months Ended March 31, 2022": "36,088",
      "Twelve Months Ended March 31, 2023": "43,851"}),
    ("2023 Q1 AMZN.pdf", 3, "Repayments of long-term debt",
     {"Three Months Ended March 31, 2022": "—", "Three Months Ended March 31, 2023": "(1,386)",
      "Twelve Months Ended March 31, 2022": "(1,551)",
      "Twelve Months Ended March 31, 2023": "(2,644)"}),
    ("2023 Q2 AAPL.pdf", 4, "Other income/(expense), net",
     {"Three Months Ended April 1, 2023": "64", "Three Months Ended March 26, 2022": "160",
      "Six Months Ended April 1, 2023": "(329)", "Six Months Ended March 26, 2022": "(87)"}),
    ("2023 Q2 AAPL.pdf", 4, "Shares used in computing earnings per share: Diluted",
     {"Three Months Ended April 1, 2023": "15,847,050",
      "Three Months Ended March 26, 2022": "16,403,316",
      "Six Months Ended April 1, 2023": "15,901,384",
      "Six Months Ended March 26, 2022": "16,461,304"}),
    ("2023 Q2 AAPL.pdf", 11, "Corporate debt securities",
     {"Adjusted Cost": "87,148", "Unrealized Gains": "9", "Unrealized Losses": "(7,707)",
      "Fair Value": "79,450", "Cash and Cash Equivalents": "—",
      "2022 Current Marketable Securities": "9,023",
      "Non-Current Marketable Securities": "70,427"}),
    ("2023 Q2 AAPL.pdf", 11, "Due after 5 years through 10 years", {"": "11,928"}),
    ("2023 Q2 NVDA.pdf", 3, "Other income (expense), net",
     {"Three Months Ended July 30, 2023": "181", "Three Months Ended July 31, 2022": "(24)",
      "Six Months Ended July 30, 2023": "249", "Six Months Ended July 31, 2022": "(87)"}),
    ("2023 Q2 NVDA.pdf", 8,
     "Cash flows from financing activities: Payments related to tax on restricted stock units",
     {"Six Months Ended July 30, 2023": "(1,179)", "Six Months Ended July 31, 2022": "(837)"}),
    ("2023 Q2 NVDA.pdf", 8,
     "Restricted cash, included in prepaid expenses and other current assets",
     {"Six Months Ended July 30, 2023": "99", "Six Months Ended July 31, 2022": "—"}),
    ("2023 Q3 MSFT.pdf", 3, "Weighted average shares outstanding: Diluted",
     {"Three Months Ended September 30, 2023": "7,462",
      "Three Months Ended September 30, 2022": "7,485"}),
    ("2023 Q3 MSFT.pdf", 7, "Common stock cash dividends",
     {"Three Months Ended September 30, 2023": "(5,571)",
      "Three Months Ended September 30, 2022": "(5,064)"}),
    ("2023 Q3 AMZN.pdf", 15, "Less: current portion of long-term debt",
     {"December 31, 2022": "(2,999)", "September 30, 2023": "(5,995)"}),
    ("2023 Q3 AMZN.pdf", 15, "April 2022 Notes issuance of $12.8 billion",
     {"Maturities (1)": "2024 - 2062", "Stated Interest Rates": "2.73% - 4.10%",
      "Effective Interest Rates": "2.83% - 4.15%", "December 31, 2022": "12,750",
      "September 30, 2023": "12,750"}),
    ("2022 Q3 NVDA.pdf", 4, "Total comprehensive income",
     {"Three Months Ended October 30, 2022": "$647",
      "Three Months Ended October 31, 2021": "$2,465",
      "Nine Months Ended October 30, 2022": "$2,842",
      "Nine Months Ended October 31, 2021": "$6,739"}),
    ("2022 Q3 MSFT.pdf", 5, "Total liabilities and stockholders’ equity",
     {"September 30, 2022": "$359,784", "June 30, 2022": "$364,840"}),
    ("2023 Q1 AMZN.pdf", 3, "Net cash provided by (used in) operating activities",
     {"Three Months Ended March 31, 2022": "(2,790)", "Three Months Ended March 31, 2023": "4,788",
      "Twelve Months Ended March 31, 2022": "39,324",
      "Twelve Months Ended March 31, 2023": "54,330"}),
]  # fmt: skip

WHOLE = (
    ("2023 Q3 AMZN.pdf", 15, "Maturities (1)"),
    ("2022 Q3 NVDA.pdf", 4, "Three Months Ended October 30, 2022"),
    ("2022 Q3 MSFT.pdf", 5, "Total liabilities and stockholders’ equity"),
    ("2023 Q1 AMZN.pdf", 3, "Net cash provided by (used in) operating activities"),
    ("2023 Q2 AAPL.pdf", 4, "Gross margin"),
)
"""Cells as they are written, without what stands near them."""


@cache
def reading(path: Path) -> Reading:
    return read(Source(path, sniff(path), path.name))


@pytest.mark.parametrize(("name", "page", "label", "values"), LINES + OTHERS)
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


@pytest.mark.parametrize(("name", "page", "cell"), WHOLE)
def test_a_cell_says_no_more_than_is_printed_there(
    shared_data: Path, name: str, page: int, cell: str
) -> None:
    blocks = reading(shared_data / "finance_sec10q/docs" / name).blocks
    tables = [block.cells for block in blocks if block.cells and block.page == page]
    assert sum(cell in row for table in tables for row in table) == 1


def test_a_paragraph_between_two_tables_is_no_label(shared_data: Path) -> None:
    """What looks like a long label must not glue tables: prose stays prose."""
    filing = reading(shared_data / "finance_sec10q/docs/2022 Q3 AAPL.pdf")
    labels = [row[0] for block in filing.blocks if block.cells for row in block.cells[1:]]
    assert len(labels) > 200
    assert not [label for label in labels if label.count(". ") > 2]
