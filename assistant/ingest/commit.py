"""Writing one page of changes to the catalog, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from assistant.access.principals import qualify
from assistant.domain import Principal
from assistant.ingest.body import Body, facts
from assistant.ingest.curate import Curator
from assistant.ingest.page import Page, Unread
from assistant.ingest.step import step
from assistant.store import acls, catalog, curations, runs, seen
from assistant.store.acls import Acl
from assistant.store.document import NewDocument
from assistant.store.sources import Source
from connectors.contract import Access, Failed, Item


def page(conn: Connection, source: Source, page: Page, run_no: int, curator: Curator) -> None:
    """Apply what a page found; what need not be written again is kept in a few statements."""
    items = sorted(map(curator.cleaned, page.items), key=lambda item: item.id)
    page.counts.listed += len(items)
    access_ids = _access_ids(conn, source, {item.access for item in items})
    kept = []
    for item in items:
        body = page.found.get(item.id)
        if isinstance(body, Body) and not page.is_kept(item, body):
            _write(conn, source, page, item, body, access_ids[item.access], run_no)
            step("document written")
        else:
            kept.append(item)
    _keep(conn, source, page, kept, access_ids, run_no)
    _note_failures(conn, source, page, items)
    for event in page.gone:
        deleted = catalog.delete_document(conn, source.id, event.id)
        page.counts.deleted += deleted is not None
    runs.clear_failures(conn, source.id, [event.id for event in page.gone])
    for failed in page.failed:
        _fail(conn, source, page, failed, run_no)
    curations.put(
        conn, source.id, {key: body.curated.curation for key, body in page.bodies.items()}
    )


def _write(
    conn: Connection,
    source: Source,
    page: Page,
    item: Item,
    body: Body,
    access_id: int,
    run_no: int,
) -> None:
    """Store what was read."""
    known = page.known.get(item.id)
    new_facts = facts(item, source, title=body.title, lang=body.lang, media_type=body.media_type)
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
    catalog.upsert_document(conn, document, page.chunks[item.id], body.records)
    if known is not None and known.is_live:
        page.counts.changed += 1
    else:
        page.counts.added += 1


def _keep(
    conn: Connection,
    source: Source,
    page: Page,
    items: Sequence[Item],
    access_ids: Mapping[Access, int],
    run_no: int,
) -> None:
    """Keep known documents' content; their access and facts follow the source at once."""
    known = {key: document for key, document in page.known.items() if document.is_live}
    items = [item for item in items if item.id in known]
    if not items:
        return
    unread = {key for key, found in page.found.items() if isinstance(found, Unread)}
    seen.touch_documents(conn, source.id, [item.id for item in items], run_no)
    versions = {
        item.id: item.version
        for item in items
        if item.id not in unread and item.version != known[item.id].version
    }
    seen.set_versions(conn, source.id, versions)
    wanted = {item.id: access_ids[item.access] for item in items}
    changed = seen.set_documents_access(conn, source.id, wanted)
    for item in items:
        old = known[item.id].facts
        new = facts(item, source, title=old.title, lang=old.lang, media_type=old.media_type)
        if new != old and catalog.set_document_facts(conn, source.id, item.id, new):
            changed.add(item.id)
    page.counts.access_changed += len(changed)
    page.counts.unchanged += sum(item.id not in changed | unread for item in items)


def _note_failures(conn: Connection, source: Source, page: Page, items: Sequence[Item]) -> None:
    unread = {key: found for key, found in page.found.items() if isinstance(found, Unread)}
    for item in items:
        found = unread.get(item.id)
        if found is not None:
            page.counts.failed += 1
            if found.withdrawn and catalog.delete_document(conn, source.id, item.id):
                page.counts.deleted += 1
            listed = item.model_dump(mode="json")
            runs.record_failure(conn, source.id, item.id, found.cause, found.error, listed)
    runs.clear_failures(conn, source.id, [item.id for item in items if item.id not in unread])


def _fail(conn: Connection, source: Source, page: Page, event: Failed, run_no: int) -> None:
    page.counts.failed += 1
    runs.record_failure(conn, source.id, event.id, "unlisted", event.error)
    if event.id.endswith("/"):
        catalog.touch_beneath(conn, source.id, event.id, run_no)
    else:
        catalog.touch_document(conn, source.id, event.id, run_no)


def _access_ids(
    conn: Connection, source: Source, accesses: Collection[Access]
) -> dict[Access, int]:
    """Return the ids of access lists in the source's principals."""
    ordered = sorted(accesses, key=lambda access: sorted(access.allow))
    qualified = [
        Acl(
            _qualified(source, access.allow),
            _qualified(source, access.deny),
            _qualified(source, access.all_of),
        )
        for access in ordered
    ]
    return dict(zip(ordered, acls.acl_ids(conn, qualified), strict=True))


def _qualified(source: Source, names: Collection[str]) -> frozenset[Principal]:
    return frozenset(qualify(source.name, name) for name in names)
