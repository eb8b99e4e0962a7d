from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]

STEP = r"""ISO-10303-21;
HEADER;
/* made by hand */
FILE_DESCRIPTION(('Pump, version 2','for\X2\00E9\X0\ tests'),'2;1');
FILE_NAME('pump.stp','2024-03-02T10:00:00',('Ana ''A.'' Silva'),('Acme'),'pre','CAD 9','');
FILE_SCHEMA(('AP242_MANAGED_MODEL_BASED_3D_ENGINEERING'));
ENDSEC;
DATA;
#1=PRODUCT('P-101','Pump','feeds the boiler',(#2));
#2=PRODUCT_CONTEXT('',#3,'mechanical');
#4=PRODUCT('B-7','Bearing',$,(#2));
#5=CARTESIAN_POINT('',(0.,0.,0.));
ENDSEC;
END-ISO-10303-21;
"""


def test_header_and_products(read_bytes: Read) -> None:
    reading = read_bytes(STEP, "pump.stp")
    assert reading.media_type == "model/step"
    assert [block.text for block in reading.blocks if block.kind == "record"] == [
        "Model: pump.stp; description: Pump, version 2, foré tests; implementation level: 2;1; "
        "date: 2024-03-02 10:00; author: Ana 'A.' Silva; organization: Acme; preprocessor: pre; "
        "system: CAD 9; schema: AP242_MANAGED_MODEL_BASED_3D_ENGINEERING; entities: 4",
        "Product: P-101 Pump; description: feeds the boiler",
        "Product: B-7 Bearing",
    ]
    assert reading.records[1].subject == "product:P-101"
    assert "geometry" in reading.warnings[0]


def test_cut_files(read_bytes: Read) -> None:
    assert "may be cut off" in read_bytes(STEP[:-30], "a.stp").warnings[0]
    with pytest.raises(ReadError, match="no complete HEADER section"):
        read_bytes(STEP[:80], "a.stp")
