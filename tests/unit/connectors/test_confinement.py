"""What the configurations of connectors say about the disk of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from connectors import registry
from connectors.confinement import Confinable, PathFields, path_fields
from connectors.git import GitConfig
from connectors.sql import SqlConfig
from connectors.sql_row import Kind

ROWS = Kind(name="rows", query="SELECT 1 AS id", id="id", body="{id}")


def test_every_connector_says_which_paths_it_would_read() -> None:
    silent = {
        name
        for name in registry.names()
        if not issubclass(registry.connector_class(name).Config, Confinable)
    }
    assert not silent


def test_paths_are_found_at_any_depth_if_they_were_given() -> None:
    class Inner(BaseModel):
        key: Path = Path("/inner-default")

    class Outer(PathFields):
        one: Path = Path("/default")
        many: tuple[Path, ...] = ()
        named: Mapping[str, Path] = Field(default_factory=dict)
        inner: tuple[Inner, ...] = ()
        text: str = ""

    given = Outer.model_validate(
        {"many": ["/a"], "named": {"b": "/b"}, "inner": [{"key": "/c"}, {}], "text": "/no"}
    )
    assert set(given.local_paths()) == set(path_fields(given)) == {*map(Path, ("/a", "/b", "/c"))}
    assert set(Outer(one=Path("/x")).local_paths()) == {Path("/x")}


@pytest.mark.parametrize(
    ("url", "paths"),
    [
        ("https://git.example/a.git", []),
        ("ssh://git@git.example/srv/a.git", []),
        ("git@git.example:/srv/a.git", []),
        ("/srv/a.git", ["/srv/a.git"]),
        ("file:///srv/a.git", ["/srv/a.git"]),
        ("FILE:///srv/a%20b", ["/srv/a b"]),
        ("file://localhost/srv/a", ["/srv/a"]),
    ],
)
def test_addresses_of_repositories(url: str, paths: list[str]) -> None:
    config = GitConfig.model_validate({"url": url, "known_hosts": "x"})
    assert [*map(str, config.local_paths())] == paths


def test_the_cache_of_a_repository_is_a_path_if_it_was_chosen() -> None:
    given: dict[str, Any] = {"url": "https://git.example/a.git", "cache": "/srv/cache"}
    assert [*GitConfig.model_validate(given).local_paths()] == [Path("/srv/cache")]


@pytest.mark.parametrize(
    ("url", "paths"),
    [
        ("postgresql://ana@db.example/erp?sslmode=verify-full&sslrootcert=system", []),
        ("postgresql://ana@db.example/erp?sslrootcert=/etc/ca.pem", ["/etc/ca.pem"]),
        ("postgresql:///erp", ["/run/postgresql"]),
        ("postgresql:///erp?host=/srv/socket", ["/srv/socket"]),
        ("postgresql://ana@%2Fsrv%2Fsocket/erp", ["/srv/socket"]),
        ("postgresql://ana@db.example/erp?host=other,/srv/socket", ["/srv/socket"]),
        ("postgresql:///erp?host=a&host=@abstract", ["@abstract"]),
        ("sqlite:////srv/a.db", ["/srv/a.db"]),
        ("sqlite:///a.db", ["a.db"]),
    ],
)
def test_addresses_of_databases(url: str, paths: list[str]) -> None:
    config = SqlConfig(url=url, kinds=(ROWS,))
    assert [*map(str, config.local_paths())] == paths
