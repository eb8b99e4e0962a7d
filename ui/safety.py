"""Text of documents and models on its way into a page.

Nothing of it is ever interpreted as HTML, as a link or as an image. A generated sentence may be
emphasised; a document's text is shown as it is. Invisible characters go, and bare addresses are
written so that no program makes a link of them.
"""

from __future__ import annotations

import html
import re
import unicodedata

import nh3
from markdown_it import MarkdownIt

_TAGS = {"strong", "em", "code", "br"}
_RULES = ["image", "link", "autolink", "html_inline"]
_markdown = MarkdownIt("commonmark", {"html": False}).disable(_RULES)

_ADDRESS = re.compile(r"://|\bwww\.", re.IGNORECASE)
_WWW = re.compile(r"\bwww\.", re.IGNORECASE)
_SCRIPTED = re.compile(r"\b(javascript|vbscript|data)\s*:", re.IGNORECASE)
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~&@/^=\"'])")

# Letters and marks that show nothing, beside those of the categories Cc, Cf, Co, Cn and Cs.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs"})


def clean(text: str) -> str:
    """Return the text without characters that nobody sees; lines end with a newline."""
    return "".join(c for c in _LINE_ENDS.sub("\n", text) if c in "\n\t" or not _is_hidden(c))


def defanged(text: str) -> str:
    """Return the text with addresses that can't be taken for links: `https[:]//…`, `www[.]…`."""
    text = text.replace("://", "[:]//")
    text = _WWW.sub(lambda match: match[0][:-1] + "[.]", text)
    return _SCRIPTED.sub(r"\1[:]", text)


def plain(text: str) -> str:
    """Return a document's text as HTML that shows it letter by letter."""
    return html.escape(defanged(clean(text)))


def emphasised(text: str) -> str:
    """Return a generated sentence as HTML; of Markdown only emphasis and code have an effect."""
    rendered = _markdown.renderInline(defanged(clean(text)))
    return nh3.clean(rendered, tags=_TAGS, attributes={}, link_rel=None)


def marked(text: str, start: int, end: int) -> str:
    """Return a document's text as HTML with the characters `start:end` highlighted."""
    for address in _ADDRESS.finditer(text):
        # An address that is cut in two would not be recognised in either half.
        start = address.start() if address.start() < start < address.end() else start
        end = address.end() if address.start() < end < address.end() else end
    before, quote, after = text[:start], text[start:end], text[end:]
    return f"{plain(before)}<mark>{plain(quote)}</mark>{plain(after)}"


def label(text: str) -> str:
    """Return text for a widget's label, whose Markdown has no effect."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(defanged(clean(text)).split()))


def _is_hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in _HIDDEN
        or character in _BLANK
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )
