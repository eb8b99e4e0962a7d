"""Which files of a place are documents: not the clutter, and what the admin chose by pattern."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

_CLUTTER = ("*.tmp", "*.temp", "*.swp", "*.part", "*.partial", "*.crdownload", "*~", "~$*")
_CLUTTER_NAMES = frozenset(
    {"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "system volume information"}
)


def is_clutter(name: str) -> bool:
    """Say whether a file or folder of this name is hidden, temporary or left by a desktop."""
    lowered = name.lower()
    return (
        name.startswith(".")
        or lowered in _CLUTTER_NAMES
        or any(fnmatchcase(lowered, glob) for glob in _CLUTTER)
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """The admin's patterns: `include` (empty takes all) less `exclude`; `*` also matches `/`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, path: str) -> bool:
        """Say whether a file's path from the root is chosen."""
        if self.include and not any(fnmatchcase(path, glob) for glob in self.include):
            return False
        return not any(fnmatchcase(path, glob) for glob in self.exclude)

    def prunes(self, folder: str) -> bool:
        """Say whether nothing below a folder can be chosen, so that it need not be listed."""
        return any(glob.endswith("*") and fnmatchcase(folder + "/", glob) for glob in self.exclude)
