"""One S3 bucket over boto3: pages of keys in their order, bodies in pieces, errors as sentences.

Keys are listed in the order of their UTF-8 bytes (ListObjectsV2), so the last key of a page is all
that is needed to go on after it. A server that answers in another order is refused: what it left
out would be taken for deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from connectors.contract import ConnectorError, RetryLater
from connectors.patience import retry_after

T = TypeVar("T")

PAGE_KEYS = 500
PIECE_BYTES = 65_536
N_CONNECTIONS = 16

_BUSY = frozenset(
    {"SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests"}
    | {"RequestLimitExceeded", "RequestTimeout", "InternalError", "429", "500", "503"}
)
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "NotFound", "404"})
_WRONG_KEYS = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthFailure"}
    | {"InvalidClientTokenId", "TokenRefreshRequired", "AuthorizationHeaderMalformed", "401"}
)
_DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "403"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bucket is and how to reach it; `keys` are an access key, its secret and a token."""

    bucket: str
    endpoint_url: str | None
    region: str
    keys: tuple[str, str, str | None] | None
    anonymous: bool
    ca_bundle: str | None
    timeout_s: float

    def __repr__(self) -> str:
        return f"Place({self.bucket!r})"


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it is listed; `etag` is without quotes and may be empty."""

    key: str
    etag: str
    n_bytes: int
    modified_at: datetime


class Missing(ConnectorError):
    """There is no such object."""


class Bucket:
    """A bucket; every method raises `ConnectorError`, or `RetryLater` when it should wait."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._made: Any = None

    async def page(self, prefix: str, after: str) -> list[Stored]:
        """Return the next 500 objects whose keys begin with `prefix`, after a key; [] at the end.

        Raises `ConnectorError` if the server does not keep the order of keys.
        """
        last = after
        found = await self._ask(
            "list_objects_v2", MaxKeys=PAGE_KEYS, Prefix=prefix, **_after(after)
        )
        objects = [
            Stored(one["Key"], one.get("ETag", "").strip('"'), one["Size"], one["LastModified"])
            for one in found.get("Contents", ())
        ]
        for one in objects:
            if last and _order(one.key) <= _order(last):
                raise ConnectorError(
                    f"The server of the bucket {self._place.bucket} does not list keys in their "
                    "order, so nothing can be said to be deleted; use a server that keeps to "
                    "ListObjectsV2."
                )
            last = one.key
        return objects

    async def exists(self, key: str) -> bool:
        """Say whether there is an object of this key."""
        try:
            await self._ask("head_object", key, Key=key)
        except Missing:
            return False
        return True

    async def small(self, key: str, max_bytes: int) -> bytes | None:
        """Return the beginning of an object, None where there is none."""
        try:
            found = await self._ask("get_object", key, Key=key)
        except Missing:
            return None
        body = found["Body"]
        try:
            content = await self._call(key, lambda: body.read(max_bytes))
        finally:
            await asyncio.to_thread(body.close)
        return bytes(content)

    async def tags(self, key: str) -> dict[str, str]:
        """Return the tags of an object."""
        found = await self._ask("get_object_tagging", key, Key=key)
        return {tag["Key"]: tag["Value"] for tag in found["TagSet"]}

    async def body(self, key: str, etag: str) -> AsyncIterator[bytes]:
        """Yield an object in pieces of 64 KiB; raises `ConnectorError` if it was replaced."""
        same = {"IfMatch": f'"{etag}"'} if etag else {}
        found = await self._ask("get_object", key, Key=key, **same)
        body = found["Body"]
        try:
            while piece := await self._call(key, lambda: body.read(PIECE_BYTES)):
                yield bytes(piece)
        finally:
            await asyncio.to_thread(body.close)

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        if self._made is not None:
            made, self._made = self._made, None
            await asyncio.to_thread(made.close)

    async def _ask(self, operation: str, key: str = "", **arguments: Any) -> Any:
        def ask() -> Any:
            if self._made is None:
                self._made = _client(self._place)
            return getattr(self._made, operation)(Bucket=self._place.bucket, **arguments)

        return await self._call(key, ask)

    async def _call(self, key: str, call: Callable[[], T]) -> T:
        boto, http = _errors()
        try:
            return await asyncio.to_thread(call)
        except boto.ClientError as error:
            _refused(self._place, key, error.response)
        except (boto.ConnectTimeoutError, boto.ReadTimeoutError, boto.ConnectionClosedError):
            raise RetryLater from None
        except (boto.IncompleteReadError, boto.ResponseStreamingError, http.HTTPError):
            raise RetryLater from None
        except (boto.NoCredentialsError, boto.PartialCredentialsError):
            raise ConnectorError(
                "This machine has no AWS role or keys of its own; "
                "enter an access key, or give the machine a role."
            ) from None
        except boto.SSLError as error:
            raise ConnectorError(
                f"The certificate of {_server(self._place)} is not trusted; "
                "name the file with your company's certificates as ca_bundle."
            ) from error
        except (boto.EndpointConnectionError, boto.ProxyConnectionError) as error:
            raise ConnectorError(
                f"{_server(self._place)} can't be reached; check the address, the network and "
                "the firewall."
            ) from error
        except (boto.BotoCoreError, ValueError) as error:
            raise ConnectorError(
                f"The bucket {self._place.bucket} can't be used ({type(error).__name__}); "
                "check its name, region and address."
            ) from error


