"""Access tokens for FHIR by SMART Backend Services: a signed assertion buys a short token.

https://hl7.org/fhir/smart-app-launch/backend-services.html: RS384 for RSA keys, ES384 for P-384.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from connectors.contract import ConnectorError, RetryLater

LIFETIME_S = 240
EARLY_S = 30


@dataclass(frozen=True, slots=True)
class BackendService:
    """Who asks for tokens; `private_key` is PEM without a password."""

    token_url: str
    client_id: str
    key_id: str
    scope: str
    private_key: str = field(repr=False)


def assertion(service: BackendService) -> str:
    """Return a JWT that proves the key for four minutes; raises ConnectorError for a bad key."""
    try:
        key = serialization.load_pem_private_key(service.private_key.encode(), None)
    except (ValueError, TypeError) as error:
        raise ConnectorError("The private key can't be read; give a PEM without password.") from (
            error
        )
    now = int(time.time())
    claims = {
        "iss": service.client_id,
        "sub": service.client_id,
        "aud": service.token_url,
        "iat": now,
        "exp": now + LIFETIME_S,
        "jti": str(uuid4()),
    }
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    header = {"alg": "RS384" if is_rsa else "ES384", "typ": "JWT", "kid": service.key_id}
    signed = f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}"
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA384())
    elif isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp384r1":
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA384())))
        signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    else:
        raise ConnectorError("The private key must be an RSA key or an EC key on P-384.")
    return f"{signed}.{_base64(signature)}"


async def access_token(service: BackendService, client: httpx.AsyncClient) -> tuple[str, float]:
    """Return a token and the monotonic second after which a new one is needed.

    Raises ConnectorError if the server refuses, RetryLater if it is busy or silent.
    """
    form = {
        "grant_type": "client_credentials",
        "scope": service.scope,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(service),
    }
    try:
        answer = await client.post(service.token_url, data=form)
    except httpx.TimeoutException as error:
        raise RetryLater from error
    except httpx.HTTPError as error:
        raise ConnectorError("The token server can't be reached; check the token URL.") from error
    if answer.status_code in (429, 503):
        raise RetryLater
    try:
        body = answer.json() if answer.status_code == 200 else {}
        token, lasts = str(body["access_token"]), float(body.get("expires_in", 60))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConnectorError(
            f"The token server gave no token (HTTP {answer.status_code}); "
            "check client id, key and scope."
        ) from error
    return token, time.monotonic() + max(0.0, lasts - EARLY_S)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
