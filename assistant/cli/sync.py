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
from assistant.cli.standing import COLUMNS, Standing
from assistant.errors import AssistantError, InvalidRequest, SyncError
from assistant.ingest.lags import lags
from assistant.ingest.outcome import Report
from assistant.ingest.progress import Counts
from assistant.ingest.task import Task
from assistant.ports import Embedder
from assistant.settings import Settings
from assistant.store import jobs, runs, sources
from assistant.store.database import Database

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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List and compare only: say what a run would do.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0, help="Run again after this many seconds; 0 runs once.")
    ] = 0,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Bring sources up to date; an interrupted run goes on where it was."""
    chosen = settings(data)
    task = Task("dry_run" if dry_run else "sync", full=full, force=force)
    with wiring.database(chosen) as database:
        model = wiring.embedder(chosen, embedder_progress())
        if not every:
            show(run_all(chosen, database, model, source, task), as_json)
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


@app.command()
def retry(
    source: Annotated[str, typer.Argument(help="A source's name.")],
    cause: Annotated[str | None, typer.Option(help="Only what failed for this cause.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Read only what is quarantined in a source again; exit code 1 if something fails again."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        model = wiring.embedder(chosen, embedder_progress())
        reports = run_all(chosen, database, model, source, Task("retry", cause=cause))
        show(reports, as_json)
        with database.begin() as conn:
            source_id = sources.source_named(conn, source).id
            left = runs.list_failures(conn, source_id, cause=cause)
    if left:
        raise SyncError(
            f"{len(left)} items of {source} can't be read; `assistant sync status` says why."
        )


def show(reports: Sequence[Report], as_json: bool) -> None:
    """Print what runs did, or would do."""
    if as_json:
        print_json([_report_json(report) for report in reports])
        return
    for report in reports:
        c = report.counts
        out.print(
            f"{report.source}: +{c.added} ~{c.changed} −{c.deleted} documents, "
            f"{c.access_changed} access changes, {c.unchanged} unchanged, {c.failed} failed"
            + ("" if report.state == "done" else f"; {report.state}")
        )
        if report.note:
            out.print(f"[yellow]![/yellow] {report.note}")


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "source": report.source,
        "run_id": report.run_id,
        "state": report.state,
        **report.counts.as_dict(),
        "seconds": report.seconds,
        "stages": report.stages,
        "note": report.note,
    }


def run_all(
    chosen: Settings,
    database: Database,
    model: Embedder,
    name: str | None = None,
    task: Task = Task(),  # noqa: B008
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
            shown = Bar(source.name, bar)
            try:
                job = wiring.sync_run(chosen, database, model, source, progress=shown, task=task)
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
    """Show sources with their four lags, their last and next run, and what is quarantined."""
    with wiring.database(settings(data)) as database, database.begin() as conn:
        stats = sources.source_stats(conn)
        newest = runs.newest_runs(conn)
        now = sources.clock(conn)
        found = [
            Standing(s, stats[s.id], newest.get(s.id), jobs.active_run(conn, s.id), lags(s, now))
            for s in sources.list_sources(conn)
        ]
        failures = runs.list_failures(conn)
    names = {one.source.id: one.source.name for one in found}
    if as_json:
        print_json(
            {
                "sources": [one.as_json() for one in found],
                "failures": [
                    {
                        "source": names[f.source_id],
                        "id": f.external_id,
                        "cause": f.cause,
                        "error": f.error,
                        "attempts": f.attempts,
                        "next_try_at": f.next_try_at,
                    }
                    for f in failures
                ],
            }
        )
        return
    print_table("Sources", COLUMNS, [one.row() for one in found])
    for f in failures:
        out.print(f"! {names[f.source_id]}: {f.external_id} ({f.cause}) {f.error}", markup=False)
