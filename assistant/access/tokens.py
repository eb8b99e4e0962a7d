"""Access tokens of an identity provider: signed JWTs, checked against its published keys.

What RFC 8725 and RFC 9068 ask for is refused here in one place: other algorithms than those
allowed (never `none` or a shared secret), other issuers, audiences and types, `crit`, keys that
the token brings along, and lifetimes without an end.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc import jws, jwt
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import JWKRegistry, Key

from assistant.access.roles import check_roles
from assistant.domain import Role
from assistant.errors import DependencyError, InvalidRequest, Unauthenticated
from assistant.settings import OidcSettings
from assistant.telemetry import logger

MAX_TOKEN = 16_384
MAX_DOCUMENT = 1_000_000
MAX_GROUPS = 1000
MAX_NAME = 255
REFRESH_S = 600.0
MAX_AGE_S = 3600.0
RETRY_S = 10.0

_BROUGHT_KEYS = frozenset({"crit", "b64", "jku", "jwk", "x5u", "x5c"})
_TWO_NAMES = {"EdDSA", "Ed25519"}
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}

_log = logger(__name__)


class ProviderUnavailable(DependencyError):
    """The identity provider can't be reached, so nobody can be recognized; try again."""

    slug = "identity-provider-unavailable"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that was found good says of its person; `issued_at` in seconds since 1970."""

    issuer: str
    subject: str
    name: str
    email: str | None
    groups: frozenset[str]
    roles: frozenset[Role]
    issued_at: int


class Refused(Unauthenticated):
    """The access token was not accepted; sign in again."""

    reason = ""
    """What is wrong with it: for the log and the tests, never for whoever sent it."""


class _Defect(ValueError):
    """A token's defect, in one word."""


