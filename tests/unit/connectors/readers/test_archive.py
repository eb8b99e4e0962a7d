from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from connectors.readers import Limits, ReadError
from connectors.readers.archive import open_checked


def write(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def refused(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(ReadError) as caught:
        open_checked(path, limits or Limits())
    return caught.value.cause


def test_honest_archives_pass(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"word/document.xml": b"<?xml version='1.0'?><a/>", "b": b"x"})
    archive, warnings = open_checked(path, Limits())
    with archive:
        assert archive.read("b") == b"x"
    assert warnings == []


def test_bombs_by_ratio_and_by_size(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"x": bytes(20_000_000)})
    assert refused(path) == "bomb"
    assert refused(path, Limits(inflated_bytes=1_000_000, ratio=10**9)) == "bomb"
    small = write(tmp_path / "b", {"x": bytes(1_000_000)})
    open_checked(small, Limits())[0].close()


def test_declared_sizes_are_not_believed(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"x": bytes(20_000_000)})
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<I", 20_000_000), struct.pack("<I", 1000)))
    assert refused(path) == "bomb"


def test_overlapping_entries_are_counted_each_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"x": bytes(500_000)})
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    central, n = data[start:end], 60
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, n, n, len(central) * n, start, 0)
    path.write_bytes(data[:start] + central * n + tail)
    assert refused(path) == "bomb"


def test_too_many_entries(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {str(i): b"" for i in range(30)})
    assert refused(path, Limits(entries=20)) == "bomb"


def nested(levels: int) -> bytes:
    data = b"core"
    for _ in range(levels):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("x.bin", data)
        data = inner.getvalue()
    return data


def test_nesting_ends_at_two(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(nested(2))
    open_checked(path, Limits())[0].close()
    path.write_bytes(nested(3))
    assert refused(path) == "bomb"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_parts_with_entities(tmp_path: Path, encoding: str) -> None:
    text = '<?xml version="1.0"?>\n<!DOCTYPE w [<!ENTITY a "b">]><w>&a;</w>'
    for name in ("word/document.xml", "custom/odd.dat"):
        assert refused(write(tmp_path / "a", {name: text.encode(encoding)})) == "unsafe_xml"


def test_a_dtd_across_pieces_is_found(tmp_path: Path) -> None:
    for shift in range(12):
        data = b"<?xml version='1.0'?>" + b" " * (256 * 1024 - 27 + shift) + b"<!DOCTYPE x>"
        assert refused(write(tmp_path / "a", {"a.xml": data})) == "unsafe_xml"


def test_paths_outside_are_only_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"../../evil": b"x", "/etc/evil": b"x"})
    archive, warnings = open_checked(path, Limits())
    archive.close()
    assert len(warnings) == 2
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a"]


def test_damage(tmp_path: Path) -> None:
    whole = write(tmp_path / "a", {"x": b"words " * 1000}).read_bytes()
    for data in (whole[:60], whole[:40] + b"\xff" * 20 + whole[60:], b"PK\x03\x04 not a zip"):
        path = tmp_path / "b"
        path.write_bytes(data)
        assert refused(path) == "corrupt"
