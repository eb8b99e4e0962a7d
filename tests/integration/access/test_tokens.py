"""Access tokens against a real OpenID provider: 3 good ones, 19 with one defect each."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc.jwk import RSAKey

from assistant.access.tokens import Keys, ProviderUnavailable, Refused, Tokens
from assistant.settings import OidcSettings
from tests.support.oidc import AUDIENCE, Provider, new_keys, provider

Json = dict[str, Any]
NOW = time.time


def settings_for(idp: Provider) -> OidcSettings:
    return OidcSettings.model_validate({"issuer": idp.issuer, "audience": AUDIENCE})


@pytest.fixture(scope="module")
def idp() -> Iterator[Provider]:
    """The provider that all of this module's tokens speak of."""
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def tokens(idp: Provider) -> Tokens:
    return Tokens(settings_for(idp))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "Ed25519"])
def test_good_tokens_are_accepted(idp: Provider, tokens: Tokens, algorithm: str) -> None:
    claims = tokens.verify(idp.token("ana", algorithm))
    assert (claims.issuer, claims.subject, claims.name) == (idp.issuer, "ana", "ana")
    assert claims.groups == {"finance"}
    assert claims.roles == {"employee"}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def private_key(idp: Provider) -> rsa.RSAPrivateKey:
    key = idp.keys["RS256"]
    assert isinstance(key, RSAKey)
    found = key.private_key
    assert isinstance(found, rsa.RSAPrivateKey)
    return found


def signed(
    idp: Provider,
    header: Json | None = None,
    *,
    by: rsa.RSAPrivateKey | None = None,
    digest: hashes.HashAlgorithm | None = None,
    **changes: Any,
) -> str:
    """A token that is signed over exactly what it says; a claim that is None is left out.

    Written by hand: a library would refuse to write most of these.
    """
    now = int(NOW())
    claims = {"iss": idp.issuer, "aud": AUDIENCE, "sub": "ana", "iat": now, "exp": now + 300}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    text = (
        f"{part({'alg': 'RS256', 'typ': 'at+jwt', 'kid': 'rsa'} | (header or {}))}.{part(claims)}"
    )
    key = by or private_key(idp)
    signature = key.sign(text.encode(), padding.PKCS1v15(), digest or hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def is_signed(idp: Provider, token: str) -> bool:
    """Whether the provider's key signed exactly these bytes, as another library sees it."""
    text, _, signature = token.rpartition(".")
    digest = hashes.SHA512() if "RS512" in header_of(token)["alg"] else hashes.SHA256()
    try:
        private_key(idp).public_key().verify(
            base64.urlsafe_b64decode(signature + "=="), text.encode(), padding.PKCS1v15(), digest
        )
    except InvalidSignature:
        return False
    return True


def header_of(token: str) -> Json:
    return dict(json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "==")))


def unsigned(idp: Provider) -> str:
    _, body, _ = signed(idp).split(".")
    return f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{body}."


