from __future__ import annotations

from collections.abc import Callable

from connectors.readers import Reading

Read = Callable[..., Reading]

PAGE = """---
title: Returns handbook
lang: pt-BR
---
# Returns

Within **30 days** of
purchase.

## Steps

1. Print the label
2. Post it
   - insured
   - tracked

| item | fee |
| --- | --- |
| shirt | 5 |

```sql
select 1
```

<p style="display:none">secret</p><!-- note -->
<p>Seen</p>
"""


def test_blocks_of_a_page(read_bytes: Read) -> None:
    reading = read_bytes(PAGE, "a.md")
    assert (reading.title, reading.lang) == ("Returns handbook", "pt")
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Returns"),
        ("paragraph", "Within 30 days of purchase."),
        ("heading", "Steps"),
        ("list", "1. Print the label\n2. Post it\n- insured\n- tracked"),
        ("table", "shirt — fee: 5"),
        ("code", "select 1"),
        ("paragraph", "Seen"),
    ]
    assert reading.blocks[3].heading == ("Returns", "Steps")
    assert len(reading.warnings) == 2


def test_links_and_images_leave_their_text(read_bytes: Read) -> None:
    reading = read_bytes(
        "See [the policy](https://example.com/x) ![chart](http://x/y.png).", "a.md"
    )
    assert reading.blocks[0].text == "See the policy chart."
