"""Text that does nothing, whatever shows it: no image, no link, no HTML, nothing invisible.

Generated sentences and titles pass here before they leave, so that a client may render them as
Markdown or HTML and no program makes a link of an address. Quotes of documents stay as they are,
for clients to show letter by letter.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs"})
# Letters and marks that show nothing.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_SCHEME = re.compile(r":(?=//)")
_WWW = re.compile(r"\bwww\.(?=\w)", re.IGNORECASE)
_SCRIPT = re.compile(r"\b(javascript|vbscript)\s*:|\b(data)\s*:(?=\s*[\w.+-]+/)", re.IGNORECASE)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(\[:])")
_IMAGE = re.compile(r"!(?=\[)")
_ACTIVE_URI = re.compile(r"[\s\x00-\x20]*(?:javascript|vbscript|data|blob)\s*:", re.IGNORECASE)


def visible(text: str) -> str:
    """Return the text without characters that nobody sees; lines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_ENDS.sub("\n", text)
    return "".join(c for c in text if c in "\n\t" or not _is_hidden(c))


def inert(text: str) -> str:
    """Return the text with Markdown's links and images, HTML's tags and addresses defused."""
    text = _TAG.sub("< ", visible(text))
    text = _IMAGE.sub("! ", _LINK.sub("] ", text))
    text = _WWW.sub(lambda match: match[0][:-1] + "[.]", _SCHEME.sub("[:]", text))
    return _SCRIPT.sub(lambda match: f"{match[1] or match[2]}[:]", text)


def inert_uri(uri: str) -> str:
    """Return an address, empty if opening it would run something."""
    return "" if _ACTIVE_URI.match(uri) else visible(uri)


def _is_hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in _HIDDEN
        or character in _BLANK
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )
