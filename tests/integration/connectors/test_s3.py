"""The S3 connector against a real S3 server (moto): listing, access, changes, faults."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from pydantic import JsonValue, ValidationError

from assistant.errors import SyncError
from assistant.store.database import Database
from connectors.conformance import Conformance, Listing, listing
from connectors.contract import (
    Access,
    Complete,
    Connector,
    ConnectorError,
    CursorExpired,
    Failed,
    Group,
    Item,
    RetryLater,
)
from connectors.following import Ability, Following
from connectors.s3 import S3, S3Config
from tests.support.bucket import KEYS, Folder, S3Server, s3_server
from tests.support.catalog import Synced
from tests.support.gate import gate
from tests.support.replies import Reply, scripted

EVERYONE = 'allow = ["everyone"]\n'


@pytest.fixture(scope="session")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture
def bucket(server: S3Server) -> Folder:
    return server.bucket(f"docs-{uuid4().hex}")


def s3(bucket: Folder, /, **config: Any) -> S3:
    place = {"bucket": bucket.name, "endpoint_url": bucket.server.url, **KEYS}
    return S3(S3Config.model_validate({**place, **config}))


def listed(connector: S3, since: JsonValue = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(connector, since)
        finally:
            await connector.aclose()

    return asyncio.run(story())


def items(connector: S3) -> dict[str, Item]:
    return {item.id: item for item in listed(connector).items}


def failures(connector: S3) -> dict[str, str]:
    pages = listed(connector).pages
    return {e.id: e.error for page in pages for e in page if isinstance(e, Failed)}


def body(connector: S3, item: Item) -> bytes:
    async def read() -> bytes:
        try:
            return b"".join([piece async for piece in connector.fetch(item)])
        finally:
            await connector.aclose()

    return asyncio.run(read())


def groups(connector: S3) -> list[Group]:
    async def read() -> list[Group]:
        try:
            return [group async for group in connector.groups()]
        finally:
            await connector.aclose()

    return asyncio.run(read())


def check(connector: S3) -> None:
    async def story() -> None:
        try:
            await connector.check()
        finally:
            await connector.aclose()

    asyncio.run(story())


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def filled(self, bucket: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.bucket.PAGE_KEYS", 7)
        self.bucket = bucket
        bucket.put(
            {
                "kb/.access.toml": 'allow = ["group:all"]\n[meta]\ndate = 2024-01-31',
                "kb/.groups.toml": '[groups]\nall = ["user:ana", "group:hr"]\nhr = ["user:rui"]',
                "kb/secret/.access.toml": 'allow = ["user:ana"]\nall_of = ["group:hr"]',
                "kb/broken/.access.toml": "allow = everyone",
                "kb/big.bin": b"x" * 300_000,
                "kb/empty.txt": b"",
                "kb/Férias – 2024 (final).txt": "férias",
                "outside.txt": "not below the prefix",
                **{f"kb/a/{n:02}.txt": f"text {n}" for n in range(17)},
                **{f"kb/broken/{n}.md": f"# {n}" for n in range(5)},
                **{f"kb/secret/{n}.md": f"# {n}" for n in range(3)},
            }
        )

    def make(self) -> Connector:
        return s3(self.bucket, prefix="kb/", permissions="access_files")

    def make_unusable(self) -> Connector:
        return s3(self.bucket, endpoint_url="http://127.0.0.1:1")


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "revoke": "One list of readers for all; the bucket with tags shows it.",
    }

    @pytest.fixture(autouse=True)
    def filled(self, bucket: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        self.bucket, self.monkeypatch = bucket, monkeypatch
        bucket.put({"m/one.txt": "One."}, tags="allow=user:ana")
        with gate(bucket.server.url) as self.gate:
            yield

    def make(self) -> Connector:
        place = {"endpoint_url": self.gate.url}
        return s3(self.bucket, permissions="config", allow=["user:ana"], **place)

    def make_unusable(self) -> Connector:
        return s3(self.bucket, bucket=f"missing-{uuid4().hex}")

    def add(self, name: str, text: str) -> None:
        self.bucket.put({name: text})

    change = add

    def delete(self, name: str) -> None:
        self.bucket.delete(name)

    def throttle(self) -> None:
        """moto never asks for patience: a gate before it refuses the second page."""
        self.bucket.put({"a/two.txt": "Two.", "z/three.txt": "Three."}, tags="allow=user:ana")
        self.monkeypatch.setattr("connectors.bucket.PAGE_KEYS", 1)
        self.gate.turn_away(2, after=1)

    def empty(self) -> None:
        self.bucket.delete("m/one.txt")

    def fill(self, n: int) -> None:
        self.bucket.fill(n)


class TestTaggedFollowing(TestFollowing):
    cannot: ClassVar[dict[Ability, str]] = {
        "fill": "Tags take a request for each object; the bucket without tags shows it.",
    }

    def make(self) -> Connector:
        return s3(self.bucket, permissions="tags", endpoint_url=self.gate.url)

    def add(self, name: str, text: str) -> None:
        self.bucket.put({name: text}, tags="allow=user:ana")

    change = add

    def revoke(self, name: str) -> None:
        self.bucket.tag(name, {"allow": "group:hr"})


class TestTaggedConformance(Conformance):
    @pytest.fixture(autouse=True)
    def filled(self, bucket: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.bucket.PAGE_KEYS", 5)
        self.bucket = bucket
        bucket.put({f"{n:02}.txt": f"text {n}" for n in range(13)}, tags="allow=group:hr user:ana")

    def make(self) -> Connector:
        return s3(self.bucket, permissions="tags")

    def make_unusable(self) -> Connector:
        return s3(self.bucket, bucket=f"missing-{uuid4().hex}")


def test_an_item_tells_what_the_catalog_needs(bucket: Folder) -> None:
    bucket.put({"pol/Férias 2024.DOCX": b"PK"})
    config = {"allow": ["group:hr"], "collection": "policies", "industry": "finance"}
    (item,) = items(s3(bucket, **config)).values()
    etag = bucket.server.client().head_object(Bucket=bucket.name, Key=item.id)["ETag"]
    assert item.id == "pol/Férias 2024.DOCX"
    assert item.uri == f"s3://{bucket.name}/pol/Férias 2024.DOCX"
    assert item.version == etag.strip('"')
    assert item.media_type.endswith("wordprocessingml.document")
    assert item.modified_at is not None
    assert item.modified_at.tzinfo is not None
    assert item.access == Access(allow=frozenset({"group:hr"}))
    assert item.meta == {"collection": "policies", "industry": "finance"}


def test_nobody_may_read_unless_somebody_says_so(bucket: Folder) -> None:
    bucket.put({"a.txt": "a"})
    for permissions in ("config", "tags", "access_files"):
        assert items(s3(bucket, permissions=permissions))["a.txt"].access == Access()


def test_access_files_apply_as_in_a_folder(bucket: Folder) -> None:
    bucket.put(
        {
            "kb/.access.toml": 'allow = ["group:all"]\ndeny = ["user:eve"]',
            "kb/(first).txt": "sorts before the access file",
            "kb/hr/.access.toml": 'allow = ["group:hr"]\n[meta]\nlang = "pt"',
            "kb/hr/a.txt": "a",
            "kb/hr/a.txt-2.txt": "between a file and its sidecar",
            "kb/hr/a.txt.access.toml": 'allow = ["user:ana"]\n[meta]\ntitle = "A"\n'
            'superseded_by = "b.txt"',
            "kb/hr/b.txt": "b",
            "kb/hr-old/c.txt": "a folder whose name begins alike",
        }
    )
    found = items(s3(bucket, prefix="kb/", permissions="access_files"))
    deny = frozenset({"user:eve"})
    everybody = Access(allow=frozenset({"group:all"}), deny=deny)
    hr = Access(allow=frozenset({"group:hr"}), deny=deny)
    assert {key: item.access for key, item in found.items()} == {
        "kb/(first).txt": everybody,
        "kb/hr/a.txt": Access(allow=frozenset({"user:ana"}), deny=deny),
        "kb/hr/a.txt-2.txt": hr,
        "kb/hr/b.txt": hr,
        "kb/hr-old/c.txt": everybody,
    }
    assert found["kb/hr/a.txt"].title == "A"
    assert found["kb/hr/a.txt"].meta == {"lang": "pt", "superseded_by": "kb/hr/b.txt"}


def test_a_broken_access_file_closes_and_is_shown(bucket: Folder) -> None:
    bucket.put(
        {
            ".access.toml": EVERYONE,
            "odd/.access.toml": "allow = everyone",
            "odd/.access.toml.txt": "hidden",
            "odd/a.txt": "a",
            "odd/in/.access.toml": EVERYONE,
            "odd/in/b.txt": "b",
            "c.txt.access.toml": EVERYONE,
            "z.txt": "z",
        }
    )
    connector = s3(bucket, permissions="access_files")
    found = items(connector)
    assert {key: sorted(item.access.allow) for key, item in found.items()} == {
        "odd/a.txt": [],
        "odd/in/b.txt": [],
        "z.txt": ["everyone"],
    }
    assert set(failures(connector)) == {"odd/.access.toml", "c.txt.access.toml"}


def test_groups_come_from_the_groups_file(bucket: Folder) -> None:
    bucket.put({"a.txt": "", ".groups.toml": '[groups]\nhr = ["user:rui", "group:boss"]'})
    members = frozenset({"user:rui", "group:boss"})
    wanted = [Group(id="group:hr", members=members)]
    assert groups(s3(bucket, permissions="access_files")) == wanted
    assert groups(s3(bucket, permissions="tags")) == []
    bucket.put({".groups.toml": "groups = 1"})
    with pytest.raises(ConnectorError, match=r"groups\.toml is wrong"):
        check(s3(bucket, permissions="access_files"))


def test_tags_say_who_may_read(bucket: Folder) -> None:
    bucket.put({"a.txt": "a", "b.txt": "b", "c.txt": "c"})
    bucket.tag("a.txt", {"allow": "group:hr user:ana", "deny": "user:eve", "project": "x"})
    bucket.tag("b.txt", {"allow": "everybody"})
    connector = s3(bucket, permissions="tags")
    found = items(connector)
    allowed = frozenset({"group:hr", "user:ana"})
    assert found["a.txt"].access == Access(allow=allowed, deny=frozenset({"user:eve"}))
    assert found["b.txt"].access == found["c.txt"].access == Access()
    (failed,) = failures(connector).items()
    assert failed[0] == "b.txt?tagging"
    assert "'everybody' is neither" in failed[1]


def test_a_version_changes_with_the_content_only(bucket: Folder) -> None:
    bucket.put({"a.txt": "a", "b.txt": "b"})
    before = items(s3(bucket))
    bucket.put({"a.txt": "a", "b.txt": "new"})
    after = items(s3(bucket))
    assert after["a.txt"].version == before["a.txt"].version
    assert after["b.txt"].version != before["b.txt"].version


def test_clutter_folders_and_what_is_excluded_are_left_out(bucket: Folder) -> None:
    bucket.put(
        {
            "folder/": "",
            ".hidden/a.txt": "",
            "folder/~$draft.docx": "",
            "folder/a.pdf": "",
            "folder/b.txt": "",
            "old/c.pdf": "",
        }
    )
    assert list(items(s3(bucket, include=["*.pdf"], exclude=["old/*"]))) == ["folder/a.pdf"]


def test_odd_keys_are_listed_once_and_fetched(bucket: Folder) -> None:
    keys = [
        "a//b.txt",
        "/begins.txt",
        "spa ce/+plus%25&amp;?q=1#f.txt",
        "ação/日本語/🙂.txt",
        "long/" + "x" * 900 + ".txt",
    ]
    bucket.put({key: key for key in keys})
    connector = s3(bucket)
    found = items(connector)
    assert sorted(found) == sorted(keys)
    for key, item in found.items():
        assert body(s3(bucket), item) == key.encode()


def test_fetch_streams_and_asks_for_what_was_listed(bucket: Folder) -> None:
    content = bytes(range(256)) * 1_000
    bucket.put({"x.bin": content})
    (item,) = items(s3(bucket)).values()

    async def pieces(connector: S3) -> list[bytes]:
        got = [piece async for piece in connector.fetch(item)]
        await connector.aclose()
        return got

    got = asyncio.run(pieces(s3(bucket)))
    assert b"".join(got) == content
    assert max(map(len, got)) == 65_536
    bucket.put({"x.bin": "replaced"})
    with pytest.raises(ConnectorError, match="changed while it was read"):
        body(s3(bucket), item)
    bucket.delete("x.bin")
    with pytest.raises(ConnectorError, match="deleted or renamed"):
        body(s3(bucket), item)


def test_an_interrupted_listing_goes_on_and_a_foreign_cursor_is_refused(
    bucket: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.bucket.PAGE_KEYS", 3)
    bucket.put({f"{n}.txt": "" for n in range(8)})
    found = listed(s3(bucket))
    assert [mark.done for mark in found.marks] == [3, 6, 8, 8]
    assert isinstance(found.marks[-1], Complete)
    bucket.delete("2.txt")
    rest = listed(s3(bucket), found.marks[0].cursor)
    assert [item.id for item in rest.items] == [f"{n}.txt" for n in range(3, 8)]
    with pytest.raises(CursorExpired):
        listed(s3(bucket), {"token": 1})


def test_thousands_of_objects_take_little_memory(bucket: Folder) -> None:
    bucket.fill(3_000)

    async def count() -> tuple[int, int]:
        connector, n_items, peak = s3(bucket), 0, 0
        async for event in connector.changes(None):
            n_items += isinstance(event, Item)
            if n_items == 500:
                tracemalloc.start()
            peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await connector.aclose()
        return n_items, peak

    n_items, peak = asyncio.run(count())
    assert n_items == 3_000
    # The server runs in this process, too: its pages count.
    assert peak < 30_000_000


class TestRefusals:
    def test_a_missing_bucket_and_an_empty_prefix(self, bucket: Folder) -> None:
        with pytest.raises(ConnectorError, match="There is no bucket nowhere"):
            check(s3(bucket, bucket="nowhere"))
        bucket.put({"a.txt": ""})
        with pytest.raises(ConnectorError, match="holds nothing below kb/"):
            check(s3(bucket, prefix="kb/"))

    def test_wrong_keys(self, bucket: Folder) -> None:
        bucket.put({"a.txt": ""})
        iam = bucket.server.client("iam")
        name = f"reader-{uuid4().hex}"
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        right = {
            "access_key_id": key["AccessKeyId"],
            "secret_access_key": key["SecretAccessKey"],
        }
        wrong = {**right, "secret_access_key": "sesame-canary"}
        with bucket.server.guarded():
            for config in (wrong, {}):
                with pytest.raises(ConnectorError, match="does not accept the access key") as said:
                    check(s3(bucket, **config))
                assert "canary" not in str(said.value)
            with pytest.raises(ConnectorError, match="may not be read with these keys"):
                check(s3(bucket, **right))

    def test_an_unreachable_server(self, bucket: Folder) -> None:
        with pytest.raises(ConnectorError, match="can't be reached"):
            check(s3(bucket, endpoint_url="http://127.0.0.1:1"))
        with pytest.raises(ConnectorError, match="no server named"):
            check(s3(bucket, endpoint_url="http://s3.invalid"))


class TestCredentials:
    def test_of_the_machine_and_none(self, bucket: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        bucket.put({"a.txt": "a"})
        nothing = {"access_key_id": "", "secret_access_key": ""}
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMACHINE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        for credentials in ("machine", "anonymous"):
            assert list(items(s3(bucket, credentials=credentials, **nothing))) == ["a.txt"]
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
        with pytest.raises(ConnectorError, match="no AWS role or keys of its own"):
            check(s3(bucket, credentials="machine", **nothing))


class TestFaults:
    """Answers that the real server does not give, written down after Amazon's reference."""

    def test_throttling_is_waited_for(self) -> None:
        slow = b"<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"
        with (
            scripted(Reply(503, slow, {"Retry-After": "7"})) as script,
            pytest.raises(RetryLater) as caught,
        ):
            listed(S3(S3Config(bucket="docs", endpoint_url=script.url, **KEYS)))  # type: ignore[arg-type]
        assert caught.value.after_s == 7

    def test_a_timeout_is_retried(self) -> None:
        with scripted(Reply(hangs=True)) as script, pytest.raises(RetryLater):
            listed(
                S3(S3Config(bucket="docs", endpoint_url=script.url, timeout_s=0.2, **KEYS))  # type: ignore[arg-type]
            )

    def test_a_cut_body_is_retried(self) -> None:
        with scripted(Reply(200, b"half", cut=True)) as script, pytest.raises(RetryLater):
            body(
                S3(S3Config(bucket="docs", endpoint_url=script.url, **KEYS)),  # type: ignore[arg-type]
                Item(id="a", version="stat:1", uri="s3://docs/a"),
            )

    def test_tags_that_may_not_be_read_close_one_object(self) -> None:
        page = (
            b"<ListBucketResult><Contents><Key>a</Key><ETag>x</ETag><Size>1</Size>"
            b"<LastModified>2024-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>"
        )
        denied = b"<Error><Code>AccessDenied</Code></Error>"
        end = b"<ListBucketResult></ListBucketResult>"
        with scripted(Reply(200, page), Reply(403, denied), Reply(200, end)) as script:
            config = {"bucket": "docs", "endpoint_url": script.url, **KEYS, "permissions": "tags"}
            found = listed(S3(S3Config.model_validate(config)))
        (page_found, rest) = found.pages
        assert [event.id for event in page_found] == ["a?tagging", "a"]
        assert rest == []
        assert found.items[0].access == Access()

    def test_an_unordered_listing_is_refused(self) -> None:
        page = "<ListBucketResult>{}</ListBucketResult>".format(
            "".join(
                f"<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00Z</LastModified>"
                "<ETag>x</ETag><Size>1</Size></Contents>"
                for key in "ba"
            )
        )
        with (
            scripted(Reply(200, page.encode())) as script,
            pytest.raises(ConnectorError, match="order"),
        ):
            listed(S3(S3Config(bucket="docs", endpoint_url=script.url, **KEYS)))  # type: ignore[arg-type]


