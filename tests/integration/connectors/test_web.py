"""The web connector against a real HTTP server: sitemaps, robots.txt, changes, attacks."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from pydantic import JsonValue, ValidationError

from connectors.conformance import Conformance, Listing, listing
from connectors.contract import (
    Connector,
    ConnectorError,
    CursorExpired,
    Failed,
    Item,
    RetryLater,
)
from connectors.following import Ability, Following
from connectors.web import Web, WebConfig
from tests.support import website
from tests.support.website import Website


@pytest.fixture
def site() -> Iterator[Website]:
    with website.serving(Website()) as site:
        site.pages = {f"/docs/p{n:02}.html": f"<p>Page {n}.</p>".encode() for n in range(7)}
        site.list_pages()
        yield site


def web(site: Website, **config: Any) -> Web:
    given = {
        "site": site.url,
        "internal_hosts": ["127.0.0.1"],
        "allow": ["everyone"],
        "pace_s": 0,
        "timeout_s": 5,
        **config,
    }
    return Web(WebConfig.model_validate(given))


def listed(connector: Web, since: JsonValue = None) -> Listing:
    async def story() -> Listing:
        try:
            return await listing(connector, since)
        finally:
            await connector.aclose()

    return asyncio.run(story())


def paths(site: Website, found: Listing) -> list[str]:
    return [item.id.removeprefix(site.url) for item in found.items]


def failures(found: Listing) -> dict[str, str]:
    return {e.id: e.error for page in found.pages for e in page if isinstance(e, Failed)}


def body(connector: Web, url: str) -> bytes:
    async def read() -> bytes:
        try:
            item = Item(id=url, version="1", uri=url)
            return b"".join([piece async for piece in connector.fetch(item)])
        finally:
            await connector.aclose()

    return asyncio.run(read())


class TestConformance(Conformance):
    @pytest.fixture(autouse=True)
    def served(self, site: Website) -> None:
        self.site = site
        many = {f"/many/{n:03}.html": b"" for n in range(230)}
        site.pages |= many | {"/caf%C3%A9%20menu.html": b"<p>caf\xc3\xa9</p>"}
        site.lastmods = dict.fromkeys(many, "2024-03-01")
        site.list_pages()

    def make(self) -> Connector:
        return web(self.site)

    def make_unusable(self) -> Connector:
        return web(Website(url="http://127.0.0.1:1"))


class TestFollowing(Following):
    cannot: ClassVar[dict[Ability, str]] = {
        "revoke": "A site has one list of readers for all, in its configuration.",
    }

    @pytest.fixture(autouse=True)
    def served(self, site: Website) -> None:
        self.site = site

    def make(self) -> Connector:
        return web(self.site)

    def make_unusable(self) -> Connector:
        return web(Website(url="http://127.0.0.1:1"))

    def add(self, name: str, text: str) -> None:
        self.site.pages[f"/{quote(name)}.html"] = f"<p>{text}</p>".encode()
        self.site.list_pages()

    change = add

    def delete(self, name: str) -> None:
        del self.site.pages[f"/{quote(name)}.html"]
        self.site.list_pages()

    def throttle(self) -> None:
        self.site.busy["/docs/p03.html"] = 2

    def empty(self) -> None:
        self.site.pages.clear()
        self.site.list_pages()

    def fill(self, n: int) -> None:
        self.site.pages |= {f"/many/{i}.html": b"" for i in range(n)}
        self.site.lastmods = dict.fromkeys(self.site.pages, "2024-03-01")
        self.site.list_pages()


def test_an_index_with_gzip_is_followed_and_every_page_comes_once(site: Website) -> None:
    row = f"<url><loc>{site.url}/docs/p01.html</loc></url>"
    site.pages["/a.xml.gz"] = gzip.compress(website.sitemap("urlset", [row, row]))
    names = ("/sitemap.xml", "/a.xml.gz")
    rows = [f"<sitemap><loc>{site.url}{name}</loc></sitemap>" for name in names]
    site.pages["/index.xml"] = website.sitemap("sitemapindex", rows)
    site.pages["/robots.txt"] = f"Sitemap: {site.url}/index.xml".encode()
    found = paths(site, listed(web(site)))
    assert sorted(found) == [f"/docs/p{n:02}.html" for n in range(7)]


def test_robots_and_prefixes_are_honoured(site: Website) -> None:
    site.pages["/robots.txt"] = b"User-agent: *\nDisallow: /docs/p0*3\nAllow: /docs/p06\n"
    site.pages |= {"/docs-old/x.html": b"", "/docs/%2e%2e/x.html": b""}
    site.list_pages()
    found = paths(site, listed(web(site, allowed=[f"{site.url}/docs"])))
    assert found == [f"/docs/p{n:02}.html" for n in (0, 1, 2, 4, 5, 6)]
    with pytest.raises(ConnectorError, match="outside of what is allowed"):
        body(web(site), f"{site.url}/docs/p03.html")
    assert ("GET", "/docs/p03.html") not in site.requests


def test_changes_change_versions_and_missing_pages_are_gone(site: Website) -> None:
    before = {item.id: item.version for item in listed(web(site)).items}
    site.pages["/docs/p01.html"] = b"new"
    del site.pages["/docs/p02.html"]
    after = {item.id: item.version for item in listed(web(site)).items}
    assert set(before) - set(after) == {f"{site.url}/docs/p02.html"}
    changed = [url for url in after if after[url] != before[url]]
    assert changed == [f"{site.url}/docs/p01.html"]
    site.has_etags = False
    hashed = listed(web(site)).items
    assert all(item.version.startswith("sha256:") for item in hashed)


def test_lastmod_costs_no_request(site: Website) -> None:
    site.lastmods = dict.fromkeys(site.pages, "2024-03-01T10:00:00Z")
    site.list_pages()
    versions = {item.version for item in listed(web(site)).items}
    assert versions == {"lastmod:2024-03-01T10:00:00Z"}
    assert not [path for _, path in site.requests if path.startswith("/docs")]


def test_sitemaps_that_change_in_between_expire_the_cursor(site: Website) -> None:
    site.pages |= {f"/x{n:03}.html": b"" for n in range(150)}
    site.lastmods = dict.fromkeys(site.pages, "2024-03-01")
    site.list_pages()
    cursor = listed(web(site)).marks[0].cursor
    del site.pages["/docs/p00.html"]
    site.list_pages()
    with pytest.raises(CursorExpired):
        listed(web(site), cursor)


def test_an_unreadable_sitemap_keeps_what_was_there(site: Website) -> None:
    rows = [f"<sitemap><loc>{site.url}/{n}</loc></sitemap>" for n in ("sitemap.xml", "lost.xml")]
    site.pages["/index.xml"] = website.sitemap("sitemapindex", rows)
    found = listed(web(site, sitemaps=[f"{site.url}/index.xml"]))
    assert len(found.items) == 7
    assert failures(found) == {f"{site.url}/": f"{site.url}/lost.xml is gone (404); check the URL."}


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_site_is_given_time(site: Website, status: int) -> None:
    site.answers["/docs/p03.html"] = (status, {"Retry-After": "7"})
    with pytest.raises(RetryLater) as caught:
        listed(web(site))
    assert caught.value.after_s == 7


def test_redirects_go_through_the_gate_again(site: Website) -> None:
    for target in ("http://169.254.169.254/latest", "file:///etc/passwd", "http://localhost/"):
        site.answers["/docs/p00.html"] = (302, {"Location": target})
        with pytest.raises(ConnectorError, match="is refused"):
            body(web(site), f"{site.url}/docs/p00.html")
    site.answers["/docs/p00.html"] = (301, {"Location": "/docs/p01.html"})
    assert body(web(site), f"{site.url}/docs/p00.html") == b"<p>Page 1.</p>"
    site.answers["/docs/p00.html"] = (301, {"Location": "/docs/p00.html"})
    with pytest.raises(ConnectorError, match="more than 5x"):
        body(web(site), f"{site.url}/docs/p00.html")


def test_without_leave_a_private_address_is_never_asked(site: Website) -> None:
    with pytest.raises(ConnectorError, match="no public address"):
        asyncio.run(web(site, internal_hosts=[]).check())
    assert site.requests == []


def test_bombs_and_giants_are_refused(site: Website) -> None:
    site.pages["/bomb.html"] = b"\0" * 15_000_000
    site.compressed.add("/bomb.html")
    with pytest.raises(ConnectorError, match="inflates to more than 100 times"):
        body(web(site), f"{site.url}/bomb.html")
    site.pages["/giant.html"] = b"x" * 2000
    with pytest.raises(ConnectorError, match="larger than 1000 bytes"):
        body(web(site, max_bytes=1000), f"{site.url}/giant.html")
    lol = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    site.pages["/sitemap.xml"] = lol + b"<urlset><url><loc>&b;</loc></url></urlset>"
    assert listed(web(site)).items == []


def test_a_config_that_can_not_work_is_a_sentence() -> None:
    with pytest.raises(ValidationError, match="is refused"):
        WebConfig.model_validate({"site": "http://user:secret@host/"})
