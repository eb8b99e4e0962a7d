"""The committed description of the API: `python -m tests.support.openapi` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path

from assistant.api.app import description

FILE = Path(__file__).parents[2] / "docs/reference/openapi.json"


def current() -> str:
    """Return the description as it is committed."""
    return json.dumps(description(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(current(), encoding="utf-8")
