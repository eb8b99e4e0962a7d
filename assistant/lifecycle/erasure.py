"""The erasure of a subject: found everywhere, taken out, certified; a kill midway only delays it.

What is to be erased is written down first, as keyed hashes of the names, and the event
`erasure.started` with it. Each later step is a transaction that can be done twice. The audit log
keeps every event; what is personal in the subject's own is lost with their keys.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import rfc8785
from sqlalchemy import Connection

from assistant.audit import keys
from assistant.audit.event import SYSTEM, Actor, Event, utc
from assistant.audit.life_cycle import ErasureDone, ErasureReleased, ErasureStarted
from assistant.audit.log import AuditLog
from assistant.errors import NotFound, OnHold
from assistant.lifecycle import subject
from assistant.lifecycle.backup import renew_keys
from assistant.lifecycle.subject import Terms
from assistant.store import backups, erasing, holds, subject_keys, tombstones
from assistant.store.database import Database
from assistant.store.erasing import Erasure
from assistant.store.heads import count_erasure
from indexes.snapshot import Snapshots

ORIGIN = "enterprise-assistant erasure certificate v1"
_BATCH = 50
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Places:
    """Where a subject is; `backups` hold all that was there when they were made."""

    persons: tuple[str, ...]
    documents: tuple[str, ...]
    chunks: int
    vectors: int
    records: int
    conversations: tuple[str, ...]
    failures: tuple[tuple[int, str], ...]
    keys: int
    generations: int
    backups: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there to erase."""
        return not (self.persons or self.documents or self.conversations or self.failures)


class Eraser:
    """Finds and erases subjects in one database and the folder of its saved index."""

    def __init__(self, database: Database, log: AuditLog, data_dir: Path) -> None:
        self._database = database
        self._log = log
        self._data_dir = data_dir
        self._snapshots = Snapshots(data_dir / "index")

    def find(self, names: Sequence[str]) -> Places:
        """Return where a subject of these names and numbers is; nothing is changed."""
        with self._database.snapshot() as conn:
            persons = [person.id for person in erasing.persons_called(conn, names)]
            return self._places(conn, _terms(conn, names), persons)

    def erase(self, names: Sequence[str], actor: Actor = SYSTEM) -> dict[str, Any]:
        """Erase a subject everywhere and return the certificate.

        Raises `NotFound` if nothing is there, `OnHold` if a legal hold covers some of it.
        """
        with self._database.snapshot() as conn:
            persons = [person.id for person in erasing.persons_called(conn, names)]
            terms = _terms(conn, names)
            places = self._places(conn, terms, persons)
            if places.is_empty:
                raise NotFound("Nothing here names this subject.")
            _insist_free(conn, places, terms, [*names, *persons])
        begun = Erasure(str(uuid4()), terms.salt, terms.as_json(), tuple(persons), places.documents)
        with self._database.begin() as conn:
            erasing.begin(conn, begun)
            started = ErasureStarted(begun.id, len(places.documents), len(persons))
            self._log.append(conn, Event(actor, started))
        return self._carry_out(begun, "request", actor)

    def resume(self) -> list[dict[str, Any]]:
        """Finish the erasures that were begun and cut short; return their certificates."""
        with self._database.snapshot() as conn:
            begun = erasing.listed(conn, unfinished=True)
        return [self._carry_out(erasure, "resumed", SYSTEM) for erasure in begun]

    def release(self, erasure_id: str, actor: Actor = SYSTEM) -> int:
        """Let syncs bring back what an erasure took; returns how many items; raises `NotFound`."""
        with self._database.begin() as conn:
            if erasure_id not in {erasure.id for erasure in erasing.listed(conn)}:
                raise NotFound(f"There is no erasure {erasure_id!r}.")
            n_items = tombstones.release(conn, erasure_id)
            self._log.append(conn, Event(actor, ErasureReleased(erasure_id, n_items)))
        return n_items

    def reapply(self) -> int:
        """Carry out every known erasure once more, after a restore; return how many."""
        with self._database.snapshot() as conn:
            known = erasing.listed(conn)
        for erasure in known:
            self._carry_out(erasure, "restore", SYSTEM)
        return len(known)

    def _carry_out(self, erasure: Erasure, occasion: str, actor: Actor) -> dict[str, Any]:
        terms = subject.read_terms(erasure.salt, erasure.terms)
        with self._database.snapshot() as conn:
            places = self._places(conn, terms, erasure.person_ids)
        with self._database.begin() as conn:
            erasing.add_documents(conn, erasure.id, set(places.documents) - {*erasure.document_ids})
        documents = sorted({*erasure.document_ids, *places.documents})
        for at in range(0, len(documents), _BATCH):
            with self._database.begin() as conn:
                erasing.erase_documents(conn, documents[at : at + _BATCH], erasure.id)
        with self._database.begin() as conn:
            erasing.erase_conversations(conn, places.conversations)
            erasing.erase_failures(conn, places.failures, erasure.id)
            holds.forget(conn, _released(conn, terms, erasure.person_ids))
            for person_id in erasure.person_ids:
                erasing.erase_person(conn, person_id)
            count_erasure(conn)
        self._snapshots.drop_all()
        with self._database.reading() as conn:
            erasing.shrink(conn)
        return self._certify(erasure, documents, places, occasion, actor)

    def _certify(
        self,
        erasure: Erasure,
        documents: Sequence[str],
        places: Places,
        occasion: str,
        actor: Actor,
    ) -> dict[str, Any]:
        """Sign what was done, write the file of keys anew, and only then call it finished."""
        kept = renew_keys(self._database, self._data_dir)
        body: dict[str, Any] = {
            "erasure_id": erasure.id,
            "occasion": occasion,
            "finished_at": utc(datetime.now(UTC)),
            "documents": list(documents),
            "persons": list(erasure.person_ids),
            "counts": {
                name: len(value) if isinstance(value, tuple) else value
                for name, value in asdict(places).items()
            },
            "keys_files_not_renewed": kept,
        }
        text = rfc8785.dumps(body)
        signature = self._log.certify(ORIGIN, text)
        certificate = {
            "certificate": body,
            "key_id": keys.key_id(self._log.public_key),
            "signature": base64.b64encode(signature).decode() if signature else None,
        }
        digest = hashlib.sha256(text).hexdigest()
        with self._database.begin() as conn:
            erasing.finish(conn, erasure.id, certificate)
            self._log.append(conn, Event(actor, ErasureDone(erasure.id, digest, occasion)))
        renew_keys(self._database, self._data_dir)
        return certificate

    def _places(self, conn: Connection, terms: Terms, persons: Sequence[str]) -> Places:
        documents = _naming(erasing.document_texts(conn), terms)
        counts = erasing.counts(conn, documents)
        spoken = _naming(erasing.message_texts(conn), terms)
        roles = asdict(self._snapshots.roles()) if self._snapshots.folder.exists() else {}
        return Places(
            persons=tuple(persons),
            documents=tuple(sorted(documents)),
            chunks=counts["chunks"],
            vectors=counts["chunks"] + counts["embeddings"],
            records=counts["records"],
            conversations=tuple(sorted(spoken | set(erasing.owned(conn, persons)))),
            failures=tuple(sorted(_naming(erasing.failure_texts(conn), terms))),
            keys=len(subject_keys.ids_of(conn, persons)),
            generations=len([name for name in roles.values() if name]),
            backups=tuple(made.file for made in backups.made_backups(conn)),
        )


