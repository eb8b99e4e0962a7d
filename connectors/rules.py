"""The rules of a remote tree whose access files have to be fetched one by one.

The tree is walked so that what lies below a folder comes in one piece; then each folder's access
file is read once, and only the rules above the place just asked for are remembered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from connectors.contract import ConnectorError, Failed, Group, RetryLater
from connectors.sidecars import (
    GROUPS_FILE,
    SIDECAR,
    Rule,
    SidecarError,
    closed,
    judged,
    parse_groups,
)

Read = Callable[[str], Awaitable[bytes | None]]
"""Reads the beginning of a file by its path from the root; None where there is no such file."""


class Rules:
    """The rule of any folder or file of a tree; `read` fetches an access file."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._above: dict[str, Rule] = {}
        self._failures: list[Failed] = []

    async def folder(self, folder: str) -> Rule:
        """Return what a folder (`""` is the root) hands down to what lies in it."""
        self._above = {above: rule for above, rule in self._above.items() if _is_in(folder, above)}
        rule = self._above.get("", Rule())
        steps = ["", *_prefixes(folder)]
        for step in steps:
            if step not in self._above:
                self._above[step] = (await self._apply(rule, _join(step, SIDECAR))).below()
            rule = self._above[step]
        return rule

    async def file(self, path: str) -> Rule:
        """Return the rule of a file."""
        rule = await self.folder(path.rpartition("/")[0])
        return await self._apply(rule, path + SIDECAR)

    def failures(self) -> list[Failed]:
        """Return, once, the access files that could not be understood since the last call."""
        found, self._failures = self._failures, []
        return found

    async def _apply(self, rule: Rule, sidecar: str) -> Rule:
        try:
            content = await self._read(sidecar)
        except RetryLater:
            raise
        except ConnectorError as error:
            rule, failed = closed(rule, sidecar, str(error))
            self._failures.append(failed)
            return rule
        if content is None:
            return rule
        rule, trouble = judged(rule, sidecar, content)
        if trouble:
            self._failures.append(trouble)
        return rule


async def read_groups(read: Read) -> list[Group]:
    """Read the groups of the tree's `.groups.toml`; raises `ConnectorError` if it is wrong."""
    content = await read(GROUPS_FILE)
    if content is None:
        return []
    try:
        return parse_groups(content)
    except SidecarError as error:
        raise ConnectorError(f"{GROUPS_FILE} is wrong: {error}. Correct the file.") from error


def _prefixes(folder: str) -> list[str]:
    parts = folder.split("/") if folder else []
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_in(folder: str, above: str) -> bool:
    return not above or folder == above or folder.startswith(above + "/")
