"""The address of a server that an admin enters: what it may look like, where it may lead.

Servers inside the company are fine. Addresses that only a machine's own platform answers, such as
the metadata service of a cloud at 169.254.169.254, are not: whoever may add a source must not
reach the machine's role through it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from connectors.contract import ConnectorError

_METADATA = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})


def checked_url(url: str) -> str:
    """Return an address without its last slash.

    Raises ValueError if it is no plain http(s) address, or names a cloud's metadata service.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError("it is not a valid address") from error
    if parts.scheme not in ("http", "https") or not host or "\\" in url or url != url.strip():
        raise ValueError("an address begins with https:// and a host, such as https://s3.local")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave user and password out of the address; they have their own fields")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("leave out everything from ? or # on")
    if host.lower().rstrip(".") in _METADATA_NAMES or is_forbidden(host):
        raise ValueError("this address belongs to the machine's own platform; it can't be used")
    return url.rstrip("/")


def is_forbidden(address: str) -> bool:
    """Say whether a literal IP address is link-local, multicast, unspecified or a metadata one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    special = ip.is_link_local or ip.is_multicast or ip.is_unspecified
    return special or str(ip) in _METADATA


def is_loopback(url: str) -> bool:
    """Say whether an address is this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def check_host(url: str) -> None:
    """Raise `ConnectorError` if a name leads to a forbidden address or to none."""
    host = urlsplit(url).hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ConnectorError(f"There is no server named {host}; check the address.") from error
    if any(is_forbidden(str(one[4][0])) for one in found):
        raise ConnectorError(f"{host} leads to the machine's own platform; it can't be used.")
