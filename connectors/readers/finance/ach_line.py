"""A record of an ACH file, cut at the positions that the Nacha rules count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from connectors.readers.errors import ReadError
from connectors.readers.text import clean


@dataclass(frozen=True, slots=True)
class Line:
    """A record of the file with its line number."""

    number: int
    text: str

    def cut(self, start: int, end: int) -> str:
        """Return the characters from a position to another, counted from 1 as in the rules."""
        return clean(self.text[start - 1 : end])

    def whole(self, start: int, end: int, what: str) -> int:
        """Return a number of digits; raises `ReadError` if it isn't one."""
        text = self.text[start - 1 : end].strip()
        if not text.isascii() or not text.isdigit():
            self.refuse(f"{what} at positions {start}–{end} is {text!r}, not a number")
        return int(text)

    def refuse(self, problem: str) -> NoReturn:
        """Raise a `ReadError` that names this line."""
        raise ReadError("corrupt", f"Line {self.number} of the ACH file: {problem}.")
