"""Reading an LDAP directory: paged searches over a verified connection, referrals not followed."""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import ldap3
from ldap3.core import exceptions as errors
from ldap3.utils.dn import parse_dn

from connectors.contract import ConnectorError, RetryLater

_ATTRIBUTES = (
    "uid",
    "member",
    "uniqueMember",
    "memberUid",
    "objectSid",
    "uidNumber",
    "gidNumber",
    "primaryGroupID",
    "userAccountControl",
    "accountExpires",
    "nsAccountLock",
    "pwdAccountLockedTime",
)
_ACCOUNT_DISABLED = 0x2
_RANGE = re.compile(r"(?P<name>[^;]+);range=(?P<first>\d+)-(?P<last>\d+|\*)", re.IGNORECASE)
_EPOCH_1601 = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER = frozenset({0, 0x7FFF_FFFF_FFFF_FFFF})


@dataclass(frozen=True, slots=True)
class Server:
    """Which server, and who binds; without `bind_dn` nobody in particular does."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    ca_file: Path | None
    bind_dn: str
    password: str
    page_size: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the directory; the names of its attributes are in lower case."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def texts(self, attribute: str) -> list[str]:
        """Return the values of an attribute that are UTF-8, without blanks around them."""
        found = []
        for value in self.attributes.get(attribute.lower(), ()):
            try:
                found.append(value.decode().strip())
            except UnicodeDecodeError:
                continue
        return found

    def text(self, attribute: str) -> str:
        """Return the first value of an attribute, "" if there is none."""
        return next(iter(self.texts(attribute)), "")

    def sids(self, attribute: str) -> list[str]:
        """Return the security identifiers of an attribute ([MS-DTYP] 2.4.2.2)."""
        return [sid for value in self.attributes.get(attribute.lower(), ()) if (sid := _sid(value))]


class Directory:
    """A bound connection, for the length of a `with` block."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: Any = None

    def __enter__(self) -> Self:
        """Connect and bind; raises `ConnectorError`, `RetryLater`."""
        server = self._server
        with _speaking(server, "signing in"):
            place = ldap3.Server(
                server.host,
                port=server.port,
                use_ssl=server.security == "tls",
                tls=_tls(server),
                get_info=ldap3.NONE,
                connect_timeout=server.timeout_s,
            )
            self._connection = ldap3.Connection(
                place,
                user=server.bind_dn or None,
                password=server.password or None,
                authentication=ldap3.SIMPLE if server.bind_dn else ldap3.ANONYMOUS,
                auto_referrals=False,
                raise_exceptions=True,
                read_only=True,
                receive_timeout=math.ceil(server.timeout_s),
            )
            try:
                self._connection.open(read_server_info=False)
                if server.security == "starttls":
                    self._connection.start_tls(read_server_info=False)
                self._connection.bind(read_server_info=False)
            except errors.LDAPException:
                self._unbind()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unbind."""
        self._unbind()

    def _unbind(self) -> None:
        with suppress(errors.LDAPException):
            self._connection.unbind()
        if self._connection.socket is not None:
            self._connection.socket.close()

    def search(self, base: str, query: str, also: tuple[str, ...]) -> list[Entry]:
        """Return the entries below a DN that a filter finds, with the attributes used here.

        Raises `ConnectorError` unless all of them come.
        """
        wanted = [*dict.fromkeys((*also, *_ATTRIBUTES))]
        with _speaking(self._server, f"a search below {base}"):
            answers = self._connection.extend.standard.paged_search(
                base, query, ldap3.SUBTREE, attributes=wanted, paged_size=self._server.page_size
            )
            rows = [one for one in answers if one["type"] == "searchResEntry"]
            return [Entry(row["dn"], self._whole(row["dn"], row["raw_attributes"])) for row in rows]

    def _whole(self, dn: str, raw: Mapping[str, list[bytes]]) -> dict[str, tuple[bytes, ...]]:
        """Return all values, also of attributes that come in ranges ([MS-ADTS] 3.1.1.3.1.3.3)."""
        found = dict[str, tuple[bytes, ...]]()
        for name, values in raw.items():
            part = _RANGE.fullmatch(name)
            key = (part["name"] if part else name).lower()
            found[key] = found.get(key, ()) + tuple(values)
            while part is not None and part["last"] != "*":
                asked = f"{part['name']};range={int(part['last']) + 1}-*"
                self._connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[asked])
                part, values = _next_range(self._connection.response or ())
                found[key] += tuple(values)
        return found


def is_disabled(person: Entry) -> bool:
    """Say whether an account is switched off or has expired (AD, 389 DS, OpenLDAP's ppolicy)."""
    control, expires = person.text("userAccountControl"), person.text("accountExpires")
    if control.lstrip("-").isdecimal() and int(control) & _ACCOUNT_DISABLED:
        return True
    if expires.isdecimal() and int(expires) not in _NEVER:
        since = (datetime.now(UTC) - _EPOCH_1601).total_seconds()
        if int(expires) / 10_000_000 <= since:
            return True
    locked = person.text("nsAccountLock").lower() == "true"
    return locked or bool(person.text("pwdAccountLockedTime"))


def sids_of(entry: Entry) -> list[str]:
    """Return the security identifiers that an entry has of its own.

    Samba names a Unix user S-1-22-1-UID and a Unix group S-1-22-2-GID.
    """
    found = entry.sids("objectSid")
    uid, gid = entry.text("uidNumber"), entry.text("gidNumber")
    if uid.isdecimal():
        found.append(f"S-1-22-1-{uid}")
    elif gid.isdecimal():
        found.append(f"S-1-22-2-{gid}")
    return found


def key_of(dn: str) -> str:
    """Return a spelling of a DN in which equal ones are equal."""
    try:
        parts = parse_dn(dn, escape=False, strip=True)
    except errors.LDAPInvalidDnError:
        return dn.casefold()
    return "".join(f"{name}={value}{mark}" for name, value, mark in parts).casefold()


def _next_range(response: Any) -> tuple[re.Match[str] | None, list[bytes]]:
    for row in response:
        for name, values in row.get("raw_attributes", {}).items():
            if (part := _RANGE.fullmatch(name)) is not None:
                return part, values
    raise ConnectorError("The directory broke off a long list of members; sync again.")


def _sid(value: bytes) -> str:
    if value.startswith(b"S-1-"):
        return value.decode("ascii", "replace")
    if len(value) < 8 or value[0] != 1 or len(value) != 8 + 4 * value[1]:
        return ""
    parts = [int.from_bytes(value[at : at + 4], "little") for at in range(8, len(value), 4)]
    return "-".join(map(str, ("S-1", int.from_bytes(value[2:8], "big"), *parts)))


def _tls(server: Server) -> Any:
    try:
        if server.ca_file is not None:
            ssl.create_default_context(cafile=server.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConnectorError(
            f"The certificates in {server.ca_file} can't be read; give a PEM file."
        ) from error
    return ldap3.Tls(
        validate=ssl.CERT_REQUIRED,
        ca_certs_file=str(server.ca_file) if server.ca_file else None,
    )


@contextmanager
def _speaking(server: Server, what: str) -> Iterator[None]:
    """Turn what the library raises into what the contract knows."""
    place = f"{server.host}:{server.port}"
    try:
        yield
    except (errors.LDAPInvalidCredentialsResult, errors.LDAPInvalidDNSyntaxResult) as error:
        raise ConnectorError(
            f"The directory {place} does not accept the account and password, or the base; "
            "enter valid ones."
        ) from error
    except (errors.LDAPBusyResult, errors.LDAPUnavailableResult) as error:
        raise RetryLater from error
    except (
        errors.LDAPSocketReceiveError,
        errors.LDAPSessionTerminatedByServerError,
        errors.LDAPResponseTimeoutError,
    ) as error:
        raise RetryLater from error
    except (errors.LDAPCertificateError, errors.LDAPStartTLSError) as error:
        raise _untrusted(place) from error
    except errors.LDAPSocketOpenError as error:
        if "ssl" in str(error).lower() or "certificate" in str(error).lower():
            raise _untrusted(place) from error
        raise ConnectorError(f"Nothing answers at {place}; check the host and the port.") from error
    except errors.LDAPOperationResult as error:
        raise ConnectorError(
            f"The directory {place} refuses {what} ({error.description}); check the account's "
            "rights, the base and the filters."
        ) from error
    except errors.LDAPInvalidFilterError as error:
        raise ConnectorError("A filter can't be understood; correct people or groups.") from error
    except errors.LDAPException as error:
        raise ConnectorError(
            f"The directory {place} can't be read ({type(error).__name__}); check the settings."
        ) from error


def _untrusted(place: str) -> ConnectorError:
    return ConnectorError(
        f"The certificate of {place} is not trusted, or it speaks no TLS there; give the file of "
        "the authority that signed it, and check port and security."
    )
