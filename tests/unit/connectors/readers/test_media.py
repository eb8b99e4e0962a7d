from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from connectors.readers import media as m
from connectors.readers import sniff

MAIL = "From: a@example.com\nTo: b@example.com\nSubject: x\nDate: Mon, 1 Jan 2024\n\nhello"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", b"%PDF-1.7\n...", m.PDF),
        ("a.pdf", b"just words, no PDF at all", m.PLAIN),
        ("a.bin", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("a.txt", b"MZ is the code for Mozambique's currency, in short", m.PLAIN),
        ("a", b"", m.EMPTY),
        ("a.eml", b"  \r\n\n ", m.EMPTY),
        ("a.csv", b"a;b\n1;2\n", m.CSV),
        ("a", b"a;b\n1;2\n3;4\n5;6\n", m.CSV),
        ("a.md", b"plain words", m.MARKDOWN),
        ("a", b"# Title\n\nwords", m.MARKDOWN),
        ("a.json", b'{"a": 1', m.JSON),
        ("a", b'[{"a": 1}]', m.JSON),
        ("a.txt", b'{"a": 1', m.PLAIN),
        ("a", b"<!DOCTYPE html><html></html>", m.HTML),
        ("a.txt", b"<html><body>x</body></html>", m.HTML),
        ("a.html", b"plain words", m.HTML),
        ("a", b'<?xml version="1.0"?><r/>', m.XML),
        ("a.xml", b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "b">]><svg/>', m.SVG),
        ("a", MAIL.encode(), m.EMAIL),
        ("a.eml", b"no headers here", m.EMAIL),
        ("a.eml", MAIL.encode("utf-16"), m.EMAIL),
        ("a", bytes(range(256)) * 40, m.BINARY),
    ],
)
def test_content_decides(tmp_path: Path, name: str, data: bytes, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert sniff(path) == expected


def test_declared_type_breaks_ties_between_texts_only(tmp_path: Path) -> None:
    path = tmp_path / "download"
    path.write_bytes(b"a b c")
    assert sniff(path, hint="text/markdown; charset=utf-8") == m.MARKDOWN
    path.write_bytes(b"%PDF-1.7")
    assert sniff(path, hint="text/markdown") == m.PDF


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("word/document.xml", m.DOCX),
        ("xl/workbook.xml", m.XLSX),
        ("ppt/presentation.xml", m.PPTX),
        ("readme.txt", "application/zip"),
    ],
)
def test_archives_by_their_parts(tmp_path: Path, part: str, expected: str) -> None:
    path = tmp_path / "file.pdf"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "x")
    assert sniff(path) == expected


def test_an_embedded_workbook_does_not_decide(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.xlsx", tmp_path / "outer.pptx"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("xl/workbook.xml", "x")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("ppt/presentation.xml", "x")
        archive.write(inner, "ppt/embeddings/inner.xlsx")
    assert sniff(outer) == m.PPTX


def test_open_document_by_its_first_entry(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<x/>")
    assert sniff(path) == m.ODS
