"""An HTTP session with one server: signed in, never redirected elsewhere, errors as sentences.

Redirects are not followed: what an admin entered is the only place that gets the password. Proxies
and `.netrc` of the process don't count.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from connectors.contract import ConnectorError, RetryLater
from connectors.patience import retry_after

_BUSY = frozenset({408, 429, 502, 503, 504})


class Missing(ConnectorError):
    """There is nothing at this address."""


class Denied(ConnectorError):
    """The account may not do this here."""


class Refused(ConnectorError):
    """Any other refusal; `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Session:
    """A session with the server of one address; `auth` is user and password, or a bearer token."""

    def __init__(
        self, url: str, auth: tuple[str, str] | str, ca_bundle: Path | None, timeout_s: float
    ) -> None:
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._auth = auth
        self._ca_bundle = ca_bundle
        self._timeout = httpx.Timeout(timeout_s, connect=min(10.0, timeout_s))
        self._made: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Ask for `what` and enter a 2xx answer whose body is not read yet.

        Raises `RetryLater` when the server is busy, slow or hangs up, `Missing`, `Denied`,
        `Refused` or another `ConnectorError` otherwise; also while the body is read.
        """
        try:
            client = self._client()
            async with client.stream(method, url, headers=headers, content=content) as answer:
                if not answer.is_success:
                    _refuse(answer, what, self.origin)
                yield answer
        except httpx.TimeoutException:
            raise RetryLater from None
        except httpx.ConnectError as error:
            raise _unreachable(self.origin, error) from error
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            raise RetryLater from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConnectorError(
                f"{what} can't be read from {self.origin} ({type(error).__name__}); "
                "check the address."
            ) from error

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        if self._made is not None:
            made, self._made = self._made, None
            await made.aclose()

    def _client(self) -> httpx.AsyncClient:
        if self._made is None:
            headers = {"Accept-Encoding": "identity"}
            basic = None
            if isinstance(self._auth, str):
                headers["Authorization"] = f"Bearer {self._auth}"
            else:
                basic = httpx.BasicAuth(*self._auth)
            self._made = httpx.AsyncClient(
                auth=basic,
                headers=headers,
                timeout=self._timeout,
                verify=_trust(self._ca_bundle),
                follow_redirects=False,
                trust_env=False,
            )
        return self._made


def _trust(ca_bundle: Path | None) -> ssl.SSLContext | bool:
    if ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        raise ConnectorError(
            f"The file of certificates {ca_bundle} can't be used; give a readable PEM file."
        ) from error


def _refuse(answer: httpx.Response, what: str, origin: str) -> None:
    status = answer.status_code
    if status in _BUSY:
        raise RetryLater(retry_after(answer.headers.get("Retry-After")))
    if status == 401:
        raise Denied(
            f"{origin} does not accept the user and password for {what}; enter valid ones "
            "(some servers want an app password) or give the account the right to."
        )
    if status == 403:
        raise Denied(f"{what} may not be read by this account; give it the right to.")
    if status in (404, 410):
        raise Missing(f"{what} is not there; it was deleted or renamed.")
    if answer.is_redirect:
        raise Refused(
            f"{what} lies elsewhere ({origin} redirects); enter the address it leads to.", status
        )
    raise Refused(f"{what} can't be read: {origin} answers {status}.", status)


def _unreachable(origin: str, error: httpx.ConnectError) -> ConnectorError:
    if isinstance(error.__context__ and error.__context__.__context__, ssl.SSLError) or (
        "CERTIFICATE" in str(error) or "SSL" in str(error)
    ):
        return ConnectorError(
            f"The certificate of {origin} is not trusted; name the file with your company's "
            "certificates as ca_bundle."
        )
    return ConnectorError(
        f"{origin} can't be reached; check the address, the network and the firewall."
    )
