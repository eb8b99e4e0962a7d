from __future__ import annotations

from connectors.readers.frames import find_frames
from connectors.readers.marks import Mark


def test_touching_bars_of_one_width_are_rows() -> None:
    bars = [Mark(50, 100 + 20 * i, 550, 120 + 20 * i) for i in range(4)]
    rule = Mark(50, 179.5, 550, 180.5)
    other = [Mark(60, 300, 160, 330), Mark(200, 300, 300, 330)]  # two boxes of a drawing
    (frame,) = find_frames([*bars, rule, *other])
    assert frame.bands == ((100, 120), (120, 140), (140, 160), (160, 180))
    assert (frame.x0, frame.x1, frame.rules) == (50, 550, ())


def test_cells_filled_one_by_one_are_rows() -> None:
    cells = [Mark(x, 100 + 20 * i, x + 100, 120 + 20 * i) for i in range(3) for x in (50, 150, 250)]
    (frame,) = find_frames(cells)
    assert (frame.x0, frame.x1, len(frame.bands)) == (50, 350, 3)


def test_stripes_apart_and_lone_boxes_are_no_rows() -> None:
    assert find_frames([Mark(50, 100, 550, 120), Mark(50, 140, 550, 160)]) == []
    assert find_frames([Mark(50, 100, 550, 400)]) == []


def test_rules_drawn_cell_by_cell_make_a_grid() -> None:
    level = [
        Mark(x, y, x + 100, y + 0.5) for y in (100, 120, 140, 180) for x in (50.0, 150.0, 250.0)
    ]
    upright = [
        Mark(x, y0, x + 0.5, y1)
        for x in (50, 150, 250, 350)
        for y0, y1 in ((100, 120), (120, 140), (140, 180))
        if (x, y0) != (150, 100)  # the first two cells of the first row are merged
    ]
    (frame,) = find_frames([*level, *upright])
    assert [round(a) for a, _ in frame.bands] == [100, 120, 140]
    assert [round(x) for x in frame.edges(frame.bands[0])] == [50, 250, 350]
    assert [round(x) for x in frame.edges(frame.bands[1])] == [50, 150, 250, 350]


def test_a_cell_over_two_rows_does_not_join_them() -> None:
    level = [Mark(50, y, 350, y + 0.5) for y in (100, 140)] + [Mark(150, 120, 350, 120.5)]
    upright = [Mark(x, 100, x + 0.5, 140) for x in (50, 150, 350)]
    (frame,) = find_frames([*level, *upright])
    assert len(frame.bands) == 2


def test_level_rules_alone_are_no_grid() -> None:
    assert find_frames([Mark(50, y, 550, y + 0.5) for y in (100, 120, 140, 160)]) == []
