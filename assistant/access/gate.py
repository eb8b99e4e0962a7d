"""The one decision about whoever sends a credential: a session, a provider's token, or a key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from assistant.access.identity import caller_of
from assistant.access.pepper import Pepper
from assistant.access.roles import KEYS_ONLY
from assistant.access.tokens import Claims, Refused, Tokens
from assistant.domain import Caller, Principal
from assistant.errors import Conflict, Unauthenticated
from assistant.settings import OidcSettings, Settings
from assistant.store import holders, keys, memberships, people
from assistant.store.people import Person

KEY_PREFIX = "ak."
GROUPS = "group:oidc:"


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request carries: a credential, and perhaps that of the person a service asks for."""

    token: str
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """The token of a session, which only the database can judge."""

    token: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, which only the database can judge."""

    id: str
    secret_hmac: bytes


Proof = Session | Key | Claims


@dataclass(frozen=True, slots=True)
class Admitted:
    """A caller, and what is new about them and belongs into the audit log."""

    caller: Caller
    is_new: bool = False
    signed_in: bool = False
    n_groups: int | None = None


class Gate:
    """Recognizes callers. `prove` may ask the identity provider, `admit` asks the database."""

    def __init__(self, settings: Settings) -> None:
        self._oidc = settings.identity.oidc
        self._tokens = Tokens(self._oidc) if self._oidc.issuer else None
        self._pepper = Pepper(settings)

    def prove(self, presented: Presented) -> tuple[Proof, Proof | None]:
        """Check what needs no database: first the credential, then whom it speaks for.

        Raises `Unauthenticated`, and `ProviderUnavailable` if the provider's keys can't be had.
        """
        other = presented.on_behalf_of
        return self._proof(presented.token), self._proof(other) if other else None

    def admit(self, conn: Connection, proved: tuple[Proof, Proof | None]) -> Admitted:
        """Return the caller with their groups as they are now; raises `Unauthenticated`.

        On behalf of somebody, a service has that person's rights, as far as its key's scopes go.
        """
        first, second = proved
        admitted = self._admit(conn, first)
        if second is None:
            return admitted
        service = admitted.caller
        if not isinstance(first, Key) or isinstance(second, Key):
            raise Unauthenticated("Only a key may speak for a person, and only by their own token.")
        if not service.via or KEYS_ONLY & (service.scopes or frozenset()):
            raise Unauthenticated("Only the key of a service that asks may speak for a person.")
        person = self._admit(conn, second)
        caller = replace(
            person.caller,
            scopes=service.scopes,
            credentials=(*service.credentials, *person.caller.credentials),
            via=service.via,
        )
        return replace(person, caller=caller)

    def _proof(self, token: str) -> Proof:
        if token.startswith(KEY_PREFIX):
            key_id, _, secret = token.removeprefix(KEY_PREFIX).partition(".")
            return Key(key_id, self._pepper.hmac(key_id, secret))
        if self._tokens is not None and token.count(".") == 2:
            return self._tokens.verify(token)
        return Session(token)

    def _admit(self, conn: Connection, proof: Proof) -> Admitted:
        match proof:
            case Session(token):
                caller = caller_of(conn, people.person_of(conn, token))
                name = hashlib.sha256(token.encode()).hexdigest()
                return Admitted(replace(caller, credentials=(f"session:{name}",)))
            case Key(key_id, secret_hmac):
                return Admitted(_keyed(conn, key_id, secret_hmac))
            case Claims():
                return _vouched(conn, proof, self._oidc)


def _keyed(conn: Connection, key_id: str, secret_hmac: bytes) -> Caller:
    key = keys.good_key(conn, key_id, secret_hmac)
    owner = people.person_by_id(conn, key.person_id) if key is not None else None
    if key is None or owner is None:
        raise Unauthenticated()
    return replace(
        caller_of(conn, owner),
        scopes=key.scopes,
        credentials=(f"key:{key.id}",),
        via=owner.principal if owner.is_service else "",
    )


def _vouched(conn: Connection, claims: Claims, oidc: OidcSettings) -> Admitted:
    """Return the person of a token, added if they are new, with what the newest token says."""
    person, is_new = _known(conn, claims)
    if person.disabled_at is not None or not holders.counts(conn, person.id, claims.issued_at):
        raise Refused()
    n_groups = None
    signed_in = holders.is_newest(conn, person.id, claims.issued_at)
    if signed_in:
        # Without a table of roles the provider says nothing of them: those given here stay.
        roles = claims.roles if oidc.roles or is_new else person.roles
        name, email = claims.name or person.name, claims.email or person.email
        people.describe(conn, person, name, email, roles)
        groups = {Principal(f"{GROUPS}{name}") for name in claims.groups}
        if memberships.replace_groups_of(conn, person.principal, GROUPS, groups):
            n_groups = len(groups)
        person = people.person_by_id(conn, person.id) or person
    caller = replace(caller_of(conn, person), credentials=(f"token:{claims.issued_at}",))
    return Admitted(caller, is_new, signed_in, n_groups)


def _known(conn: Connection, claims: Claims) -> tuple[Person, bool]:
    person = people.person_with_subject(conn, claims.issuer, claims.subject)
    if person is not None:
        return person, False
    login = f"{claims.issuer}|{claims.subject}"
    try:
        added = people.add_person(
            conn,
            login,
            claims.name,
            claims.roles,
            issuer=claims.issuer,
            subject=claims.subject,
            email=claims.email,
        )
    except Conflict:
        # Another request of the same person was faster.
        person = people.person_with_subject(conn, claims.issuer, claims.subject)
        if person is None:
            raise
        return person, False
    return added, True
