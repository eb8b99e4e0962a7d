"""How Git's protocol travels: HTTP and SSH by dulwich, with what it lacks for a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import urllib3
from dulwich.client import HTTPUnauthorized, SSHGitClient, Urllib3HttpGitClient
from dulwich.errors import NotGitRepository
from dulwich.protocol import Protocol

from connectors.contract import ConnectorError, RetryLater
from connectors.patience import retry_after

if TYPE_CHECKING:
    from dulwich.client import HTTPResponse

_BUSY = frozenset({429, 503})
_REFUSED = frozenset({401, 403})


class Ssh(SSHGitClient):
    """Ends what dulwich leaves behind when a server hangs up: a program, pipes, a protocol."""

    _protocol: Protocol | None = None

    def _connect(
        self, cmd: bytes, path: str | bytes, protocol_version: int | None = None
    ) -> tuple[Protocol, Callable[[], bool], IO[bytes] | None]:
        connected = super()._connect(cmd, path, protocol_version)
        self._protocol = connected[0]
        return connected

    def close(self) -> None:
        """Stop the program if it still runs, and close its pipes."""
        if self._protocol is not None:
            self._protocol.close()


class Http(Urllib3HttpGitClient):
    """Follows no redirect, knows when a server asks for patience, and closes what it was sent."""

    def __init__(self, base_url: str, pool_manager: urllib3.PoolManager) -> None:
        super().__init__(base_url, pool_manager=pool_manager)
        self._responses: list[HTTPResponse] = []

    def _http_request(
        self, url: str, headers: Any = None, data: Any = None, raise_for_status: bool = True
    ) -> tuple[HTTPResponse, Callable[[int], bytes]]:
        response, read = super()._http_request(url, headers, data, raise_for_status=False)
        self._responses.append(response)
        status = response.status
        if status in _BUSY:
            raise RetryLater(retry_after(response.headers.get("Retry-After")))
        if 300 <= status < 400:
            place = response.headers.get("Location") or "somewhere else"
            raise ConnectorError(
                f"The server redirects to {place.partition('/info/refs')[0]}; if you trust that "
                "place, write it as the address."
            )
        if status in _REFUSED:
            raise HTTPUnauthorized(None, url)
        if status == 404:
            raise NotGitRepository
        if status != 200:
            raise ConnectorError(f"The server answered with HTTP {status}; look at its log.")
        return response, read

    def close(self) -> None:
        """Close all responses."""
        for response in self._responses:
            response.close()
