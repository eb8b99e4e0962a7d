"""Records of real files lead to the chunk that words them, through a whole sync run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.ingest.body import placed_records
from assistant.ingest.chunk import chunk
from assistant.store import records
from assistant.store.database import Database
from assistant.store.records import Asked
from connectors.files import Files, FilesConfig
from connectors.readers import sniff
from connectors.readers.child import read
from connectors.readers.source import Source
from tests.support.catalog import Synced

STATEMENT = """:20:REF1
:25:DE02120300000000202051
:28C:1/1
:60F:C240101EUR100,00
:61:2401020102D30,50NTRFNONREF//B1
:86:Rent
:61:2401030103D9,50NTRFNONREF//B2
:86:Coffee
:62F:C240103EUR60,00
"""


@pytest.mark.parametrize(
    "name",
    [
        "finance/ixbrl/wmt-10-k-2025-03-14.html",
        "finance/mt940/ASNB_mt940.txt",
        "finance/ach/flattenADVBatchesOneBatchHeader.ach",
        "retail/gs1_epcis/SensorDataExamples.xml",
        "retail/shop_db/retail_orders_users_products.json",
    ],
)
def test_every_record_lies_in_its_chunk(shared_data: Path, name: str) -> None:
    path = shared_data / "raw" / name
    reading = read(Source(path, sniff(path), path.name))
    chunks, placed = chunk(reading, "en"), placed_records(reading)
    assert len(placed) == len(reading.records) > 0
    for one in placed:
        assert one.record.block is not None
        assert one.chunk_ord is not None
        start = reading.blocks[one.record.block].text[:40]
        assert start.split("\n")[0] in chunks[one.chunk_ord].text


def test_a_sync_run_stores_replaces_and_deletes_records(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.sta").write_text(STATEMENT)
    (folder / "a.sta.access.toml").write_text('allow = ["everyone"]\n')
    synced = Synced(database, tmp_path, "files")

    def run() -> None:
        synced.run(Files(FilesConfig(path=folder)))

    def spent() -> list[tuple[str, Decimal, int]]:
        asked = Asked(kinds=frozenset({"transaction"}), key="amount")
        with database.begin() as conn:
            ids = list(conn.scalars(sa.text("SELECT id FROM acls")))
            for one in records.find(conn, ids, asked):
                assert one.chunk_id is not None
            return [(t.unit, t.total, t.n_records) for t in records.totals(conn, ids, asked)]

    run()
    assert spent() == [("EUR", Decimal("-40.00"), 2)]
    (folder / "a.sta").write_text(STATEMENT.replace("D9,50", "D10,00"))
    run()
    assert spent() == [("EUR", Decimal("-40.50"), 2)]
    (folder / "b.txt").write_text("Something else stays.")
    (folder / "a.sta").unlink()
    run()
    assert spent() == []
