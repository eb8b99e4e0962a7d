from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from connectors.readers import Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]


def series(n_rows: int, gap_at: int = 100) -> str:
    start = datetime(2024, 3, 1)
    lines = ["timestamp,Temperature [K],Pressure (bar),Machine failure"]
    for n in range(n_rows):
        moment = start + timedelta(minutes=n + (60 if n >= gap_at else 0))
        value = "" if n == 7 else str(300 + n % 10)
        lines.append(f"{moment.isoformat()},{value},{n % 5},{int(n % 50 == 0)}")
    return "\n".join(lines) + "\n"


def test_long_series_are_summed_up_by_column(read_bytes: Read) -> None:
    reading = read_bytes(series(500), "a.csv")
    assert [block.text for block in reading.blocks] == [
        "Series: 500 rows of 4 columns; columns: timestamp, Temperature [K], Pressure (bar), "
        "Machine failure; first time: 2024-03-01 00:00; last time: 2024-03-01 09:19; "
        "usual step: 60 s; n gaps: 1; gaps: 2024-03-01 01:39 to 2024-03-01 02:40",
        "Sensor: Temperature; count: 499; missing: 1; minimum: 300 K; mean: 304.495 K; "
        "maximum: 309 K; standard deviation: 2.87586 K; first: 300; last: 309; "
        "mean at Machine failure: 300 K",
        "Sensor: Pressure; count: 500; minimum: 0 bar; mean: 2 bar; maximum: 4 bar; "
        "standard deviation: 1.41563 bar; first: 0; last: 4; mean at Machine failure: 0 bar",
        "Flag: Machine failure — set in 10 of 500 rows (2.00 %)",
    ]
    assert reading.records[1].values["maximum"] == Quantity(Decimal(309), "K")
    assert "summed up" in reading.warnings[0]


def test_short_series_and_other_figures_stay_tables(read_bytes: Read) -> None:
    assert read_bytes(series(50), "a.csv").blocks[0].kind == "table"
    sales = "\n".join(["date,sales,cost,units", *(f"2024-01-01,{n},{n},{n}" for n in range(400))])
    assert read_bytes(sales, "a.csv").blocks[0].kind == "table"