def shared_secret(idp: Provider) -> str:
    """Signed with the public key as if it were a shared secret (key confusion)."""
    key = idp.keys["RS256"]
    assert isinstance(key, RSAKey)
    _, body, _ = signed(idp).split(".")
    text = f"{part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': 'rsa'})}.{body}"
    digest = hmac.digest(key.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def tampered(idp: Provider) -> str:
    head, body, signature = signed(idp).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{part({**claims, 'sub': 'boss'})}.{signature}"


def foreign(idp: Provider) -> str:
    return signed(idp, by=rsa.generate_private_key(65537, 2048))


def own_key(idp: Provider) -> Json:
    # Of the shorter kind: headers are limited in length, too.
    return dict(idp.keys["ES256"].as_dict(private=False))


Bad = Callable[[Provider], str]

NOT_SIGNED: dict[str, tuple[str, Bad]] = {
    "unsigned": ("algorithm", unsigned),
    "shared secret": ("algorithm", shared_secret),
    "tampered": ("bad_signature", tampered),
    "foreign key": ("bad_signature", foreign),
}
"""Name, reason and maker of tokens whose one defect is the signature."""

SIGNED: dict[str, tuple[str, Bad]] = {
    "unknown key": ("key", lambda idp: signed(idp, {"kid": "other"})),
    "another algorithm": (
        "algorithm",
        lambda idp: signed(idp, {"alg": "RS512"}, digest=hashes.SHA512()),
    ),
    "a key of another kind": ("key", lambda idp: signed(idp, {"kid": "ec"})),
    "crit": ("header", lambda idp: signed(idp, {"crit": ["exp"]})),
    "brings its key": ("header", lambda idp: signed(idp, {"jwk": own_key(idp)})),
    "names its keys": ("header", lambda idp: signed(idp, {"jku": f"{idp.issuer}/jwks"})),
    "an ID token": ("type", lambda idp: signed(idp, {"typ": "JWT"})),
    "another issuer": (
        "invalid_claim iss",
        lambda idp: signed(idp, iss="https://elsewhere.example"),
    ),
    "another audience": (
        "invalid_claim aud",
        lambda idp: signed(idp, aud="https://elsewhere.example"),
    ),
    "no audience": ("missing_claim aud", lambda idp: signed(idp, aud=None)),
    "expired": (
        "expired_token exp",
        lambda idp: signed(idp, iat=int(NOW()) - 400, exp=int(NOW()) - 100),
    ),
    "no end": ("missing_claim exp", lambda idp: signed(idp, exp=None)),
    "not yet": ("invalid_claim nbf", lambda idp: signed(idp, nbf=int(NOW()) + 200)),
    "too long": ("lifetime", lambda idp: signed(idp, exp=int(NOW()) + 100_000)),
    "no subject": ("subject", lambda idp: signed(idp, sub="")),
}
"""The same of tokens that the provider's own key signed."""

BAD = NOT_SIGNED | SIGNED


def test_the_matrix_has_19_bad_tokens() -> None:
    assert len(BAD) == len(NOT_SIGNED) + len(SIGNED) == 19


@pytest.mark.parametrize("name", list(BAD))
def test_bad_tokens_are_refused_for_their_one_defect(
    idp: Provider, tokens: Tokens, name: str
) -> None:
    reason, make = BAD[name]
    assert tokens.verify(signed(idp)).subject == "ana"
    token = make(idp)
    assert is_signed(idp, token) == (name in SIGNED)
    with pytest.raises(Refused) as refused:
        tokens.verify(token)
    assert refused.value.reason == reason
    assert str(refused.value) == str(Refused()), "whoever sent it is not told why"


def test_keys_change_at_the_provider() -> None:
    """A new key is accepted after one more look, an old one refused once it is gone."""
    now = [0.0]
    old, new = new_keys("-old"), new_keys("-new")

    with provider(old) as idp:
        port, settings = idp.port, settings_for(idp)
        tokens = Tokens(settings, Keys(idp.issuer, clock=lambda: now[0]))
        by_old = idp.token("ana")
        assert tokens.verify(by_old).subject == "ana"
    with provider(new, [old["RS256"]], port) as idp:
        by_new = idp.token("ana")
        now[0] = 5.0
        with pytest.raises(Refused) as refused:
            tokens.verify(by_new)
        assert (refused.value.reason, idp.n_times_asked()) == ("key", 0)
        now[0] = 11.0
        assert tokens.verify(by_new).subject == "ana"
        assert tokens.verify(by_old).subject == "ana"
        assert idp.n_times_asked() == 1
    with provider(new, port=port) as idp:
        now[0] = 600.0
        assert tokens.verify(by_old).subject == "ana"
        now[0] = 612.0
        assert tokens.verify(by_new).subject == "ana"
        with pytest.raises(Refused) as refused:
            tokens.verify(by_old)
        assert (refused.value.reason, idp.n_times_asked()) == ("key", 1)


def test_nobody_can_make_us_flood_the_provider(idp: Provider) -> None:
    now = [0.0]
    tokens = Tokens(settings_for(idp), Keys(idp.issuer, clock=lambda: now[0]))
    assert tokens.verify(signed(idp)).subject == "ana"
    before = idp.n_times_asked()
    made = [signed(idp, {"kid": f"made-up-{n}"}) for n in range(40)]

    def send(token: str) -> str:
        try:
            return tokens.verify(token).subject
        except Refused as error:
            return error.reason

    for later, n_asked in ((1.0, 0), (11.0, 1), (12.0, 1), (22.0, 2)):
        now[0] = later
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(send, [*made, signed(idp)]))
        assert told == ["key"] * len(made) + ["ana"]
        assert idp.n_times_asked() - before == n_asked


def test_known_keys_need_not_wait_for_a_provider_that_is_silent(idp: Provider) -> None:
    """Somebody with a made-up key hangs at the provider; everybody else comes in meanwhile."""
    clock = [0.0]
    asking, goes_on = threading.Event(), threading.Event()
    keys = Keys(idp.issuer, clock=lambda: clock[0])
    assert keys.find("rsa", "RS256") is not None
    fetch = keys._refresh

    def silent(now: float) -> None:
        asking.set()
        assert goes_on.wait(60)
        fetch(now)

    keys._refresh = silent  # type: ignore[method-assign]
    for later in (11.0, 700.0):
        clock[0] = later
        asking.clear()
        goes_on.clear()
        stranger = threading.Thread(target=keys.find, args=("made-up", "RS256"))
        stranger.start()
        assert asking.wait(60)
        found = keys.find("rsa", "RS256")
        goes_on.set()
        stranger.join()
        assert found is not None


def test_without_the_provider_old_keys_hold_for_an_hour() -> None:
    now = [0.0]
    with provider() as running:
        keys = Keys(running.issuer, clock=lambda: now[0])
        keys.find("rsa", "RS256")
    now[0] = 3500.0
    assert keys.find("rsa", "RS256") is not None
    now[0] = 3700.0
    with pytest.raises(ProviderUnavailable):
        keys.find("rsa", "RS256")
