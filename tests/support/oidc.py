"""A real OpenID provider (npm `oidc-provider`), whose signing keys the tests have too."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests.support.daemon import free_port

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".venv" / "servers" / "oidc"
AUDIENCE = "https://assistant.example"
START_S = 90


@dataclass(frozen=True)
class Provider:
    """A running provider with its issuer and private keys by algorithm."""

    issuer: str
    keys: dict[str, Key]

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self.issuer.rpartition(":")[2])

    def n_times_asked(self) -> int:
        """Count how often its keys were asked for."""
        return int(httpx.get(f"{self.issuer}/n-keys", timeout=60).text)

    def token(self, login: str, algorithm: str = "RS256") -> str:
        """Sign somebody in through the provider's own forms; returns their access token."""
        client_id = f"app-{algorithm}"
        asked = {
            "client_id": client_id,
            "response_type": "code",
            "scope": "openid ask",
            "redirect_uri": "http://127.0.0.1/cb",
            "resource": AUDIENCE,
        }
        with httpx.Client(timeout=60) as browser:
            response = browser.get(f"{self.issuer}/auth", params=asked)
            while True:
                if response.is_redirect:
                    address = urljoin(str(response.url), response.headers["location"])
                    if address.startswith("http://127.0.0.1/cb"):
                        break
                    response = browser.get(address)
                else:
                    form = _Form()
                    form.feed(response.text)
                    filled = {**form.values, "login": login, "password": "x"}
                    response = browser.post(form.action, data=filled)
            code = parse_qs(urlsplit(address).query)["code"][0]
            exchanged = browser.post(
                f"{self.issuer}/token",
                data={
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": "http://127.0.0.1/cb",
                    "resource": AUDIENCE,
                },
                auth=(client_id, "secret"),
            )
        body: dict[str, Any] = exchanged.json()
        return str(body["access_token"])


class _Form(HTMLParser):
    """The form of a page: where it goes and what it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.action = found.get("action") or ""
        elif tag == "input" and found.get("name") and found.get("type") == "hidden":
            self.values[str(found["name"])] = found.get("value") or ""


def new_keys(name: str = "") -> dict[str, Key]:
    """Make a provider's keys by algorithm; their ids end in a name."""
    return {
        "RS256": RSAKey.generate_key(2048, {"kid": f"rsa{name}", "use": "sig", "alg": "RS256"}),
        "ES256": ECKey.generate_key("P-256", {"kid": f"ec{name}", "use": "sig", "alg": "ES256"}),
        "Ed25519": OKPKey.generate_key(
            "Ed25519", {"kid": f"ed{name}", "use": "sig", "alg": "Ed25519"}
        ),
    }


@contextmanager
def provider(
    keys: dict[str, Key] | None = None,
    older: Sequence[Key] = (),
    port: int = 0,
    *,
    page: str = "",
    token_s: int = 300,
) -> Iterator[Provider]:
    """Start a provider, by default on a free port; `older` keys are published, but not used.

    `page` is where the chat page is, `token_s` how long access tokens last.
    """
    node = shutil.which("node")
    if node is None or not (PACKAGES / "node_modules").is_dir():
        pytest.fail("The sign-in tests need Node.js and oidc-provider; run: make servers")
    port, keys = port or free_port(), keys or new_keys()
    published = [key.as_dict(private=True) for key in (*keys.values(), *older)]
    private = json.dumps({"keys": published})
    script = str(Path(__file__).with_name("oidc_provider.mjs"))
    command = [node, script, str(PACKAGES), private, str(port), page, str(token_s)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], START_S)
            if not ready or process.stdout.readline().strip() != b"ready":
                pytest.fail("The OpenID provider didn't start.")
            yield Provider(f"http://127.0.0.1:{port}", keys)
        finally:
            process.kill()
