"""An S3 bucket as a source: Amazon's, MinIO, Ceph, or whatever else speaks S3.

An item's id is its key. S3 has no feed of deletions, so `changes` always lists the bucket again,
in the order of keys; the cursor is the last listed key, from which an interrupted listing goes on.
The version is the ETag, which changes with the content, so what did not change is never fetched;
`fetch` asks for just that ETag.

Who may read comes from the configuration (all alike), from each object's tags (`allow`, `deny`,
`all_of`: principals with spaces between them), or from access files as in a folder (see
`connectors.sidecars`). The bucket's own policies and ACLs name AWS accounts, not people: they
don't count.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, JsonValue, SecretStr, model_validator

from connectors.bucket import Bucket, Missing, Place, Stored
from connectors.confinement import PathFields
from connectors.contract import (
    Access,
    Complete,
    ConnectorError,
    CursorExpired,
    Failed,
    Gone,
    Group,
    Item,
    Mark,
    RetryLater,
)
from connectors.media import media_type
from connectors.origin import check_host, checked_url
from connectors.rules import Rules, read_groups
from connectors.selection import Selection, is_clutter
from connectors.sidecars import (
    MAX_SIDECAR_BYTES,
    SIDECAR,
    Principals,
    Rule,
    SidecarError,
    parse_access,
)

N_TAGS_AT_ONCE = 8

_ACCESS_TAGS: tuple[str, ...] = ("allow", "deny", "all_of")
_BUCKET = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,254}")


def _bucket(name: str) -> str:
    if not _BUCKET.fullmatch(name):
        raise ValueError("give the bucket's name only, without s3:// and without a path")
    if name.endswith("--x-s3"):
        raise ValueError("directory buckets do not list keys in order and can't be used")
    return name


def _prefix(value: str) -> str:
    if value.startswith("/") or (value and not value.endswith("/")):
        raise ValueError("a prefix ends with / and does not begin with one, such as policies/")
    return value


class S3Config(PathFields):
    """Which bucket, how to reach it, and who may read."""

    reach: ClassVar[frozenset[str]] = frozenset({"endpoint_url", "region", "ca_bundle"})
    bucket: Annotated[str, AfterValidator(_bucket)] = Field(
        title="Bucket", description="the bucket's name"
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="", title="Prefix", description="only keys below this, such as policies/"
    )
    endpoint_url: Annotated[str, AfterValidator(checked_url)] | None = Field(
        default=None, title="Address", description="for MinIO, Ceph and others; empty is Amazon"
    )
    region: str = Field(default="us-east-1", title="Region", pattern=r"^[a-z0-9-]{1,40}$")
    credentials: Literal["keys", "machine", "anonymous"] = Field(
        default="keys",
        title="Credentials",
        description="keys as entered here, the role of this machine, or none (public buckets)",
    )
    access_key_id: str = Field(default="", title="Access key id")
    secret_access_key: SecretStr = Field(default=SecretStr(""), title="Secret access key")
    session_token: SecretStr | None = Field(default=None, title="Session token")
    permissions: Literal["config", "tags", "access_files"] = Field(
        default="config",
        title="Permissions from",
        description="the list below for all, each object's tags, or access files in the bucket",
    )
    allow: Principals = Field(
        default=frozenset(),
        title="Who may read",
        description="with permissions from config: user:LOGIN, group:NAME, everyone; empty: nobody",
    )
    collection: str = Field(default="", title="Collection", description="what to file under")
    industry: str = Field(default="", title="Industry", description="industry of the documents")
    include: tuple[str, ...] = Field(
        default=(),
        title="Only these",
        description="such as *.pdf or policies/* (* also matches /), from the prefix on",
    )
    exclude: tuple[str, ...] = Field(default=(), title="Not these", description="written alike")
    ca_bundle: Path | None = Field(
        default=None, title="Certificates", description="file of your own authorities, PEM"
    )
    timeout_s: float = Field(default=60.0, title="Timeout (s)", gt=0, le=600)

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        entered = bool(self.access_key_id and self.secret_access_key.get_secret_value())
        if self.credentials == "keys" and not entered:
            raise ValueError("enter an access key id and its secret, or choose other credentials")
        return self


class S3:
    """Lists and reads one bucket; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = S3Config

    def __init__(self, config: S3Config) -> None:
        self._config = config
        self._selection = Selection(config.include, config.exclude)
        self._bucket = Bucket(_place(config))

    async def check(self) -> None:
        """Raise `ConnectorError` if the bucket can't be listed or holds nothing."""
        config = self._config
        if config.endpoint_url:
            await check_host(config.endpoint_url)
        found = await self._bucket.page(config.prefix, "")
        if not found:
            below = f" below {config.prefix}" if config.prefix else ""
            raise ConnectorError(
                f"The bucket {config.bucket} holds nothing{below}; check bucket and prefix."
            )
        if config.permissions == "tags":
            await self._bucket.tags(found[0].key)
        if config.permissions == "access_files":
            await read_groups(self._small)

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List everything after the key in the cursor, with a `Mark` every page of 500 keys."""
        after, done = _position(since)
        total, rules = None, None
        if self._config.permissions == "access_files":
            total, sidecars = await self._survey()
            rules = Rules(lambda path: self._sidecar(path, sidecars))
        while page := await self._bucket.page(self._config.prefix, after):
            for events in await self._look_at(page, rules):
                for event in events:
                    done += isinstance(event, Item)
                    yield event
            after = page[-1].key
            cursor: JsonValue = {"after": after, "done": done}
            yield Mark(cursor=cursor, done=done, total=total and max(total, done))
        yield Complete(cursor=None, done=done, total=done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield an object in pieces of 64 KiB; raises `ConnectorError` if it changed or is gone."""
        etag = "" if item.version.startswith("stat:") else item.version
        async with aclosing(self._bucket.body(item.id, etag)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield piece

    async def groups(self) -> AsyncIterator[Group]:
        """Yield the groups of `.groups.toml`, where permissions come from access files."""
        if self._config.permissions == "access_files":
            for group in await read_groups(self._small):
                yield group

    async def aclose(self) -> None:
        """Close the connections."""
        await self._bucket.aclose()

    async def _survey(self) -> tuple[int, frozenset[str]]:
        """Count the documents and find the access files, which may come after what they cover."""
        n_documents, sidecars, after = 0, set[str](), ""
        while page := await self._bucket.page(self._config.prefix, after):
            for stored in page:
                path = self._path(stored.key)
                if path.endswith(SIDECAR):
                    sidecars.add(path)
                n_documents += self._is_document(path)
            after = page[-1].key
        return n_documents, frozenset(sidecars)

    async def _look_at(self, page: list[Stored], rules: Rules | None) -> list[list[Item | Failed]]:
        if self._config.permissions != "tags":
            return [await self._event(stored, rules) for stored in page]
        gate = asyncio.Semaphore(N_TAGS_AT_ONCE)

        async def one(stored: Stored) -> list[Item | Failed]:
            async with gate:
                return await self._event(stored, None)

        return await asyncio.gather(*map(one, page))

    async def _event(self, stored: Stored, rules: Rules | None) -> list[Item | Failed]:
        path = self._path(stored.key)
        if rules and path.endswith(SIDECAR):
            return await self._orphan(path)
        if not self._is_document(path):
            return []
        if not _is_storable(stored.key):
            shown = stored.key.encode("unicode_escape").decode()
            return [Failed(id=shown, error=f"The key {shown} can't be stored; rename the object.")]
        rule, failures = Rule(), list[Failed]()
        if rules:
            rule = await rules.file(path)
            failures = rules.failures()
        access, failed = await self._access(stored, rule)
        return [*failures, *failed, self._item(stored, access, rule)]

    async def _access(self, stored: Stored, rule: Rule) -> tuple[Access, list[Failed]]:
        config = self._config
        if config.permissions == "access_files":
            return rule.granted(), []
        if config.permissions == "config":
            return Access(allow=config.allow), []
        try:
            return _tagged(await self._bucket.tags(stored.key)), []
        except Missing:
            return Access(), []
        except RetryLater:
            raise
        except SidecarError as error:
            why = f"The tags of {stored.key} are wrong: {error}."
        except ConnectorError as error:
            why = str(error)
        return Access(), [Failed(id=f"{stored.key}?tagging", error=f"{why} Nobody may read it.")]

    def _item(self, stored: Stored, access: Access, rule: Rule) -> Item:
        meta: dict[str, JsonValue] = {
            key: value
            for key in ("collection", "industry")
            if (value := getattr(self._config, key))
        }
        meta |= rule.meta
        if newer := meta.get("superseded_by"):
            meta["superseded_by"] = f"{self._config.prefix}{newer}"
        times = f"stat:{stored.n_bytes}-{stored.modified_at.isoformat()}"
        return Item(
            id=stored.key,
            version=stored.etag or times,
            uri=f"s3://{self._config.bucket}/{stored.key}",
            title=str(meta.pop("title", "")),
            media_type=media_type(stored.key),
            modified_at=stored.modified_at,
            access=access,
            meta=meta,
        )

    async def _orphan(self, path: str) -> list[Item | Failed]:
        covered = path.removesuffix(SIDECAR)
        if path.rpartition("/")[2] == SIDECAR:
            return []
        if await self._bucket.exists(self._config.prefix + covered):
            return []
        why = f"{path} applies to nothing: there is no object {covered} beside it."
        return [Failed(id=path, error=why)]

    async def _sidecar(self, path: str, known: frozenset[str]) -> bytes | None:
        if path not in known:
            return None
        content = await self._small(path)
        if content is None:
            raise ConnectorError(f"{path} vanished while the bucket was listed.")
        return content

    async def _small(self, path: str) -> bytes | None:
        return await self._bucket.small(self._config.prefix + path, MAX_SIDECAR_BYTES + 1)

    def _path(self, key: str) -> str:
        return key.removeprefix(self._config.prefix)

    def _is_document(self, path: str) -> bool:
        if not path or path.endswith(("/", SIDECAR)):
            return False
        return not any(map(is_clutter, path.split("/"))) and self._selection.takes(path)


def _place(config: S3Config) -> Place:
    keys = None
    if config.credentials == "keys":
        token = config.session_token.get_secret_value() if config.session_token else None
        keys = (config.access_key_id, config.secret_access_key.get_secret_value(), token)
    return Place(
        bucket=config.bucket,
        endpoint_url=config.endpoint_url,
        region=config.region,
        keys=keys,
        anonymous=config.credentials == "anonymous",
        ca_bundle=str(config.ca_bundle) if config.ca_bundle else None,
        timeout_s=config.timeout_s,
    )


def _position(since: JsonValue) -> tuple[str, int]:
    match since:
        case None:
            return "", 0
        case {"after": str(after), "done": int(done)}:
            return after, done
    raise CursorExpired("The bucket's cursor is not one of its own; it is listed afresh.")


def _tagged(tags: dict[str, str]) -> Access:
    """Read the principals of an object's tags; raises `SidecarError`."""
    return parse_access({key: tags[key].split() for key in _ACCESS_TAGS if key in tags})


def _is_storable(key: str) -> bool:
    try:
        return "\x00" not in key and bool(key.encode())
    except UnicodeEncodeError:
        return False