def _errors() -> tuple[Any, Any]:
    """Return the modules with the errors of boto3 and of urllib3 below it."""
    try:
        from botocore import exceptions as boto  # type: ignore[import-untyped]
        from urllib3 import exceptions as http
    except ImportError as error:
        raise ConnectorError(
            "Buckets need the package boto3: pip install 'enterprise-assistant[connectors]'."
        ) from error
    return boto, http


def _client(place: Place) -> Any:
    import boto3  # type: ignore[import-untyped]
    from botocore import UNSIGNED
    from botocore.config import Config  # type: ignore[import-untyped]

    key, secret, token = place.keys or (None, None, None)
    settings = Config(
        connect_timeout=min(10.0, place.timeout_s),
        read_timeout=place.timeout_s,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=N_CONNECTIONS,
        # Servers other than Amazon's know neither host names by bucket nor the newer checksums.
        s3={"addressing_style": "path" if place.endpoint_url else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **({"signature_version": UNSIGNED} if place.anonymous else {}),
    )
    return boto3.session.Session().client(
        "s3",
        endpoint_url=place.endpoint_url,
        region_name=place.region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        verify=place.ca_bundle,
        config=settings,
    )


def _refused(place: Place, key: str, response: Any) -> NoReturn:
    code = str(response.get("Error", {}).get("Code", ""))
    about = response.get("ResponseMetadata", {})
    status = about.get("HTTPStatusCode", 0)
    if code in _BUSY or status in (429, 500, 502, 503, 504):
        raise RetryLater(retry_after(about.get("HTTPHeaders", {}).get("retry-after")))
    what = f"The object {key}" if key else f"The bucket {place.bucket}"
    if code == "NoSuchBucket":
        raise ConnectorError(
            f"There is no bucket {place.bucket} at {_server(place)}; check its name."
        )
    if code in _MISSING:
        raise Missing(f"{what} is not there; it was deleted or renamed.")
    if code in _WRONG_KEYS:
        raise ConnectorError(
            f"{_server(place)} does not accept the access key ({code}); enter a valid one."
        )
    if code in _DENIED:
        raise ConnectorError(
            f"{what} may not be read with these keys; allow s3:ListBucket, s3:GetObject and, "
            "for tags, s3:GetObjectTagging."
        )
    if code in ("PreconditionFailed", "412"):
        raise ConnectorError(f"{what} changed while it was read; the next run reads it.")
    if code == "InvalidObjectState":
        raise ConnectorError(f"{what} is archived; restore it in the bucket or exclude it.")
    if code in ("PermanentRedirect", "IllegalLocationConstraintException"):
        raise ConnectorError(f"{what} lies in another region than {place.region}; correct it.")
    raise ConnectorError(f"{what} can't be read: {_server(place)} says {code or status}.")


def _after(key: str) -> dict[str, str]:
    return {"StartAfter": key} if key else {}


def _order(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _server(place: Place) -> str:
    return place.endpoint_url or f"Amazon S3 ({place.region})"
