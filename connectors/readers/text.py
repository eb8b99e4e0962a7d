"""Bytes to clean text: encodings, invisible characters, white space."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

# Control and format characters, bidi overrides, tag characters, variation selectors (they smuggle
# bytes), fillers, lone surrogates and noncharacters. Tab and line feed survive.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_AROUND_LINES = re.compile(r" ?\n ?")
_BULLETS = {"\uf0b7": "•", "\uf0a7": "•", "\uf0d8": "•", "\uf0fc": "✓", "\uf02d": "-"}
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st"}
_MAPPED = str.maketrans(_BULLETS) | _LIGATURES
_PRIVATE = re.compile("[\ue000-\uf8ff]")


def visible(text: str) -> str:
    """Drop what no person sees (bidi, zero-width, NUL, tag characters); compose to NFC."""
    text = _LINE_ENDS.sub("\n", text)
    if text.isascii():
        return _CONTROL.sub("", text)
    text = _surrogates_joined(text).translate(_MAPPED)
    return unicodedata.normalize("NFC", _PRIVATE.sub("", _INVISIBLE.sub("", text)))


def clean(text: str) -> str:
    """One line of visible text: every run of white space becomes one space."""
    return " ".join(visible(text).split())


def clean_lines(text: str) -> str:
    """Visible text that keeps its line breaks, without trailing blanks or empty ends."""
    return _AROUND_LINES.sub("\n", _SPACES.sub(" ", visible(text))).strip()


def _surrogates_joined(text: str) -> str:
    if not re.search("[\ud800-\udfff]", text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of unknown encoding: BOM, then UTF-16/32 by its zeros, UTF-8, `declared`, cp1252."""
    encoding = _by_bom(data) or _by_zeros(data[:4096])
    if encoding:
        return data.decode(encoding, "replace")
    for candidate in ("utf-8", declared, "cp1252"):
        try:
            if candidate:
                return data.decode(candidate)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("latin-1")


def _by_bom(data: bytes) -> str | None:
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "utf-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else None


def _by_zeros(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a BOM: mostly Latin text has zeros at every second or fourth."""
    if len(head) < 4 or head.count(0) * 4 < len(head):
        return None
    lanes = [head[i::4].count(0) / max(1, len(head[i::4])) for i in range(4)]
    high = [lane > 0.7 for lane in lanes]
    patterns = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return patterns.get((high[0], high[1], high[2], high[3]))


def readable_stem(name: str) -> str:
    """A file name as a title: `return_policy-2024.pdf` → `return policy 2024`."""
    stem = PurePath(name).stem
    return clean(re.sub(r"[_\-]+", " ", stem)) or clean(name)


_POOR_TITLE = re.compile(
    r"^(untitled.*|document\d*|microsoft (word|excel|powerpoint).*|(powerpoint )?presentation\d*"
    r"|slide \d+|title|\(anonymous\)|sem t[íi]tulo.*|documento\d*|[^/]+\.[a-z]{2,4}x?)$",
    re.IGNORECASE,
)


def best_title(declared: str | None, first_heading: str | None, name: str) -> str:
    """The declared title if a person wrote it, else the first heading, else the file name."""
    title = clean(declared or "")
    n_letters = sum(ch.isalpha() for ch in title)
    if n_letters >= 3 and len(title) <= 200 and not _POOR_TITLE.match(title):
        return title
    heading = clean(first_heading or "")
    return heading if 2 <= len(heading) <= 200 else readable_stem(name)


def language(declared: str | None) -> str | None:
    """A BCP 47 tag as its two-letter language: `pt-BR` → `pt`."""
    match = re.match(r"^\s*([A-Za-z]{2})(?:[-_].*)?\s*$", declared or "")
    return match.group(1).lower() if match else None
