"""The policy over collections: checked when it is read, obeyed inside search, re-check, opening."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import wiring
from assistant.access.acl import access_filter, readable_document
from assistant.access.explanation import explain
from assistant.access.identity import caller_with_login
from assistant.access.policy import (
    CollectionRule,
    Policy,
    Purpose,
    Tenant,
    parsed,
    policy_now,
    sha256,
    text_of,
)
from assistant.access.principals import with_purpose
from assistant.api.app import create_app
from assistant.domain import ChunkId, Principal
from assistant.errors import SettingsError
from assistant.settings import AccessSettings, Settings
from assistant.store import people
from assistant.store.database import Database
from assistant.store.heads import policy_epoch
from assistant.store.passages import document_chunks
from assistant.wiring import Assistant
from tests.support.company import Company, assembled, events_of
from tests.support.scripted import ScriptedGenerator

CLINICIANS = "group:intranet:clinicians"
PATIENTS = f"""
[purposes.treatment]
groups = ["{CLINICIANS}"]

[collections.acme]
only = ["{CLINICIANS}", "group:intranet:quality"]
deny = ["group:intranet:interns"]
purposes = ["treatment"]
"""


class Ward:
    """A ward whose documents everybody may read as far as their source is concerned."""

    def __init__(self, company: Company, assistant: Assistant, folder: Path) -> None:
        self.company, self.assistant, self.folder = company, assistant, folder
        self.database = company.database
        self.document = company.document("chart", "The patient has a fever of 39 degrees.")
        with self.database.begin() as conn:
            self.chunk = ChunkId(document_chunks(conn, self.document)[0].chunk_id)

    def enforce(self, text: str) -> None:
        file = self.folder / "policy.toml"
        file.write_text(text)
        settings = Settings(
            data_dir=self.folder, access=AccessSettings.model_validate({"policy": file})
        )
        wiring.enforce_policy(settings, self.database, self.assistant.audit)

    def reads(self, login: str, purpose: str = "") -> bool:
        """Whether somebody reads the chart: the three checks must agree."""
        with self.database.begin() as conn:
            caller = with_purpose(caller_with_login(conn, login), purpose)
            opened = readable_document(conn, caller, self.document) is not None
        found = self.assistant.retriever.retrieve("patient fever", caller, k=3)
        checked = self.assistant.retriever.still_permitted(caller, [self.chunk])
        assert [bool(found.passages), bool(checked)] == [opened, opened]
        return opened


@pytest.fixture
def ward(database: Database, tmp_path: Path) -> Ward:
    company = Company(database)
    for login, *groups in (
        ("ana", "clinicians"),
        ("bruno", "quality"),
        ("ivo", "clinicians", "interns"),
        ("noor",),
    ):
        company.person(login, *groups)
    made = assembled(Settings(data_dir=tmp_path), database, ScriptedGenerator())
    return Ward(company, made, tmp_path)


def test_a_policy_takes_away_inside_search_recheck_and_opening(ward: Ward) -> None:
    assert all(ward.reads(login) for login in ("ana", "bruno", "ivo", "noor"))
    with ward.database.begin() as conn:
        epoch = policy_epoch(conn)
    ward.enforce(PATIENTS)
    with ward.database.begin() as conn:
        assert policy_epoch(conn) == epoch + 1
        assert explain(conn, "noor", ward.document).rule == "policy only"
        rule = explain(conn, "ivo", ward.document).rule
        assert rule == "policy deny group:intranet:interns"
        assert explain(conn, "ana", ward.document).rule == "policy purpose treatment"
    readers = [
        (login, purpose)
        for login in ("ana", "bruno", "ivo", "noor")
        for purpose in ("", "treatment", "curiosity")
        if ward.reads(login, purpose)
    ]
    assert readers == [("ana", "treatment")]
    ward.enforce("")
    assert all(ward.reads(login) for login in ("ana", "bruno", "ivo", "noor"))


def test_a_change_is_audited_once_with_its_hash(ward: Ward) -> None:
    for text in (PATIENTS, PATIENTS, ""):
        ward.enforce(text)
    changed = [e["data"] for e in events_of(ward.database) if e["type"] == "policy.changed"]
    assert [(one["sha256"], one["n_collections"]) for one in changed] == [
        (sha256(PATIENTS), 1),
        (sha256(""), 0),
    ]
    assert changed[1]["previous_sha256"] == sha256(PATIENTS)


def test_a_start_that_names_no_policy_leaves_the_one_in_force(ward: Ward) -> None:
    ward.enforce(PATIENTS)
    wiring.enforce_policy(Settings(data_dir=ward.folder), ward.database, ward.assistant.audit)
    with ward.database.begin() as conn:
        assert policy_now(conn) == parsed(PATIENTS, "")


def test_a_tenants_collections_are_its_own(ward: Ward) -> None:
    ward.enforce('[tenants.acme]\ncollections = ["acme"]\n')
    assert ward.reads("noor")
    ward.enforce('[tenants.other]\ncollections = ["acme"]\n')
    assert not ward.reads("noor")


def test_a_request_states_its_purpose(ward: Ward) -> None:
    ward.enforce(PATIENTS)

    async def asked() -> list[tuple[int, int]]:
        transport = httpx.ASGITransport(create_app(ward.assistant))
        with ward.database.begin() as conn:
            ana = people.person_with_login(conn, "ana")
            token = people.start_session(conn, ana.id, 600)
        found = []
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            for purpose in ("", "treatment", "curiosity", "Bad Name"):
                headers = {"Authorization": f"Bearer {token}", "X-Purpose": purpose}
                shown = await client.get(f"/v1/documents/{ward.document}", headers=headers)
                me = await client.get("/v1/me", headers=headers)
                n = me.json()["readable"]["n_documents"] if me.status_code == 200 else -1
                found.append((shown.status_code, n))
        return found

    assert asyncio.run(asked()) == [(404, 0), (200, 1), (404, 0), (422, -1)]


def test_a_purpose_does_not_outlive_its_person(ward: Ward) -> None:
    ward.enforce('[purposes.care]\ngroups = ["everyone"]\n[collections.acme]\npurposes = ["care"]')
    with ward.database.begin() as conn:
        caller = with_purpose(caller_with_login(conn, "noor"), "care")
        assert readable_document(conn, caller, ward.document) is not None
        admitted = access_filter(conn, caller)
        assert access_filter(conn, replace(caller, principals=caller.principals)) is admitted
        people.disable(conn, "noor")
    with ward.database.begin() as conn:
        assert readable_document(conn, caller, ward.document) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("surprise = 1", "surprise"),
        ("[collections.a]\nalow = []", "collections.a.alow"),
        ('[collections.a]\nonly = ["finance"]', "no principal"),
        ('[collections.a]\npurposes = ["care"]', "unknown purpose"),
        ("[purposes.care]\ngroups = []", "purposes.care.groups"),
        ('[tenants.a]\ncollections=["c"]\n[tenants.b]\ncollections=["c"]', "more than one tenant"),
        ("[collections", "not valid TOML"),
    ],
)
def test_a_faulty_policy_refuses_the_start(ward: Ward, text: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        ward.enforce(text)
    assert ward.reads("noor")


def test_a_policy_that_can_not_be_read_refuses_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        text_of(tmp_path / "missing.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(SettingsError, match="1,000,000"):
        text_of(tmp_path / "long.toml")


NAMES = [Principal(f"group:s:{letter}") for letter in "abc"]
SOME = st.frozensets(st.sampled_from(NAMES), max_size=2).map(tuple)
STATED = [Principal("purpose:care"), Principal("tenant:acme")]


@given(SOME, SOME, st.booleans(), st.booleans(), st.frozensets(st.sampled_from([*NAMES, *STATED])))
def test_a_rule_is_its_four_sentences(
    only: tuple[Principal, ...],
    deny: tuple[Principal, ...],
    has_purpose: bool,
    has_tenant: bool,
    held: frozenset[Principal],
) -> None:
    policy = Policy(
        purposes={"care": Purpose(groups=(NAMES[0],))},
        collections={
            "c": CollectionRule(only=only, deny=deny, purposes=("care",) if has_purpose else ())
        },
        tenants={"acme": Tenant(collections=("c",))} if has_tenant else {},
    )
    open_to = (
        not set(deny) & held
        and (not only or bool(set(only) & held))
        and (not has_purpose or {STATED[0], NAMES[0]} <= held)
        and (not has_tenant or STATED[1] in held)
    )
    assert (policy.closed(held) == frozenset()) == open_to
    assert policy.refusal("other", held) == ""
