"""Writing one page of changes to the catalog, in the caller's transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from assistant.access.principals import qualify
from assistant.ingest.body import Body, facts
from assistant.ingest.page import Page, Unread
from assistant.store import acls, catalog, runs
from assistant.store.document import NewDocument
from assistant.store.sources import Source
from connectors.contract import Access, Failed, Gone, Item


def page(conn: Connection, source: Source, page: Page, run_no: int) -> None:
    """Apply what a page found, in the order of its ids so that two writers never deadlock."""
    for item in sorted(page.items, key=lambda item: item.id):
        page.counts.listed += 1
        access_id = _access_id(conn, source, item.access)
        found = page.found.get(item.id)
        if isinstance(found, Body):
            _write(conn, source, page, item, found, access_id, run_no)
        else:
            _keep(conn, source, page, item, access_id, run_no)
        if isinstance(found, Unread):
            page.counts.failed += 1
            listed = item.model_dump(mode="json")
            runs.record_failure(conn, source.id, item.id, found.cause, found.error, listed)
        else:
            runs.clear_failures(conn, source.id, [item.id])
    for event in page.events:
        if isinstance(event, Gone):
            deleted = catalog.delete_document(conn, source.id, event.id)
            page.counts.deleted += deleted is not None
            runs.clear_failures(conn, source.id, [event.id])
        elif isinstance(event, Failed):
            _fail(conn, source, page, event, run_no)


def _write(
    conn: Connection,
    source: Source,
    page: Page,
    item: Item,
    body: Body,
    access_id: int,
    run_no: int,
) -> None:
    """Store what was read, unless only the source's version of the same content changed."""
    known = page.known.get(item.id)
    new_facts = facts(item, source, title=body.title, lang=body.lang, media_type=body.media_type)
    same = known is not None and known.is_live and known.content_sha256 == body.content_sha256
    if same and item.id not in page.embedded:
        _keep(conn, source, page, item, access_id, run_no)
        return
    document = NewDocument(
        source_id=source.id,
        external_id=item.id,
        version=item.version,
        content_sha256=body.content_sha256,
        access_id=access_id,
        facts=new_facts,
        original=body.original,
        run_no=run_no,
    )
    catalog.upsert_document(conn, document, page.chunks[item.id])
    if known is not None and known.is_live:
        page.counts.changed += 1
    else:
        page.counts.added += 1


def _keep(
    conn: Connection, source: Source, page: Page, item: Item, access_id: int, run_no: int
) -> None:
    """Keep a known document's content; its access and facts follow the source at once."""
    known = page.known.get(item.id)
    if known is None or not known.is_live:
        return
    unread = isinstance(page.found.get(item.id), Unread)
    version = None if unread else item.version
    catalog.touch_document(conn, source.id, item.id, run_no, version)
    changed = catalog.set_document_access(conn, source.id, item.id, access_id)
    new_facts = facts(
        item,
        source,
        title=known.facts.title,
        lang=known.facts.lang,
        media_type=known.facts.media_type,
    )
    changed |= catalog.set_document_facts(conn, source.id, item.id, new_facts)
    if changed:
        page.counts.access_changed += 1
    elif not unread:
        page.counts.unchanged += 1


def _fail(conn: Connection, source: Source, page: Page, event: Failed, run_no: int) -> None:
    page.counts.failed += 1
    runs.record_failure(conn, source.id, event.id, "unlisted", event.error)
    if event.id.endswith("/"):
        catalog.touch_beneath(conn, source.id, event.id, run_no)
    else:
        catalog.touch_document(conn, source.id, event.id, run_no)


def _access_id(conn: Connection, source: Source, access: Access) -> int:
    allow, deny, all_of = (
        {qualify(source.name, principal) for principal in principals}
        for principals in (access.allow, access.deny, access.all_of)
    )
    return acls.acl_id(conn, allow, deny, all_of)
