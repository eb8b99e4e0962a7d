"""Access tokens against a real OpenID provider: 3 good ones, 19 bad ones."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from assistant.access.tokens import Keys, ProviderUnavailable, Refused, Tokens
from assistant.settings import OidcSettings
from tests.support.oidc import AUDIENCE, Provider, provider

Json = dict[str, Any]
HEADER: Json = {"alg": "RS256", "typ": "at+jwt", "kid": "rsa"}


@pytest.fixture(scope="module")
def idp() -> Iterator[Provider]:
    """The provider that all of this module's tokens speak of."""
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def tokens(idp: Provider) -> Tokens:
    return Tokens(OidcSettings.model_validate({"issuer": idp.issuer, "audience": AUDIENCE}))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "Ed25519"])
def test_good_tokens_are_accepted(idp: Provider, tokens: Tokens, algorithm: str) -> None:
    claims = tokens.verify(idp.token("ana", algorithm))
    assert (claims.issuer, claims.subject, claims.name) == (idp.issuer, "ana", "ana")
    assert claims.groups == {"finance"}
    assert claims.roles == {"employee"}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def written(idp: Provider, header: Json | None = None, **changes: Any) -> str:
    """A token of the provider's own key, with other claims; None leaves one out."""
    now = int(time.time())
    claims = {"iss": idp.issuer, "aud": AUDIENCE, "sub": "ana", "iat": now, "exp": now + 300}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode({**HEADER, **(header or {})}, claims, idp.keys["RS256"])


def unsigned(idp: Provider) -> str:
    _, body, _ = written(idp).split(".")
    return f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{body}."


def shared_secret(idp: Provider) -> str:
    """Signed with the public key as if it were a shared secret (key confusion)."""
    key = idp.keys["RS256"]
    assert isinstance(key, RSAKey)
    _, body, _ = written(idp).split(".")
    signed = f"{part({**HEADER, 'alg': 'HS256'})}.{body}"
    digest = hmac.digest(key.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def tampered(idp: Provider) -> str:
    head, body, signature = written(idp).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{part({**claims, 'sub': 'boss'})}.{signature}"


def foreign_key(idp: Provider) -> str:
    now = int(time.time())
    claims = {"iss": idp.issuer, "aud": AUDIENCE, "sub": "ana", "iat": now, "exp": now + 300}
    return jwt.encode(HEADER, claims, RSAKey.generate_key(2048))


def header_only(idp: Provider, **changes: Any) -> str:
    """A good token whose header was changed without signing it again."""
    _, body, signature = written(idp).split(".")
    return f"{part({**HEADER, **changes})}.{body}.{signature}"


NOW = time.time
BAD: dict[str, Callable[[Provider], str]] = {
    "unsigned": unsigned,
    "shared secret": shared_secret,
    "tampered": tampered,
    "foreign key": foreign_key,
    "unknown key": lambda idp: header_only(idp, kid="other"),
    "another algorithm": lambda idp: header_only(idp, alg="RS512"),
    "a key of another kind": lambda idp: header_only(idp, kid="ec"),
    "crit": lambda idp: header_only(idp, crit=["exp"]),
    "brings its key": lambda idp: header_only(idp, jwk={"kty": "oct", "k": "AAAA"}),
    "names its keys": lambda idp: header_only(idp, jku="http://127.0.0.1/keys"),
    "an ID token": lambda idp: written(idp, {"typ": "JWT"}),
    "another issuer": lambda idp: written(idp, iss="https://elsewhere.example"),
    "another audience": lambda idp: written(idp, aud="https://elsewhere.example"),
    "no audience": lambda idp: written(idp, aud=None),
    "expired": lambda idp: written(idp, iat=int(NOW()) - 400, exp=int(NOW()) - 100),
    "no end": lambda idp: written(idp, exp=None),
    "not yet": lambda idp: written(idp, nbf=int(NOW()) + 200),
    "too long": lambda idp: written(idp, exp=int(NOW()) + 100_000),
    "no subject": lambda idp: written(idp, sub=""),
}


def test_the_matrix_has_19_bad_tokens() -> None:
    assert len(BAD) == 19


@pytest.mark.parametrize("name", list(BAD))
def test_bad_tokens_are_refused(idp: Provider, tokens: Tokens, name: str) -> None:
    assert tokens.verify(written(idp)).subject == "ana"
    with pytest.raises(Refused):
        tokens.verify(BAD[name](idp))


def test_unknown_keys_are_asked_for_at_most_every_ten_seconds(idp: Provider) -> None:
    now = [0.0]
    keys = Keys(idp.issuer, clock=lambda: now[0])
    assert keys.find("rsa", "RS256").kid == "rsa"
    asked = keys._fetched_at
    now[0] = 5.0
    with pytest.raises(Refused):
        keys.find("new", "RS256")
    assert keys._fetched_at == asked
    now[0] = 11.0
    with pytest.raises(Refused):
        keys.find("new", "RS256")
    assert keys._fetched_at == 11.0


def test_without_the_provider_old_keys_hold_for_an_hour() -> None:
    now = [0.0]
    with provider() as running:
        keys = Keys(running.issuer, clock=lambda: now[0])
        keys.find("rsa", "RS256")
    now[0] = 3500.0
    assert keys.find("rsa", "RS256").kid == "rsa"
    now[0] = 3700.0
    with pytest.raises(ProviderUnavailable):
        keys.find("rsa", "RS256")
