from __future__ import annotations

from benchmarks.growth import measured


def test_an_index_is_measured_from_its_first_chunk_to_its_restart() -> None:
    figures = measured(1000, 3)
    assert figures["chunks"] == 1000
    assert len(figures) > 10
    assert all(value >= 0 for name, value in figures.items() if "memory" not in name)
