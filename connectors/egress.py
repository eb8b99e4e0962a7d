"""The gate through which connectors fetch from the web: where to, by which address, how much.

A URL is taken apart once, strictly, and put together anew from its parts, so that no second parser
can see another host in it. The host must be one of those allowed. Its name is resolved, every
address is judged by a table of our own (`ipaddress.is_global` says yes to NAT64, 6to4 and some
metadata services), and the connection goes to the very address that was judged
(`connectors.http`): a name that is rebound in between changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import quote

from connectors.contract import ConnectorError

Kind = Literal["public", "internal", "local", "never"]

_PORTS = {"http": 80, "https": 443}

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][^\x00-\x1f\x7f\\#]*)?(?:#.*)?",
    re.DOTALL,
)
_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9-]{1,63}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# The first network that an address lies in decides; what is in none of them is public.
_NETWORKS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("local", ("169.254.0.0/16", "fe80::/10", "100.100.100.200/32", "fd00:ec2::/32")),
    ("local", ("192.0.0.192/32", "168.63.129.16/32", "fd20:ce::254/128")),
    ("internal", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")),
    ("internal", ("100.64.0.0/10", "::1/128", "fc00::/7")),
    ("never", ("0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24")),
    ("never", ("192.88.99.0/24", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24")),
    ("never", ("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")),
    ("never", ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")),
    ("public", ("0.0.0.0/0", "2000::/3")),
    ("never", ("::/0",)),
)
_TABLE = [(kind, ip_network(text)) for kind, texts in _NETWORKS for text in texts]


class EgressRefused(ConnectorError):
    """The gate lets nothing through to this URL; no byte was sent there."""


@dataclass(frozen=True, slots=True)
class Place:
    """A URL in its parts; `target` is path and query as they are sent."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Return host and port as the Host header has them, without a usual port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _PORTS.get(self.scheme) == self.port else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Return the URL in its one spelling."""
        return f"{self.scheme}://{self.authority}{self.target}"


@dataclass(frozen=True, slots=True)
class Gate:
    """Where connections may go.

    `hosts` are authorities, such as `docs.example.com` or `intranet:8080`. The `internal` ones of
    their names may lead to private and loopback addresses; link-local addresses, where clouds keep
    credentials, only if the address itself is written there.
    """

    hosts: frozenset[str]
    internal: frozenset[str] = frozenset()
    schemes: frozenset[str] = frozenset({"https", "http"})

    def place(self, url: str) -> Place:
        """Return the parts of an allowed URL; raises `EgressRefused`."""
        place = parse(url)
        if place.scheme not in self.schemes:
            raise EgressRefused(f"{shown(url)} is refused: the scheme {place.scheme} isn't used.")
        if place.authority not in self.hosts:
            raise EgressRefused(
                f"{shown(url)} is refused: {place.authority} is not among the allowed hosts."
            )
        return place

    def admit(self, place: Place, addresses: list[str]) -> list[str]:
        """Return the addresses to connect to; raises `EgressRefused` if a single one is bad."""
        for address in addresses:
            kind = judge(address)
            literal = place.host == address and place.host in self.internal
            named = kind == "internal" and place.host in self.internal
            if kind == "never" or (kind != "public" and not (literal or named)):
                raise EgressRefused(
                    f"{place.authority} is refused: it leads to {address}, which is no public "
                    "address; if that is meant, list the host among the internal hosts."
                )
        if not addresses:
            raise ConnectorError(f"There is no host {place.host}; check the name.")
        return addresses


def judge(address: str) -> Kind:
    """Return what an IP address is: `local` are link-local and metadata addresses."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return "never"
    return next(
        (kind for kind, net in _TABLE if net.version == parsed.version and parsed in net), "never"
    )


def parse(url: str) -> Place:
    """Take a URL apart; raises `EgressRefused` for anything two parsers could read differently."""
    found = _URL.fullmatch(url.strip(" "))
    if found is None:
        raise EgressRefused(f"{shown(url)} is refused: it is not a plain URL with a host.")
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"]) if found["port"] else _PORTS.get(scheme, 0)
    if not 0 < port < 65_536:
        raise EgressRefused(f"{shown(url)} is refused: the scheme or port is not one for the web.")
    target = found["target"] or "/"
    target = "/" + target if target.startswith("?") else target
    return Place(scheme, _host(host, url), port, quote(target, safe=_SAFE))


_SAFE = "".join(chr(n) for n in range(33, 127) if chr(n) not in '"<>\\^`{|}')


def is_literal(host: str) -> bool:
    """Return whether a host is an IP address rather than a name."""
    return ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def _host(host: str, url: str) -> str:
    bare = host.strip("[]")
    if is_literal(host):
        try:
            parsed = ip_address(bare)
        except ValueError as error:
            raise EgressRefused(f"{shown(url)} is refused: {bare} is no IP address.") from error
        if host.startswith("[") and parsed.version == 4:
            raise EgressRefused(f"{shown(url)} is refused: {bare} is no IPv6 address.")
        return str(parsed)
    if not _NAME.fullmatch(host):
        raise EgressRefused(f"{shown(url)} is refused: {host} is no host name.")
    return host


def shown(url: str) -> str:
    """Return a URL for a message: without credentials and control characters, and short."""
    plain = re.sub(r"//[^/@]*@", "//…@", url)
    plain = re.sub(r"[?].*", "?…", plain, flags=re.DOTALL)
    return re.sub(r"[\x00-\x20\x7f]+", " ", plain)[:200]
