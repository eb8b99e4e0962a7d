from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.readers.text import best_title, clean, decode, language, readable_stem, visible


def test_invisible_characters_are_stripped() -> None:
    hidden = "to\u200btal \u202e001\u202c\x00 BRL\U000e0041\ufeff\u00ad\ufe0f!"
    assert clean(hidden) == "total 001 BRL!"


@given(st.text(st.characters(codec=None)))
def test_clean_text_can_be_encoded_and_is_stable(text: str) -> None:
    once = clean(text)
    assert once.encode("utf-8").decode("utf-8") == once
    assert clean(once) == once
    assert not any(ch in once for ch in "\x00\u202e\u200b\ufeff\n\t")


def test_surrogate_pairs_become_characters() -> None:
    assert visible("\ud83d\ude00") == "😀"


def test_ligatures_and_composition() -> None:
    assert clean("ﬁnan\u0063\u0327a\u0303o") == "finança\u0303o".replace("a\u0303", "ã")


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-32-le"],
)
def test_encodings_are_found(encoding: str) -> None:
    text = "Política de devolução: 30 dias após a compra.\nSegunda linha.\n"
    assert decode(text.encode(encoding)).lstrip("\ufeff") == text


def test_titles() -> None:
    assert best_title("Microsoft Word - x.docx", "Return policy", "a_b.docx") == "Return policy"
    assert best_title("Annual report 2024", "x", "a.pdf") == "Annual report 2024"
    assert best_title("Untitled", None, "return_policy-2024.pdf") == "return policy 2024"
    assert best_title("0000320193-22-000070", None, "q3.pdf") == "q3"


def test_languages() -> None:
    assert language("pt-BR") == "pt"
    assert language("EN") == "en"
    assert language("english") is None
    assert language(None) is None


def test_readable_stem() -> None:
    assert readable_stem("política_de-troca.html") == "política de troca"
