"""Speaking to Microsoft Graph as an application: tokens, pages, patience, and nothing elsewhere.

Tokens come by client credentials, with a secret or with a certificate (a PS256 assertion):
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow. Links of
answers are only followed to Graph's own host, so the token goes nowhere else.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.contract import ConnectorError, CursorExpired, RetryLater
from connectors.patience import retry_after

_EARLY_S = 120.0
_BUSY = frozenset({429, 500, 502, 503, 504})
_LONGEST_BYTES = 64 * 1024 * 1024


class Missing(ConnectorError):
    """There is no such thing in Graph, or the application doesn't see it."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The addresses of a national cloud; files come from hosts that end like `downloads`."""

    graph: str
    login: str
    downloads: tuple[str, ...]
    is_internal: bool = False


CLOUDS: Mapping[str, Cloud] = {
    "global": Cloud(
        "https://graph.microsoft.com",
        "https://login.microsoftonline.com",
        (".sharepoint.com", ".1drv.com", ".svc.ms"),
    ),
    "us": Cloud(
        "https://graph.microsoft.us", "https://login.microsoftonline.us", (".sharepoint.us",)
    ),
    "us_dod": Cloud(
        "https://dod-graph.microsoft.us",
        "https://login.microsoftonline.us",
        (".sharepoint-mil.us", ".sharepoint.us"),
    ),
    "china": Cloud(
        "https://microsoftgraph.chinacloudapi.cn",
        "https://login.chinacloudapi.cn",
        (".sharepoint.cn",),
    ),
}


@dataclass(frozen=True, slots=True)
class Application:
    """Who asks: with a secret, or with a certificate and its key (PEM without password)."""

    tenant: str
    client_id: str
    secret: str = ""
    certificate: Path | None = None
    key: Path | None = None


class GraphSession:
    """Asks Graph for JSON with a token that is renewed in time."""

    def __init__(self, cloud: Cloud, application: Application, timeout_s: float) -> None:
        self._cloud, self._application = cloud, application
        self._client = httpx.AsyncClient(timeout=timeout_s, trust_env=False)
        self._token, self._until = "", 0.0

    async def get(
        self, link: str, what: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Return an answer by its path below v1.0, or by a link of an earlier answer.

        Raises `CursorExpired` for 410, `RetryLater`, `Missing`, or another `ConnectorError`.
        """
        url = link if "://" in link else f"{self._cloud.graph}/v1.0{link}"
        if not url.startswith(self._cloud.graph + "/"):
            raise ConnectorError(f"A link for {what} leads away from {self._cloud.graph}.")
        token = {"Authorization": f"Bearer {await self._signed_in()}", **(headers or {})}
        answer = await self._send("GET", url, headers=token)
        if answer.status_code == 401:
            self._until = 0.0
        _refuse(answer, what)
        return _object(answer, what)

    async def pages(self, link: str, what: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the entries of a list, over all its pages."""
        following: str | None = link
        while following:
            page = await self.get(following, what)
            for one in page.get("value") or ():
                yield one
            following = page.get("@odata.nextLink")

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._client.aclose()

    async def _signed_in(self) -> str:
        if time.monotonic() < self._until:
            return self._token
        url = f"{self._cloud.login}/{self._application.tenant}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self._application.client_id,
            "scope": f"{self._cloud.graph}/.default",
        }
        if self._application.certificate is not None:
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            form |= {"client_assertion_type": kind}
            form |= {"client_assertion": assertion(self._application, url)}
        else:
            form |= {"client_secret": self._application.secret}
        answer = await self._send("POST", url, data=form)
        if answer.status_code in _BUSY:
            raise RetryLater(retry_after(answer.headers.get("Retry-After")))
        body = _object(answer, "a token") if answer.status_code == 200 else {}
        if not isinstance(body.get("access_token"), str):
            raise ConnectorError(
                f"{self._cloud.login} gives no token (HTTP {answer.status_code}); check tenant, "
                "client id, and secret or certificate."
            )
        lasts = float(body.get("expires_in") or 0)
        self._token, self._until = body["access_token"], time.monotonic() + lasts - _EARLY_S
        return self._token

    async def _send(self, method: str, url: str, **parts: Any) -> httpx.Response:
        try:
            return await self._client.request(method, url, **parts)
        except httpx.TimeoutException:
            raise RetryLater from None
        except httpx.ConnectError:
            host = httpx.URL(url).host
            raise ConnectorError(f"{host} can't be reached; check network and firewall.") from None
        except httpx.HTTPError:
            raise RetryLater from None


def assertion(application: Application, audience: str) -> str:
    """Return a JWT that proves the certificate's key for ten minutes."""
    try:
        if application.certificate is None or application.key is None:
            raise ValueError("nothing is given")
        certificate = x509.load_pem_x509_certificate(application.certificate.read_bytes())
        key = serialization.load_pem_private_key(application.key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ConnectorError("Certificate and key can't be read; give PEM files.") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConnectorError("The application's key must be an RSA key.")
    now = int(time.time())
    header = {
        "alg": "PS256",
        "typ": "JWT",
        "x5t#S256": _base64(certificate.fingerprint(hashes.SHA256())),
    }
    claims = {
        "aud": audience,
        "iss": application.client_id,
        "sub": application.client_id,
        "jti": str(uuid4()),
        "nbf": now - 60,
        "exp": now + 600,
    }
    signed = f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)
    return f"{signed}.{_base64(key.sign(signed.encode(), pss, hashes.SHA256()))}"


def _refuse(answer: httpx.Response, what: str) -> None:
    status = answer.status_code
    if status in _BUSY:
        raise RetryLater(retry_after(answer.headers.get("Retry-After")))
    if status == 410:
        raise CursorExpired("Graph no longer knows the delta link; everything is listed afresh.")
    if status == 404:
        raise Missing(f"There is no {what}; it was deleted, or the application doesn't see it.")
    if status in (401, 403):
        raise ConnectorError(
            f"The application may not read {what} (HTTP {status}); grant it the permissions that "
            "docs/how-to/connect-graph.md names, with an admin's consent."
        )
    if status != 200:
        raise ConnectorError(f"Graph refuses {what} (HTTP {status}); check the configuration.")


def _object(answer: httpx.Response, what: str) -> dict[str, Any]:
    try:
        found = answer.json() if len(answer.content) <= _LONGEST_BYTES else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConnectorError(f"The answer for {what} is not what Graph documents; try again.")
    return found


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
