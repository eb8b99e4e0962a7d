"""The same files as other programs write them, and cut off: read alike, or said to be broken."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from connectors.readers import ReadError, Reading, sniff
from connectors.readers.child import read
from connectors.readers.source import Source

FILES = (
    "finance/camt/camt053.v4.xml",
    "finance/mt940/cmxl_mt940.sta",
    "finance/ofx/stmtrs.ofx",
    "healthcare/ccda/Operative_Note.ccda",
    "healthcare/fhir_r4_examples/Observation-blood-pressure.json",
    "healthcare/hl7v2/OUL-R22-01.hl7",
    "manufacturing/mtconnect/NoNamespace.xml",
    "retail/gs1_epcis/ObjectEvent.xml",
    "retail/nfe_brazil/NFe35200159594315000157550010000000012062777161.xml",
    "retail/ubl_invoice/vat-category-Z.xml",
)
_DECLARED = re.compile(r"(<\?xml[^>]*?)\s+encoding=[\"'][^\"']*[\"']")


def said(data: bytes, path: Path) -> Reading:
    path.write_bytes(data)
    return read(Source(path, sniff(path), path.name))


def told(data: bytes, path: Path) -> str:
    """What is said about a file: why it was refused, or its warnings."""
    try:
        return " ".join(said(data, path).warnings)
    except ReadError as refused:
        return str(refused)


def summary(reading: Reading) -> tuple[str, Counter[str], list[str]]:
    texts = [block.text for block in reading.blocks]
    return reading.media_type, Counter(record.kind for record in reading.records), texts


def written(text: str, how: str) -> bytes:
    """A text in another encoding, with the declaration of XML to match, or with other lines."""
    bare = _DECLARED.sub(r"\1", text, count=1)
    match how:
        case "UTF-8 with a mark":
            return b"\xef\xbb\xbf" + bare.encode()
        case "UTF-16":
            return bare.encode("utf-16")
        case "UTF-16 without a mark":
            return bare.encode("utf-16-le")
        case "empty lines around":
            return f"\n\n{bare}\n\n".encode()
        case _:
            ends = {"lines of Windows": "\r\n", "lines of Unix": "\n", "lines of a Mac": "\r"}
            return re.sub("\r\n|\r|\n", ends[how], bare).encode()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "how",
    [
        "UTF-8 with a mark",
        "UTF-16",
        "UTF-16 without a mark",
        "empty lines around",
        "lines of Windows",
        "lines of Unix",
        "lines of a Mac",
    ],
)
def test_read_alike(shared_data: Path, tmp_path: Path, name: str, how: str) -> None:
    whole = (shared_data / "raw" / name).read_bytes()
    path = tmp_path / Path(name).name
    expected = summary(said(whole, path))
    assert summary(said(written(whole.decode("utf-8-sig"), how), path)) == expected


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(".ofx")])
def test_a_part_is_refused_with_its_place_or_named_as_one(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    """What is cut inside must not pass for the whole; a message of HL7 is cut in its header."""
    whole = (shared_data / "raw" / name).read_bytes()
    chance = random.Random(name)
    path = tmp_path / Path(name).name
    for _ in range(6):
        end = chance.randrange(len(whole) // 3, len(whole) - 20)
        if name.endswith(".hl7"):
            end = chance.randrange(60, 120)
        assert re.search(r"\b[Ll]ine \d+", told(whole[:end], path)), whole[end - 60 : end]


def test_versions_and_envelopes_of_one_format(shared_data: Path, tmp_path: Path) -> None:
    text = (shared_data / "raw/finance/camt/camt053.v4.xml").read_text("utf-8")
    expected = summary(said(text.encode(), tmp_path / "a.xml"))
    bare = text[text.index("<Document") :]
    prefixed = re.sub(r"<(/?)(?![?!])", r"<\1n:", bare).replace("xmlns=", "xmlns:n=")
    for variant in (
        text.replace("camt.053.001.04", "camt.053.001.13"),
        prefixed,
        re.sub(r'\sxmlns="[^"]*"', "", bare),
        f'<e xmlns="urn:x:envelope"><AppHdr><BizMsgIdr>1</BizMsgIdr></AppHdr>{bare}</e>',
    ):
        assert summary(said(variant.encode(), tmp_path / "b.xml")) == expected
