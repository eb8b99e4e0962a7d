"""What was clicked, done at the start of the next run, before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Wishing:
    """What a tab has open on a page; what was clicked there waits in `wish`."""

    wish: Callable[[], object] | None = field(default=None, kw_only=True)

    def settle(self) -> None:
        """Do what was clicked since the last run; raises `ApiError`."""
        wish, self.wish = self.wish, None
        if wish is not None:
            wish()

    def wishing(self, wish: Callable[[], object]) -> Callable[[], None]:
        """Return what a click does: the wish, in the next run."""

        def clicked() -> None:
            self.wish = wish

        return clicked
