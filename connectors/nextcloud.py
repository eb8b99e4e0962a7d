"""Who may read the files of a Nextcloud account: its owner and whom it shares them with.

From the documented OCS Share API and user provisioning API. Shares with a user or a group grant
reading to a file or to all below a folder, and add up. Public links, mails, federated servers,
circles and rooms are no people the assistant knows: they grant nothing. Nor do team folders and
rules of access-control apps, which these interfaces don't show: unknown means nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from connectors.contract import Access, ConnectorError, Group
from connectors.session import Denied, Missing, Session

FILES = "/remote.php/dav/files/"
MAX_ANSWER_BYTES = 67_108_864

_USER, _GROUP, _READ = 0, 1, 1


@dataclass(frozen=True, slots=True)
class Shares:
    """Principals by the path of what is shared with them, from the configured folder on.

    `above` may read all of it.
    """

    owner: str
    above: frozenset[str]
    by_path: Mapping[str, frozenset[str]]

    def access(self, path: str, owner: str) -> Access:
        """Return who may read a file; `owner` is empty where the server names none."""
        allow = {*self.above, f"user:{owner or self.owner}"}
        parts = path.split("/")
        for n in range(len(parts)):
            allow |= self.by_path.get("/".join(parts[: n + 1]), frozenset())
        return Access(allow=frozenset(allow))

    @property
    def sha256(self) -> str:
        """Return a hash that changes with any share."""
        rows = sorted((path, sorted(who)) for path, who in self.by_path.items())
        return hashlib.sha256(json.dumps([sorted(self.above), rows]).encode()).hexdigest()

    @property
    def groups(self) -> list[str]:
        """Return the ids of the groups that anything is shared with."""
        everybody = self.above.union(*self.by_path.values())
        return sorted(one.removeprefix("group:") for one in everybody if one.startswith("group:"))


class Nextcloud:
    """The sharing of one account; `url` is the address of its files."""

    def __init__(self, session: Session, url: str) -> None:
        before, _, after = urlsplit(url).path.partition(FILES)
        account, *below = (unquote(part) for part in after.split("/"))
        self._session = session
        self._ocs = f"{session.origin}{before}/ocs/v2.php"
        self._account = account
        self._root = "/".join(part for part in below if part)

    async def shares(self) -> Shares:
        """Ask for all shares of the account's files, those that others pass on included."""
        found = await self._ask("/apps/files_sharing/api/v1/shares?reshares=true", "The shares")
        above, by_path = set[str](), dict[str, frozenset[str]]()
        for share in found if isinstance(found, list) else ():
            who = _principal(share)
            path = str(share.get("path", "")).strip("/") if who else ""
            if who is None or not path:
                continue
            if _is_in(self._root, path):
                above.add(who)
            elif _is_in(path, self._root):
                below = path[len(self._root) :].strip("/")
                by_path[below] = by_path.get(below, frozenset()) | {who}
        return Shares(self._account, frozenset(above), by_path)

    async def groups(self) -> list[Group]:
        """Ask for the members of the groups that something is shared with."""
        groups = []
        for name in (await self.shares()).groups:
            try:
                found = await self._ask(f"/cloud/groups/{quote(name, safe='')}", f"Group {name}")
            except Missing:
                continue
            except Denied as error:
                raise ConnectorError(
                    f"The account may not see who is in the group {name}; make it a group "
                    "administrator, or turn read_groups off."
                ) from error
            members = found.get("users", ()) if isinstance(found, dict) else ()
            groups.append(
                Group(id=f"group:{name}", members=frozenset(f"user:{one}" for one in members))
            )
        return groups

    async def _ask(self, path: str, what: str) -> Any:
        mark = "&" if "?" in path else "?"
        headers = {"OCS-APIRequest": "true", "Accept": "application/json"}
        url = f"{self._ocs}{path}{mark}format=json"
        content = bytearray()
        async with self._session.ask("GET", url, what, headers=headers) as answer:
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > MAX_ANSWER_BYTES:
                    raise ConnectorError(f"{what} are too many to be read; share folders instead.")
        try:
            return json.loads(content)["ocs"]["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise ConnectorError(
                f"{what} can't be understood; is {self._session.origin} a Nextcloud server?"
            ) from error


def _principal(share: Any) -> str | None:
    """Return whom a share lets read, None where that is nobody the assistant knows."""
    if not isinstance(share, dict):
        return None
    kinds = {_USER: "user", _GROUP: "group"}
    kind, name = kinds.get(share.get("share_type", -1)), share.get("share_with")
    permissions = share.get("permissions", 0)
    may_read = isinstance(permissions, int) and bool(permissions & _READ)
    if not (kind and isinstance(name, str) and name.strip() == name and name.isprintable()):
        return None
    if not (name and may_read) or _is_over(share.get("expiration")):
        return None
    return f"{kind}:{name}"


def _is_over(expiration: Any) -> bool:
    """Say whether a share has ended; an end that can't be understood counts as past."""
    if not expiration:
        return False
    try:
        end = datetime.fromisoformat(str(expiration))
    except ValueError:
        return True
    return (end if end.tzinfo else end.replace(tzinfo=UTC)) < datetime.now(UTC)


def _is_in(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(folder + "/")