def test_a_missing_library_is_named(bucket: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(ConnectorError, match="pip install"):
        check(s3(bucket))


class TestConfig:
    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"bucket": "s3://docs"}, "without s3://"),
            ({"bucket": "docs--use1-az4--x-s3"}, "directory buckets"),
            ({"prefix": "/kb"}, "ends with /"),
            ({"endpoint_url": "http://169.254.169.254"}, "machine's own platform"),
            ({"endpoint_url": "http://[fd00:ec2::254]"}, "machine's own platform"),
            ({"endpoint_url": "http://metadata.google.internal"}, "machine's own platform"),
            ({"endpoint_url": "https://ana:secret@s3.local"}, "leave user and password out"),
            ({"endpoint_url": "file:///etc"}, "begins with https://"),
            ({"access_key_id": ""}, "enter an access key"),
            ({"allow": ["everybody"]}, "is neither user:LOGIN"),
        ],
    )
    def test_what_is_wrong_is_said(self, change: dict[str, Any], says: str) -> None:
        with pytest.raises(ValidationError) as caught:
            S3Config.model_validate({"bucket": "docs", **KEYS, **change})
        assert says in str(caught.value.errors()[0]["msg"])

    def test_secrets_do_not_show(self) -> None:
        config = S3Config(
            bucket="docs",
            access_key_id="AKIA",
            secret_access_key="canary-secret",  # type: ignore[arg-type]
            session_token="canary-token",  # type: ignore[arg-type]
        )
        assert "canary" not in repr(config) + str(config) + json.dumps(
            config.model_dump(mode="json")
        )
        assert "canary" not in repr(S3(config)) + repr(vars(S3(config)))

    def test_the_form_marks_secrets(self) -> None:
        fields = S3Config.model_json_schema()["properties"]
        assert fields["secret_access_key"]["format"] == "password"
        assert all(field.get("title") for field in fields.values())


