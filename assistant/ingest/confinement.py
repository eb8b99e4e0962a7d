"""The folders of this machine that sources from elsewhere than the command line may read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from assistant.errors import InvalidRequest
from connectors.confinement import Confinable, path_fields


@dataclass(frozen=True, slots=True)
class Confinement:
    """Admits what lies below `roots`, and never the data folder.

    A folder inside the data folder counts only if it is itself one of the roots.
    """

    roots: tuple[Path, ...]
    data_dir: Path

    def admit(self, source: str, config: BaseModel) -> None:
        """Raise `InvalidRequest` unless every path that a configuration leads to is admitted."""
        if not isinstance(config, Confinable):
            raise InvalidRequest(
                f"{source}: this connector doesn't say which paths of the server its fields lead "
                "to; add the source on the command line (`assistant connector add`)."
            )
        for path in _distinct([*path_fields(config), *config.local_paths()]):
            if not self._admits(path):
                raise InvalidRequest(
                    f"{source}: {path} is not below a folder of `connectors.local_roots`, as the "
                    "real and absolute path that a source needs here; add the source on the "
                    "command line (`assistant connector add`), or have the folder named in that "
                    "setting."
                )

    def _admits(self, path: Path) -> bool:
        """Say whether a path is its own real place, and below a root."""
        try:
            real = Path(os.path.realpath(path))
            roots = [Path(os.path.realpath(root)) for root in self.roots]
            data = Path(os.path.realpath(self.data_dir))
        except (OSError, ValueError):
            return False
        if real != path:
            return False
        inside = [root for root in roots if real.is_relative_to(root)]
        if real.is_relative_to(data):
            return any(data in root.parents for root in inside)
        return bool(inside) and not data.is_relative_to(real)


def _distinct(paths: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(paths))
