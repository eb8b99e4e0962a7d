"""Security descriptors: read as a second implementation writes them, judged never wider."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Access
from connectors.smb_acl import ENTER, READ, Descriptor, Entry, Sids, access, descriptor, narrowed
from tests.support.samba import described

NAMES = ("user:ana", "user:bob", "group:hr", "group:it")
SIDS = {f"S-1-5-21-1-2-3-{n}": name for n, name in enumerate(NAMES, 1001)}
OTHER = "S-1-5-21-9-9-9-1001"

sids = st.sampled_from([*SIDS, OTHER, "S-1-1-0"])
masks = st.sampled_from([0x1F01FF, 0x120089, 0x1, 0x20, 0x2, 0x80000000, 0x10000000, 0])
rows = st.lists(st.tuples(st.sampled_from(["allow", "deny"]), sids, masks), max_size=6)
principals = st.frozensets(st.sampled_from(NAMES))
lists = st.builds(
    Access,
    allow=st.frozensets(st.sampled_from([*NAMES, "everyone"])),
    deny=principals,
    all_of=st.frozensets(st.sampled_from(NAMES), max_size=1),
)


def may_read(found: Access, held: frozenset[str]) -> bool:
    held |= {"everyone"}
    return bool(found.allow & held) and not found.deny & held and found.all_of <= held


@given(rows)
def test_lists_are_read_as_the_library_writes_them(entries: list[tuple[str, str, int]]) -> None:
    found = descriptor(described(entries)).entries
    assert [(one.kind, one.sid, one.mask) for one in found or ()] == entries


@given(rows, principals)
def test_nobody_reads_whom_windows_would_not_let(
    entries: list[tuple[str, str, int]], held: frozenset[str]
) -> None:
    """Windows goes through the list in order until the right is given or denied."""
    mine = {sid for sid, name in SIDS.items() if name in held} | {"S-1-1-0"}
    right = READ | 0x80000000 | 0x10000000
    decisive = [kind for kind, sid, mask in entries if sid in mine and mask & right]
    granted = access(descriptor(described(entries)), READ, Sids(SIDS))
    if may_read(granted, held):
        assert decisive[0] == "allow"


@given(lists, lists, principals)
def test_a_file_and_its_folder_are_never_wider_than_both(
    inner: Access, outer: Access, held: frozenset[str]
) -> None:
    if may_read(narrowed(inner, outer), held):
        assert may_read(inner, held)
        assert may_read(outer, held)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_descriptor_or_an_error(data: bytes) -> None:
    with suppress(ValueError):
        descriptor(data)


def test_what_waits_to_be_inherited_does_not_count() -> None:
    data = bytearray(described([("allow", "S-1-1-0", 0x1F01FF)]))
    data[struct.unpack_from("<I", data, 16)[0] + 9] = 0x08
    assert descriptor(bytes(data)).entries == ()


@pytest.mark.parametrize(("kind", "entries"), [(9, 0), (10, 1)])
def test_conditional_entries_only_deny(kind: int, entries: int) -> None:
    data = bytearray(described([("allow", "S-1-1-0", 0x1F01FF)]))
    data[struct.unpack_from("<I", data, 16)[0] + 8] = kind
    assert len(descriptor(bytes(data)).entries or ()) == entries
    data[struct.unpack_from("<I", data, 16)[0] + 8] = 77
    with pytest.raises(ValueError, match="unknown kind 77"):
        descriptor(bytes(data))


def test_no_list_is_nobody() -> None:
    assert access(Descriptor("", None), READ, Sids({})) == Access()
    assert access(
        descriptor(struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)), READ, Sids({})
    ) == (Access())


def test_owner_rights_are_the_owner_s() -> None:
    owner, entry = next(iter(SIDS)), Entry("allow", READ, "S-1-3-4")
    assert access(Descriptor(owner, (entry,)), READ, Sids(SIDS)).allow == {"user:ana"}
    assert access(Descriptor(owner, (entry,)), ENTER, Sids(SIDS)).allow == frozenset()


def test_a_directory_knows_the_sids_below_its_own() -> None:
    named = Sids(SIDS, "people", ("S-1-5-21-9-9-9",))
    assert named.principal(OTHER) == f"group://people/{OTHER}"
    assert named.principal("S-1-5-21-9-9-91-5") is None
    assert named.principal("S-1-5-11") == "everyone"
