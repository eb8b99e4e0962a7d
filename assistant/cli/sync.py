"""Sync jobs from the command line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TaskID

from assistant import telemetry, wiring
from assistant.audit.event import SYSTEM, Event, SourceChanged
from assistant.cli.console import (
    AsJson,
    Data,
    err,
    out,
    print_json,
    print_table,
    progress_bar,
    settings,
)
from assistant.cli.models import embedder_progress
from assistant.errors import AssistantError, InvalidRequest, SyncError
from assistant.ingest.progress import Counts
from assistant.ingest.sync import Report
from assistant.ports import Embedder
from assistant.settings import Settings
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.store.sources import Source

app = typer.Typer(help="Bring documents in and keep them current.", no_args_is_help=True)
log = telemetry.logger(__name__)

Name = Annotated[str | None, typer.Argument(help="A source's name; all sources without it.")]


class Bar:
    """Shows a run on a terminal, or logs each committed page elsewhere."""

    def __init__(self, source: str, bar: Progress) -> None:
        self._source = source
        self._bar = bar
        self._task: TaskID = bar.add_task(source, total=None)
        self._n_read = 0

    def read(self, item_id: str, cause: str | None) -> None:
        """Show an item that was read; name one that could not be."""
        self._n_read += 1
        self._bar.update(self._task, description=f"{self._source}: reading {item_id[-50:]}")
        if self._bar.disable:
            log.debug("sync.read", source=self._source, item=item_id)
        if cause is not None:
            err.print(f"[yellow]![/yellow] {self._source}: {item_id} is quarantined ({cause})")

    def committed(self, counts: Counts, done: int, total: int | None) -> None:
        """Move the bar to what is in the database."""
        self._bar.update(
            self._task,
            description=self._source,
            completed=done,
            total=total or self._bar.tasks[self._task].total,
        )
        if self._bar.disable:
            log.info("sync.page", source=self._source, done=done, total=total, **counts.as_dict())


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A short name, such as `policies`.")],
    path: Annotated[Path, typer.Argument(help="The folder to read.")],
    title: Annotated[str, typer.Option(help="What people see.")] = "",
    industry: Annotated[str, typer.Option(help="finance, healthcare, retail, …")] = "",
    data: Data = None,
) -> None:
    """Add a folder of documents as a source, or change where it is."""
    if not path.is_dir():
        raise InvalidRequest(f"There is no folder {path}; check the path.")
    chosen = settings(data)
    with wiring.database(chosen) as database:
        config: dict[str, Any] = {"path": str(path.resolve())}
        with database.begin() as conn:
            sources.put_source(conn, name, "files", config, title=title, industry=industry)
            wiring.audit_log(chosen, database).append(
                conn, Event(SYSTEM, SourceChanged(name, "put"))
            )
    out.print(f"Added {name}. Next: assistant sync run {name}")


@app.command()
def run(
    source: Name = None,
    full: Annotated[bool, typer.Option("--full", help="Read every document again.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Delete even if most documents are gone.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0, help="Run again after this many seconds; 0 runs once.")
    ] = 0,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Bring sources up to date; an interrupted run goes on where it was."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        model = wiring.embedder(chosen, embedder_progress())
        if not every:
            _show(run_all(chosen, database, model, source, full=full, force=force), as_json)
        while every:
            _on_schedule(chosen, database, model, source)
            time.sleep(every)


def _on_schedule(chosen: Settings, database: Database, model: Embedder, source: str | None) -> None:
    """Run once; a failure is logged, and the next run tries again."""
    try:
        for report in run_all(chosen, database, model, source):
            log.info("sync.done", source=report.source, **report.counts.as_dict())
    except AssistantError as error:
        log.error("sync.failed", error=str(error))


def _show(reports: Sequence[Report], as_json: bool) -> None:
    if as_json:
        print_json(
            [{"source": r.source, **r.counts.as_dict(), "seconds": r.seconds} for r in reports]
        )
        return
    for report in reports:
        c = report.counts
        out.print(
            f"{report.source}: +{c.added} ~{c.changed} −{c.deleted} documents, "
            f"{c.access_changed} access changes, {c.unchanged} unchanged, {c.failed} failed"
        )


def run_all(
    chosen: Settings,
    database: Database,
    model: Embedder,
    name: str | None = None,
    *,
    full: bool = False,
    force: bool = False,
) -> list[Report]:
    """Sync one source or all, with a progress bar; one that fails does not stop the others."""
    with database.begin() as conn:
        wanted = [sources.source_named(conn, name)] if name else sources.list_sources(conn)
    if not wanted:
        raise InvalidRequest("There is no source yet; add one with: assistant sync add NAME FOLDER")
    reports: list[Report] = []
    problems: list[AssistantError] = []
    with progress_bar() as bar:
        for source in wanted:
            try:
                job = wiring.sync_run(
                    chosen,
                    database,
                    model,
                    source,
                    progress=Bar(source.name, bar),
                    full=full,
                    force=force,
                )
                reports.append(asyncio.run(job.run()))
            except AssistantError as error:
                problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SyncError(" ".join(str(problem) for problem in problems))
    return reports


@app.command()
def status(data: Data = None, as_json: AsJson = False) -> None:
    """Show sources, their last run and what is quarantined."""
    with wiring.database(settings(data)) as database, database.begin() as conn:
        stats = sources.source_stats(conn)
        found = [
            (source, stats[source.id], next(iter(runs.list_runs(conn, source.id, 1)), None))
            for source in sources.list_sources(conn)
        ]
        failures = runs.list_failures(conn)
    names = {source.id: source.name for source, _, _ in found}
    if as_json:
        print_json(
            {
                "sources": [_source_json(*row) for row in found],
                "failures": [
                    {
                        "source": names[f.source_id],
                        "id": f.external_id,
                        "cause": f.cause,
                        "error": f.error,
                        "attempts": f.attempts,
                    }
                    for f in failures
                ],
            }
        )
        return
    rows = [
        (
            s.name,
            st.n_documents,
            st.n_chunks,
            st.n_failures,
            last.state if last else "never run",
            s.synced_at.astimezone().strftime("%Y-%m-%d %H:%M") if s.synced_at else "",
        )
        for s, st, last in found
    ]
    columns = ("source", "documents", "chunks", "quarantined", "last run", "current as of")
    print_table("Sources", columns, rows)
    for f in failures:
        out.print(f"! {names[f.source_id]}: {f.external_id} ({f.cause}) {f.error}", markup=False)


def _source_json(
    source: Source, stats: sources.SourceStats, last: runs.SyncRun | None
) -> dict[str, Any]:
    return {
        "name": source.name,
        "connector": source.connector,
        "documents": stats.n_documents,
        "chunks": stats.n_chunks,
        "quarantined": stats.n_failures,
        "synced_at": source.synced_at,
        "groups_at": source.groups_at,
        "last_run": {
            "state": last.state,
            "error": last.error,
            "counts": last.counts,
            "seconds": last.seconds,
        }
        if last
        else None,
    }
