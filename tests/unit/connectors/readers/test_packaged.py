"""Packages may claim formats of their own, and only those."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from connectors.readers import ReadError, packaged, sniff
from connectors.readers import media as m
from connectors.readers.child import read
from connectors.readers.source import Source

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello, everybody.\n"
TRACE = b"ACTR\x00\x01\x02" + bytes(range(32)) * 40

Claim = Callable[..., packaged.Packaged]


def entries(*names: str, value: str = "acme_formats:read") -> list[EntryPoint]:
    return [EntryPoint(name, value, packaged.GROUP) for name in names]


@pytest.fixture
def claim(monkeypatch: pytest.MonkeyPatch) -> Claim:
    """Say what the installed packages claim."""

    def claiming(*names: str) -> packaged.Packaged:
        found = packaged.gathered(entries(*names))
        monkeypatch.setattr(m, "installed", lambda: found)
        monkeypatch.setattr(packaged, "installed", lambda: found)
        return found

    return claiming


def sniffed(folder: Path, name: str, data: bytes, hint: str | None = None) -> str:
    path = folder / "body"
    path.write_bytes(data)
    return sniff(path, hint=hint, name=name)


@pytest.mark.parametrize(
    ("claims", "name", "data"),
    [
        ("x/y .srt", "a.SRT", SRT),
        ("x/y .box", "a.box", b"PK\x05\x06" + bytes(18)),
        ("x/y <recipe>", "a.xml", b"<?xml version='1.0'?><!-- x --><recipe/>"),
        ("x/y <recipe>", "a.xml", b"<?xml version='1.0'?><r:recipe xmlns:r='urn:a'/>"),
        ("x/y <{urn:a}recipe>", "a", b'<?xml version="1.0"?><recipe a="1" xmlns="urn:a">'),
        ("x/y 0x41435452", "a.bin", TRACE),
        ("x/y 0x736f6c6964", "a.stl", b"solid cube\nfacet\n"),
        ("x/y .one .two", "a.two", b"words"),
    ],
)
def test_a_claim_counts(claim: Claim, tmp_path: Path, claims: str, name: str, data: bytes) -> None:
    unclaimed = sniffed(tmp_path, name, data)
    assert claim(claims).problems == ()
    assert sniffed(tmp_path, name, data) == "x/y" != unclaimed


def test_a_declared_type_counts_for_text_of_any_name(claim: Claim, tmp_path: Path) -> None:
    claim("x/y .srt")
    assert sniffed(tmp_path, "download", SRT, "x/y; charset=utf-8") == "x/y"
    assert sniffed(tmp_path, "download", b"%PDF-1.7", "x/y") == m.PDF


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.srt", b"%PDF-1.7"),
        ("a.srt", b"MZ\x90\x00" + bytes(60)),
        ("a.srt", b"\x7fELF" + bytes(60)),
        ("a.srt", b"<!DOCTYPE html><html></html>"),
        ("a.srt", b"From: a@x.com\nDate: Mon, 1 Jan 2024\n\nhello"),
        ("a.srt", TRACE[:3] + TRACE[4:]),
        ("a.csv", b"a;b\n1;2\n"),
        ("a.xml", b"<?xml version='1.0'?><other><recipe/></other>"),
        ("a.xml", b"<?xml version='1.0'?><recipe xmlns='urn:other'/>"),
        ("a.xml", b"<?xml version='1.0'?><svg/>"),
        ("a", b""),
    ],
)
def test_what_is_something_else_is_not_given_away(
    claim: Claim, tmp_path: Path, name: str, data: bytes
) -> None:
    unclaimed = sniffed(tmp_path, name, data)
    starts = " ".join(f"0x{start.hex()}" for start in (b"%PDF", b"MZ\x90\x00", b"\x7fELF", b"<!DO"))
    claim(f"x/y .srt .csv .pdf <{{urn:a}}recipe> <svg> {starts}")
    assert sniffed(tmp_path, name, data) == unclaimed


def test_what_two_claim_is_nobodys() -> None:
    twice = [*entries("x/y .a"), *entries("x/y", value="other:read"), *entries("x/z .b", "x/q .b")]
    found = packaged.gathered(twice)
    assert set(found.entries) == {"x/z", "x/q"}
    assert found.suffixes == {}
    assert "Several packages read x/y: acme_formats, other." in found.problems[0]
    assert "Several media types claim .b: x/q, x/z." in found.problems[1]


@pytest.mark.parametrize("name", ["subtitles", "x/y srt", "x/y 0x4142", "x/y <a b>", "X Y/Z .a"])
def test_an_entry_point_that_says_something_else_is_told(name: str) -> None:
    found = packaged.gathered(entries(name))
    assert not found.entries
    assert found.problems[0].startswith(f"The reader '{name}' of acme_formats doesn't count")


def test_a_reader_here_wins_over_a_packages(claim: Claim, tmp_path: Path) -> None:
    claim("text/plain", "x/y .srt")
    path = tmp_path / "a.txt"
    path.write_text("Just words.")
    assert read(Source(path, m.PLAIN, "a.txt")).blocks[0].text == "Just words."
    with pytest.raises(ReadError, match=r"of acme_formats can't be loaded \(No module named"):
        read(Source(path, "x/y", "a.srt"))
