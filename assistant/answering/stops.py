"""When a generator that doesn't stop is stopped: after so much text, or once it repeats itself.

How long it may take is the generator's own deadline.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing

from assistant.ports import Token

MOST_CHARACTERS = 20_000
"""Several times what the longest answer needs, whatever limit the model's server has."""

_LOOKED_AT = 2_400
_LOOK_EVERY = 200
_LOOP = re.compile(r"(.{1,80}?)\1{23,}\Z", re.DOTALL)


async def stopped(tokens: AsyncIterator[Token]) -> AsyncIterator[Token]:
    """Pass tokens on, until there are too many or the text goes round in circles.

    Closing this closes the generator's stream.
    """
    tail, n_characters, looked_at = "", 0, 0
    async with aclosing(tokens) as open_tokens:  # type: ignore[type-var]
        async for token in open_tokens:
            n_characters += len(token.text)
            if n_characters > MOST_CHARACTERS:
                return
            yield token
            tail = (tail + token.text)[-_LOOKED_AT:]
            if n_characters - looked_at >= _LOOK_EVERY:
                looked_at = n_characters
                if _LOOP.search(tail):
                    return
