"""A dry run says what the run after it does, and does nothing itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from assistant.errors import SyncError
from assistant.store.database import Database
from connectors.contract import Access, Complete, Failed, Gone, Item, Mark
from tests.integration.ingest.test_sync import Bench, Documents

NAMES = [f"{folder}{n}" for folder in ("a/", "b/") for n in range(8)]
READERS = [Access(), Access(allow=frozenset({"user:ana"})), Access(allow=frozenset({"group:hr"}))]

Content = Mapping[str, tuple[str, Access, str]]
"""Version, readers and address of each document."""


class Feed(Documents):
    """A source that lists everything, or only what changed since it was listed before."""

    def __init__(self, before: Content, now: Content, failed: frozenset[str]) -> None:
        super().__init__({name: version for name, (version, _, _) in now.items()})
        self._before = before
        self._now = now
        self._failed = failed

    async def changes(self, since: JsonValue) -> AsyncIterator[Item | Gone | Failed | Mark]:
        for n, name in enumerate(sorted(self._now), 1):
            if since is None or self._before.get(name) != self._now[name]:
                version, access, uri = self._now[name]
                if name in self._failed:
                    yield Failed(id=name, error="unlisted")
                else:
                    yield Item(id=name, version=version, uri=uri, access=access)
            if n % 3 == 0 and since is not None:
                yield Mark(cursor="feed", done=n)
        if since is None:
            for name in self._failed:
                if name.endswith("/"):
                    yield Failed(id=name, error="unlisted")
            yield Complete(cursor="feed" if self.expires else None)
        else:
            for name in sorted(self._before.keys() - self._now.keys()):
                yield Gone(id=name)
            yield Mark(cursor="feed")


contents = st.dictionaries(
    st.sampled_from(NAMES),
    st.tuples(st.sampled_from(["v1", "v2", "v3"]), st.sampled_from(READERS), st.sampled_from("xy")),
    max_size=16,
)
failing = st.frozensets(st.sampled_from([*NAMES[:4], "b/"]), max_size=3)


@given(
    history=st.lists(st.tuples(contents, failing), min_size=1, max_size=4),
    has_feed=st.booleans(),
    force=st.booleans(),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_dry_run_foresees_the_run(
    database: Database,
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[Content, frozenset[str]]],
    has_feed: bool,
    force: bool,
) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("TRUNCATE sources CASCADE"))
    bench = Bench(database, tmp_path_factory.mktemp("forecast"))
    before: Content = {}
    for now, failed in history:
        seen_failing = failed if not has_feed else frozenset()
        source = Feed(before, now, seen_failing)
        source.expires = has_feed
        stored = content(database)
        forecast = bench.run(source, kind="dry_run", force=force)
        assert source.fetched == []
        assert content(database) == stored
        if forecast.note:
            with pytest.raises(SyncError, match=re.escape(forecast.note)):
                bench.run(source, force=force)
            continue
        assert bench.run(source, force=force).counts == forecast.counts
        before = now


def content(database: Database) -> list[Any]:
    """Return all that a run may change."""
    tables = ("documents", "chunks", "acls", "failures", "memberships", "heads", "sources")
    with database.begin() as conn:
        rows = [conn.execute(sa.text(f"SELECT * FROM {t} ORDER BY 1")).all() for t in tables]
    found = []
    for name, of_table in zip(tables, rows, strict=True):
        for row in of_table:
            fields = dict(row._mapping)
            if name == "sources":
                for lease in ("lease_holder", "lease_token", "lease_until"):
                    del fields[lease]
            found.append((name, sorted(map(str, fields.items()))))
    return found
