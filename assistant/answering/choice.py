"""Questions that offer a choice, `A or B?`, and which of the two a text chooses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.text.sentences import sentences
from assistant.text.words import content_words, is_function_word, negated, stem, words

_TOKEN = re.compile(r"[\w'’.&-]+[,?]?")
_LINKS = frozenset({"of", "the", "de", "da", "do", "v.", "vs.", "and", "e", "&"})

Values = frozenset[str]


def offered(question: str) -> tuple[Values, ...]:
    """Return the stems that tell the two options apart, those of each; () where there is none.

    Options are names, or words that share a part, such as `left-hand or right-hand`.
    """
    tokens = _TOKEN.findall(question)
    at = next((i for i, t in enumerate(tokens) if t in ("or", "ou") and 0 < i < len(tokens) - 1), 0)
    if not at:
        return ()
    after = at + 1
    while after < len(tokens) - 1 and is_function_word(tokens[after]):
        after += 1
    left, right = _option(tokens[:at][::-1]), _option(tokens[after:])
    named = tokens[at - 1][0].isupper() and tokens[after][0].isupper()
    if not named and left.isdisjoint(right):
        return ()
    only_left, only_right = left - right, right - left
    return (only_left, only_right) if only_left and only_right else ()


def _option(tokens: Sequence[str]) -> Values:
    """Return the first word with the capitalised words that follow it without a comma."""
    taken = [tokens[0]]
    for token in tokens[1:]:
        named = taken[0][0].isupper() and (token[0].isupper() or token in _LINKS)
        if not named or taken[-1][-1] in "?," or token[-1] == ",":
            break
        taken.append(token)
    return frozenset(content_words(" ".join(taken)))


def chosen(text: str, options: Sequence[Values], predicate: Values) -> str:
    """Return the place of the option that a text chooses, as `0` or `1`; empty if it isn't plain.

    It is the only one that the text names, the other than one that it denies, or the one named
    nearest before what is asked of them (`predicate`); failing that, what its last sentence about
    either is about.
    """
    denied = negated(text)
    named = frozenset(content_words(text)) - denied
    present = [i for i, option in enumerate(options) if option & named]
    if len(present) == 1:
        return str(present[0])
    refused = [i for i, option in enumerate(options) if option <= denied]
    if not present:
        return str(1 - refused[0]) if len(refused) == 1 else ""
    sought = predicate - options[0] - options[1]
    spoken = [text[start:end] for start, end in sentences(text)]
    votes = [vote for one in spoken if (vote := _voted(one, options, sought)) is not None]
    most = max((n for n, _ in votes), default=0)
    places = [place for n, place in votes if n == most]
    if not votes:
        places = [place for one in spoken if (place := _subject(one, options)) is not None][-1:]
    return str(places[0]) if len(set(places)) == 1 else ""


def _voted(sentence: str, options: Sequence[Values], sought: Values) -> tuple[int, int] | None:
    """Return how many of the words that are asked for stand there, and the option before them."""
    denied = negated(sentence)
    last = found = None
    for word in words(sentence):
        key = stem(word)
        if (place := _place(key, options)) is not None:
            last = place
        elif key in sought and last is not None and found is None:
            found = 1 - last if key in denied else last
    n = len(sought & set(content_words(sentence)))
    return None if found is None else (n, found)


def _subject(sentence: str, options: Sequence[Values]) -> int | None:
    """Return the option that a sentence names first."""
    places = (_place(stem(word), options) for word in words(sentence))
    return next((place for place in places if place is not None), None)


def _place(key: str, options: Sequence[Values]) -> int | None:
    return next((i for i, option in enumerate(options) if key in option), None)
