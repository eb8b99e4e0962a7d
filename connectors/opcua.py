"""Machines and plants behind an OPC UA server as a source: a document for each object.

The address space is browsed in each run, completely or not at all. The version of a document is
the hash of its text, from which changing values are left out; see `connectors.opcua_nodes`.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import quote

from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from pydantic import BaseModel, Field, JsonValue, SecretStr, model_validator

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
from connectors.opcua_nodes import Place, Wanted, objects, text
from connectors.origin import check_host, is_loopback
from connectors.selection import Selection
from connectors.sidecars import Principals

ITEMS_PER_MARK = 50
_SIGN_IN = (
    ua.StatusCodes.BadUserAccessDenied,
    ua.StatusCodes.BadIdentityTokenRejected,
    ua.StatusCodes.BadIdentityTokenInvalid,
)
_BUSY = (
    ua.StatusCodes.BadTooManySessions,
    ua.StatusCodes.BadServerTooBusy,
    ua.StatusCodes.BadTcpServerTooBusy,
    ua.StatusCodes.BadTimeout,
    ua.StatusCodes.BadResourceUnavailable,
)


_MODES = {
    "sign": ua.MessageSecurityMode.Sign,
    "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt,
}


class OpcUaConfig(PathFields):
    """Which server, who signs in, what is written down, and who may read it."""

    reach: ClassVar[frozenset[str]] = frozenset(
        {"url", "security", "certificate", "key", "server_certificate", "allow_plain"}
    )
    url: str = Field(
        title="Address", pattern=r"^opc\.tcp://[^\s/@?#]+(/[^\s?#]*)?$", description="opc.tcp://…"
    )
    security: Literal["sign_and_encrypt", "sign", "none"] = Field(
        default="sign_and_encrypt", title="Security", description="by Basic256Sha256"
    )
    certificate: Path | None = Field(
        default=None, title="Certificate", description="of this client, PEM or DER"
    )
    key: Path | None = Field(default=None, title="Key", description="of this client")
    server_certificate: Path | None = Field(
        default=None, title="Server's certificate", description="the only one that is trusted"
    )
    username: str = Field(default="", title="User")
    password: SecretStr = Field(default=SecretStr(""), title="Password")
    allow_plain: bool = Field(
        default=False, title="Without security", description="also with another machine"
    )
    include: tuple[str, ...] = Field(
        default=(), title="Only these", description="paths of names, such as Plant/Line1/*"
    )
    exclude: tuple[str, ...] = Field(default=(), title="Not these", description="written alike")
    values: tuple[str, ...] = Field(
        default=(),
        title="Values",
        description="variables whose values are written down, such as */Recipe; properties always",
    )
    digits: int = Field(default=4, ge=1, le=15, title="Digits of numbers")
    max_nodes: int = Field(default=100_000, ge=1, le=10_000_000, title="Most nodes")
    allow: Principals = Field(default=frozenset(), title="Who may read; nobody if empty")
    areas: dict[str, Principals] = Field(
        default_factory=dict,
        title="Areas",
        description="who may read below a path instead, the longest counts: Plant/Line1 → …",
    )
    collection: str = Field(default="", title="Collection", description="what to file under")
    industry: str = Field(default="", title="Industry", description="industry of the documents")
    timeout_s: float = Field(default=20.0, gt=0, le=600)

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.security == "none":
            if not (self.allow_plain or is_loopback(self.url)):
                raise ValueError("use sign_and_encrypt, or turn allow_plain on")
            if self.certificate or self.key or self.server_certificate:
                raise ValueError("certificates are for sign and sign_and_encrypt")
        elif not (self.certificate and self.key and self.server_certificate):
            raise ValueError("give certificate, key and server_certificate, or security none")
        return self


class OpcUa:
    """Lists and describes objects; implements `connectors.contract.Connector`."""

    Config: ClassVar[type[BaseModel]] = OpcUaConfig

    def __init__(self, config: OpcUaConfig) -> None:
        self._config = config
        self._selection = Selection(config.include, config.exclude)
        self._wanted = Wanted(
            lambda path: any(fnmatchcase(path, glob) for glob in config.values), config.digits
        )
        self._client: Client | None = None
        self._known = dict[str, Place]()

    async def check(self) -> None:
        """Raise `ConnectorError` if nobody answers; a server without objects is an empty source."""
        await check_host(self._config.url)
        try:
            await self._places()
        except RetryLater as error:
            raise ConnectorError("The OPC UA server is busy or silent; try again later.") from error

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        """List all objects, with a `Mark` every 50."""
        after, done = "", 0
        match since:
            case None:
                pass
            case {"after": str(after), "done": int(done)}:
                pass
            case _:
                raise CursorExpired("The cursor is not one of this server; it is listed afresh.")
        places = await self._places()
        for n, place in enumerate((one for one in places if one.id > after), 1):
            found = await self._text(place)
            done += 1
            yield self._item(place, found)
            if n % ITEMS_PER_MARK == 0:
                yield Mark(cursor={"after": place.id, "done": done}, done=done)
        yield Complete(cursor=None, done=done, total=done)

    async def fetch(self, item: Item) -> AsyncIterator[bytes]:
        """Yield an object's text; raises `ConnectorError` if it changed or is gone."""
        if item.id not in self._known:
            await self._places()
        if item.id not in self._known:
            raise ConnectorError(f"There is no object {item.id}; it was removed or renamed.")
        found = await self._text(self._known[item.id])
        if _version(found) != item.version:
            raise ConnectorError(f"{item.title} changed while it was read; the next run reads it.")
        yield found.encode()

    async def groups(self) -> AsyncIterator[Group]:
        """Yield nothing: OPC UA knows roles of sessions, not groups of readers."""
        nothing: tuple[Group, ...] = ()
        for group in nothing:
            yield group

    async def aclose(self) -> None:
        """End the session; may be called twice."""
        client, self._client, self._known = self._client, None, {}
        if client is not None:
            with suppress(ua.UaError, OSError, TimeoutError):
                await client.disconnect()

    async def _places(self) -> list[Place]:
        """Browse the address space in a new session; returns what is chosen, in order of ids."""
        await self.aclose()
        self._client = client = await self._connected()
        with self._speaking(self._config.url):
            found = [
                place
                async for place in objects(client, self._config.max_nodes)
                if self._selection.takes(place.path)
            ]
        self._known = {place.id: place for place in found}
        return sorted(self._known.values(), key=lambda place: place.id)

    async def _text(self, place: Place) -> str:
        assert self._client is not None  # noqa: S101
        with self._speaking(place.path):
            return await text(self._client, place, self._wanted)

    def _item(self, place: Place, found: str) -> Item:
        config = self._config
        meta: dict[str, JsonValue] = {
            key: value for key in ("collection", "industry") if (value := getattr(config, key))
        }
        return Item(
            id=place.id,
            version=_version(found),
            uri=f"{config.url}#{quote(place.id)}",
            title=place.path.replace("/", " › "),
            media_type="text/markdown",
            access=Access(allow=self._readers(place.path)),
            meta=meta,
        )

    def _readers(self, path: str) -> frozenset[str]:
        areas = self._config.areas
        over = [one for one in areas if path == one or path.startswith(one.rstrip("/") + "/")]
        return areas[max(over, key=len)] if over else self._config.allow

    async def _connected(self) -> Client:
        config = self._config
        client = Client(config.url, timeout=config.timeout_s)
        if config.username:
            client.set_user(config.username)
            client.set_password(config.password.get_secret_value())
        with self._speaking(config.url):
            if config.certificate and config.key and config.server_certificate:
                await client.set_security(
                    SecurityPolicyBasic256Sha256,
                    config.certificate,
                    config.key,
                    server_certificate=str(config.server_certificate),
                    mode=_MODES[config.security],
                )
            await client.connect()
        return client

    @contextmanager
    def _speaking(self, what: str) -> Iterator[None]:
        """Turn what the library raises into what the contract knows."""
        try:
            yield
        except TimeoutError as error:
            raise RetryLater from error
        except ua.UaStatusCodeError as error:
            if error.code in _BUSY:
                raise RetryLater from error
            if error.code in _SIGN_IN:
                raise ConnectorError(
                    f"{self._config.url} does not accept the user and password; enter valid ones."
                ) from error
            raise ConnectorError(
                f"{self._config.url} refuses {what} ({type(error).__name__}); check the rights."
            ) from error
        except ua.UaError as error:
            raise ConnectorError(
                f"{self._config.url} can't be talked to ({error}); check security and certificates."
            ) from error
        except (OSError, ValueError) as error:
            raise ConnectorError(
                f"Nothing answers at {self._config.url}, or a certificate can't be read; check "
                "address, port and files."
            ) from error


def _version(found: str) -> str:
    return "sha256:" + hashlib.sha256(found.encode()).hexdigest()