def is_genuine(certificate: dict[str, Any], log: AuditLog) -> bool:
    """Tell whether the log's key signed a certificate."""
    if certificate["signature"] is None:
        return False
    text = rfc8785.dumps(certificate["certificate"])
    signature = base64.b64decode(certificate["signature"])
    return keys.is_signed_text(log.public_key, ORIGIN, text, signature)


def _naming(texts: Iterable[tuple[_Key, str]], terms: Terms) -> set[_Key]:
    return {key for key, text in texts if terms.named_in(text)}


def _released(conn: Connection, terms: Terms, person_ids: Collection[str]) -> list[str]:
    """Return the released holds that name the subject."""
    called = {text.casefold() for text in erasing.handles(conn, person_ids)}
    return [
        hold.id
        for hold in holds.listed(conn)
        if hold.released_at is not None
        and (hold.value.casefold() in called or terms.named_in(f"{hold.value} {hold.reason}"))
    ]


def _terms(conn: Connection, names: Sequence[str]) -> Terms:
    """Return what to look for: all names but ids and logins, which are also words."""
    persons = erasing.persons_called(conn, names)
    handles = {handle.casefold() for person in persons for handle in (person.id, person.login)}
    wanted = [name for name in names if name.casefold() not in handles]
    more = [text for p in persons for text in (p.email, p.name) if text and len(text.split()) > 1]
    mails = [p.email for p in persons if p.email]
    return subject.terms([*wanted, *more, *mails])


def _insist_free(conn: Connection, places: Places, terms: Terms, names: Collection[str]) -> None:
    """Raise `OnHold` if a hold in force covers the subject, a document or a collection."""
    called = {name.casefold() for name in names}
    collections = erasing.collections_of(conn, places.documents)
    for hold in holds.listed(conn, in_force=True):
        covers = {
            "everything": True,
            "subject": hold.value.casefold() in called or terms.named_in(hold.value),
            "document": hold.value in places.documents,
            "collection": hold.value in collections,
        }
        if covers[hold.kind]:
            raise OnHold(
                f"The legal hold {hold.id} ({hold.reason}) forbids this erasure; an auditor may "
                f"end it: `assistant hold release {hold.id}`."
            )


def as_json(certificate: dict[str, Any]) -> str:
    """Return a certificate as a file holds it."""
    return json.dumps(certificate, ensure_ascii=False, indent=2) + "\n"
