from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from connectors.readers import Limits, Reading
from connectors.readers.record import Period, Quantity

Read = Callable[..., Reading]
FACTS = {
    "entityName": "Example Bank",
    "facts": {
        "ifrs-full": {
            "ProfitLoss": {
                "label": "Profit (loss)",
                "units": {
                    "BRL": [
                        {"start": "2025-01-01", "end": "2025-12-31", "val": 1284000000},
                        {"start": "2025-01-01", "end": "2025-12-31", "val": 1284000000},
                        {"end": "2024-12-31", "val": -250500000, "form": "DFP", "filed": "2025-02"},
                        {"end": "2023-12-31", "val": 1234567},
                    ]
                },
            },
            "EarningsPerShare": {"units": {"BRL/shares": [{"end": "2025-12-31", "val": 1.10}]}},
        },
        "own": {
            "Ratio": {"label": "Ratio", "units": {"pure": [{"end": "2025-12-31", "val": 0.129}]}},
            "Branches": {"label": "Branches", "units": {"pure": [{"end": "x", "val": 1187}]}},
            "Nothing": {"label": "Nothing", "units": {"pure": [{"end": "x", "val": None}]}},
        },
    },
}


def test_each_fact_is_one_line_that_reads_alone(read_bytes: Read) -> None:
    text = json.dumps(FACTS).replace('"val": 1.1', '"val": 1.10')
    reading = read_bytes(text, "facts.json")
    assert reading.title == "Example Bank"
    assert {b.heading for b in reading.blocks[1:]} == {("Example Bank",)}
    assert [b.text for b in reading.blocks if b.kind == "record"] == [
        "Profit (loss) (ProfitLoss) — 2025-12-31 (since 2025-01-01): 1,284 (BRL millions); "
        "exact value: 1284000000\n"
        "Profit (loss) (ProfitLoss) — 2024-12-31: -250.5 (BRL millions); "
        "exact value: -250500000; filed: DFP 2025-02\n"
        "Profit (loss) (ProfitLoss) — 2023-12-31: 1,234,567 (BRL); exact value: 1234567",
        "EarningsPerShare (EarningsPerShare) — 2025-12-31: 1.10 (BRL/shares)",
        "Ratio (Ratio) — 2025-12-31: 0.129 (12.9%)",
        "Branches (Branches) — x: 1,187; exact value: 1187",
    ]
    assert reading.records[0].values == {
        "concept": "ProfitLoss",
        "label": "Profit (loss)",
        "period": Period(date(2025, 1, 1), date(2025, 12, 31)),
        "value": Quantity(Decimal(1284000000), "BRL"),
    }
    block = reading.records[0].block
    assert block is not None
    assert "ProfitLoss" in reading.blocks[block].text


def test_more_facts_than_allowed_give_a_warning(read_bytes: Read) -> None:
    reading = read_bytes(json.dumps(FACTS), "facts.json", Limits(rows=2))
    assert len(reading.records) == 2
    assert reading.warnings == ("Only the first 2 facts were read.",)


def test_other_json_with_facts_is_read_as_records(read_bytes: Read) -> None:
    reading = read_bytes('{"facts": {"weather": "sunny"}}', "a.json")
    assert "weather: sunny" in reading.blocks[-1].text
