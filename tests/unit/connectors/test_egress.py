"""The gate: forged URLs, forged names and bad addresses connect to nothing."""

from __future__ import annotations

import asyncio

import pytest

from connectors.contract import ConnectorError
from connectors.egress import EgressRefused, Gate, judge, parse
from connectors.http import Client, Limits
from connectors.robots import parse as robots
from tests.support import website
from tests.support.website import Website

FORGED = [
    "http://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal/",
    "https://localhost/",
    "https://allowed.example./",
    "https://allowed.example:8443/",
    "https://allowed.example:0443x/",
    "https://allowed.example@127.0.0.1/",
    "https://user:secret@allowed.example/",
    "http://127.0.0.1\\.allowed.example/",
    "https://127.0.0.1\\@allowed.example/",
    "https://allowed.example\\@127.0.0.1/",
    "https://127.0.0.1#@allowed.example/",
    "https://127.0.0.1?@allowed.example/",
    "https://allowed.example.evil.example/",
    "https://evilallowed.example/",
    "https://allowed.example%2eevil.example/",
    "https://allowed.example%00.evil.example/",
    "https://allowed\u3002example/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https:///allowed.example/",
    "https:/allowed.example/",
    "//allowed.example/",
    "http://allowed.example/",
    "ftp://allowed.example/",
    "file:///etc/passwd",
    "gopher://allowed.example:443/",
    "https://allowed.example\r\nHost: evil.example/",
    "https://allowed.example/\r\nX: y",
    "https://allowed.example\t.evil.example/",
    "javascript:alert(1)",
    "",
]


def client(gate: Gate, *addresses: str) -> tuple[Client, list[str]]:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return list(addresses)

    return Client(gate, Limits(timeout_s=5), "tests", resolve=resolve), asked


def get(one: Client, url: str) -> bytes:
    async def story() -> bytes:
        try:
            async with one.ask(url) as answer:
                return b"".join([piece async for piece in answer.pieces])
        finally:
            await one.aclose()

    return asyncio.run(story())


@pytest.mark.parametrize("url", FORGED)
def test_forged_urls_are_not_even_resolved(url: str) -> None:
    gate = Gate(frozenset({"allowed.example"}), schemes=frozenset({"https"}))
    one, asked = client(gate, "127.0.0.1")
    with pytest.raises(EgressRefused) as caught:
        get(one, url)
    assert asked == []
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:1::1",
        "fd00::1",
        "fe80::1%lo",
        "ff02::1",
        "fec0::1",
    ],
)
def test_names_that_lead_inside_are_refused(address: str) -> None:
    one, _ = client(Gate(frozenset({"allowed.example"})), "93.184.215.14", address)
    with pytest.raises(EgressRefused, match="no public"):
        get(one, "https://allowed.example/")
    assert judge(address) != "public"


def test_internal_hosts_never_lead_to_credentials_of_the_cloud() -> None:
    gate = Gate(frozenset({"intranet"}), internal=frozenset({"intranet"}))
    assert gate.admit(parse("http://intranet/"), ["10.0.0.5"]) == ["10.0.0.5"]
    with pytest.raises(EgressRefused):
        gate.admit(parse("http://intranet/"), ["169.254.169.254"])
    assert [judge("93.184.215.14"), judge("2606:4700::1111")] == ["public", "public"]


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    """The name exists only for the gate: any second look-up would fail."""
    with website.serving(Website(pages={"/a": b"here"})) as site:
        port = site.url.rpartition(":")[2]
        host = "intranet.invalid"
        gate = Gate(frozenset({f"{host}:{port}"}), internal=frozenset({host}))
        one, asked = client(gate, "127.0.0.1")
        assert get(one, f"http://{host}:{port}/a") == b"here"
        assert asked == [host]
        nowhere, _ = client(gate)
        with pytest.raises(ConnectorError, match="There is no host"):
            get(nowhere, f"http://{host}:{port}/a")


def test_robots_rules_match_the_longest() -> None:
    text = b"User-agent: other\nDisallow: /\n\nUser-agent: *\n"
    text += b"Disallow: /a\nAllow: /a/b$\nCrawl-delay: 3"
    rules = robots(text, "us")
    assert [rules.allows(t) for t in ("/", "/a/x", "/a/b", "/a/bc")] == [True, False, True, False]
    assert rules.delay_s == 3
    assert not robots(b"User-agent: US\nDisallow: /*.pdf", "us").allows("/x.pdf?y")