def test_from_the_bucket_to_the_catalog_and_out_again(
    bucket: Folder, database: Database, tmp_path: Path
) -> None:
    synced = Synced(database, tmp_path, "s3")
    long = "a" * 600 + ".txt"
    bucket.put(
        {
            ".access.toml": 'allow = ["group:all"]',
            "a.txt": "Alpha is first.",
            "b.md": "Beta is second.",
            f"long/{long}": "Long names arrive.",
        }
    )
    connector = {"permissions": "access_files"}
    first = synced.run(s3(bucket, **connector))
    assert (first.counts.added, first.counts.failed) == (3, 0)
    everybody = ["group:source:all"]
    keys = ["a.txt", "b.md", f"long/{long}"]
    assert synced.readers() == dict.fromkeys(keys, everybody)
    bucket.put({"b.md.access.toml": 'allow = ["user:ana"]'})
    narrowed = synced.run(s3(bucket, **connector))
    assert (narrowed.counts.access_changed, narrowed.counts.changed) == (1, 0)
    assert synced.readers()["b.md"] == ["user:local|ana"]
    bucket.put({"a.txt": "Alpha is new.", "moved.md": "Beta is second."})
    bucket.delete("b.md", "b.md.access.toml")
    last = synced.run(s3(bucket, **connector))
    assert (last.counts.changed, last.counts.added, last.counts.deleted) == (1, 1, 1)
    assert set(synced.texts()) == {"a.txt", "moved.md", f"long/{long}"}
    assert "Alpha is new." in synced.texts()["a.txt"]
    with pytest.raises(SyncError, match="can't be reached"):
        synced.run(s3(bucket, endpoint_url="http://127.0.0.1:1"))
    assert "a.txt" in synced.texts()