class Keys:
    """The provider's public keys: fetched when first needed, kept for a while. Thread-safe.

    They are asked for again after ten minutes, and for a key that is not known, but never more
    often than every ten seconds; keys that could not be confirmed for an hour are not used.
    """

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: list[Key] = []
        self._fetched_at = -math.inf
        self._tried_at = -math.inf

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Return the key of a token's header, None if there is none; raises `ProviderUnavailable`.

        Only who comes with an unknown key waits while another asks the provider.
        """
        now = self._clock()
        found = self._known(kid, algorithm)
        if found is not None and now - self._fetched_at <= REFRESH_S:
            return found
        if self._lock.acquire(blocking=found is None):
            try:
                if now - self._tried_at > RETRY_S:
                    self._tried_at = now
                    self._refresh(now)
                found = self._known(kid, algorithm)
            finally:
                self._lock.release()
        if now - self._fetched_at > MAX_AGE_S:
            raise ProviderUnavailable()
        return found

    def _known(self, kid: str | None, algorithm: str) -> Key | None:
        fitting = [key for key in self._keys if _fits(key, algorithm)]
        if kid is None:
            return fitting[0] if len(self._keys) == 1 and fitting else None
        return next((key for key in fitting if key.kid == kid), None)

    def _refresh(self, now: float) -> None:
        try:
            with httpx.Client(timeout=5, follow_redirects=False, trust_env=False) as client:
                about = _document(client, _well_known(self._issuer))
                if about.get("issuer") != self._issuer:
                    raise ValueError("another issuer")
                address = str(about["jwks_uri"])
                if self._issuer.startswith("https://") and not address.startswith("https://"):
                    raise ValueError("keys without TLS")
                self._keys = _public(_document(client, address))
        except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError, JoseError) as error:
            _log.warning("keys of the identity provider not read", cause=type(error).__name__)
        else:
            self._fetched_at = now


class Tokens:
    """Checks the access tokens of one provider."""

    def __init__(self, settings: OidcSettings, keys: Keys | None = None) -> None:
        self._settings = settings
        self._keys = keys or Keys(settings.issuer)

    def verify(self, token: str) -> Claims:
        """Return what a token says; raises `Refused` unless it is good now."""
        try:
            return self._verified(token)
        except (JoseError, ValueError, TypeError) as error:
            refused = Refused()
            refused.reason = _reason(error)
            _log.info("access token refused", reason=refused.reason)
            raise refused from error

    def _verified(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN or token.count(".") != 2:
            raise _Defect("form")
        header = jws.extract_compact(token.encode("ascii")).headers()
        algorithm = self._checked(header)
        key = self._keys.find(header.get("kid"), algorithm)
        if key is None:
            raise _Defect("key")
        registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        claims = jwt.decode(token, key, registry=registry).claims
        self._check(claims)
        return self._read(claims)

    def _checked(self, header: Mapping[str, Any]) -> str:
        """Return the algorithm of a header that has nothing forbidden."""
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._settings.algorithms:
            raise _Defect("algorithm")
        if _BROUGHT_KEYS & set(header) or not (kid is None or isinstance(kid, str)):
            raise _Defect("header")
        written = str(header.get("typ", "")).lower().removeprefix("application/")
        if written not in {kind.lower() for kind in self._settings.token_types}:
            raise _Defect("type")
        return str(algorithm)

    def _check(self, claims: Mapping[str, Any]) -> None:
        chosen = self._settings
        for name in ("exp", "iat", "nbf"):
            value = claims.get(name, 0)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                raise _Defect(name)
        jwt.JWTClaimsRegistry(
            leeway=chosen.leeway_s,
            iss={"essential": True, "value": chosen.issuer},
            aud={"essential": True, "value": chosen.audience},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(dict(claims))
        if claims["exp"] - claims["iat"] > chosen.max_lifetime_s:
            raise _Defect("lifetime")

    def _read(self, claims: Mapping[str, Any]) -> Claims:
        chosen = self._settings
        subject = claims.get(chosen.subject_claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_NAME:
            raise _Defect("subject")
        if not subject.isprintable() or subject != subject.strip():
            raise _Defect("subject")
        told = {chosen.roles[v] for v in _names(claims, chosen.roles_claim) if v in chosen.roles}
        email = claims.get(chosen.email_claim)
        try:
            roles = check_roles(told | set(chosen.default_roles))
        except InvalidRequest as error:
            raise _Defect("roles") from error
        return Claims(
            issuer=chosen.issuer,
            subject=subject,
            name=str(claims.get(chosen.name_claim) or "")[:MAX_NAME],
            email=email[:MAX_NAME] if isinstance(email, str) else None,
            groups=_names(claims, chosen.groups_claim),
            roles=roles,
            issued_at=int(claims["iat"]),
        )


def _reason(error: Exception) -> str:
    """Say what is wrong with a token in a word or two, without anything that it holds."""
    if isinstance(error, _Defect):
        return str(error)
    if isinstance(error, ClaimError):
        return f"{error.error} {error.claim}"
    return str(getattr(error, "error", "form"))


def _names(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """Return the names that a claim lists; none where the provider left it out."""
    value = claims.get(claim, [])
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or len(listed) > MAX_GROUPS:
        raise _Defect(claim)
    if not all(isinstance(name, str) and 0 < len(name) <= MAX_NAME for name in listed):
        raise _Defect(claim)
    return frozenset(listed)


def _well_known(issuer: str) -> str:
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def _document(client: httpx.Client, url: str) -> dict[str, Any]:
    with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise ValueError("status")
        content = b""
        for piece in response.iter_bytes():
            content += piece
            if len(content) > MAX_DOCUMENT:
                raise ValueError("too large")
    body = httpx.Response(200, content=content).json()
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body


def _public(document: Mapping[str, Any]) -> list[Key]:
    """Return the keys of a set that check signatures; others are left out."""
    found = []
    for data in document["keys"]:
        if data.get("kty") in {"RSA", "EC", "OKP"} and data.get("use", "sig") == "sig":
            key = JWKRegistry.import_key({k: v for k, v in data.items() if k != "d"})
            found.append(key)
    return found


def _fits(key: Key, algorithm: str) -> bool:
    """Whether a key is of the algorithm's kind, and meant for it if it says for which."""
    written = key.as_dict(private=False).get("alg", algorithm)
    same = written == algorithm or {written, algorithm} == _TWO_NAMES
    return key.key_type == _KINDS[algorithm[:2]] and same
