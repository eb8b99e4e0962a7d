"""Addresses that an admin may enter, and those that no source may reach."""

from __future__ import annotations

import asyncio

import pytest

from connectors.contract import ConnectorError
from connectors.origin import check_host, checked_url, is_forbidden, is_loopback


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://cloud.example.com/dav/", "https://cloud.example.com/dav"),
        ("http://10.1.2.3:9000", "http://10.1.2.3:9000"),
        ("https://[fd12::1]/x", "https://[fd12::1]/x"),
    ],
)
def test_servers_of_the_company_are_fine(url: str, kept: str) -> None:
    assert checked_url(url) == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cloud.example.com",
        "ftp://cloud.example.com",
        "https://",
        "https://a:b@cloud.example.com",
        "https://@cloud.example.com",
        "https://cloud.example.com/?x",
        "https://cloud.example.com/#x",
        "https://cloud.example.com:port",
        "http://127.0.0.1\\.allowed.example/",
        " https://cloud.example.com",
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://metadata.google.internal./",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|user and password|leave out"):
        checked_url(url)


def test_names_are_looked_up() -> None:
    asyncio.run(check_host("http://localhost:1"))
    with pytest.raises(ConnectorError, match=r"no server named nowhere\.invalid"):
        asyncio.run(check_host("https://nowhere.invalid"))
    with pytest.raises(ConnectorError, match="machine's own platform"):
        asyncio.run(check_host("http://0xa9fea9fe/"))


def test_loopback_and_forbidden() -> None:
    assert is_loopback("http://127.0.0.1:80")
    assert is_loopback("http://[::1]")
    assert is_loopback("http://localhost")
    assert not is_loopback("http://localhost.example.com")
    assert not is_forbidden("cloud.example.com")
