"""Schedules, and runs that workers do: paused, resumed, cancelled, looked back at."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant import wiring
from assistant.audit.event import SYSTEM, Event, SourceChanged
from assistant.cli.console import AsJson, Data, out, print_json, print_table, settings
from assistant.cli.standing import at, run_json
from assistant.errors import InvalidRequest, NotFound
from assistant.ingest import jobs
from assistant.ingest import schedule as schedules
from assistant.store import jobs as queue
from assistant.store import runs, sources
from assistant.store.runs import SyncRun, Wish

Name = Annotated[str, typer.Argument(metavar="SOURCE", help="A source's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (schedule, pause, resume, cancel, history):
        app.command()(command)


def schedule(
    source: Name,
    every: Annotated[float | None, typer.Option(help="Seconds between two runs.")] = None,
    cron: Annotated[
        str | None, typer.Option(help="Minute, hour, day, month, weekday, e.g. `30 6 * * *`.")
    ] = None,
    timezone: Annotated[str, typer.Option(help="Where the clock of `--cron` hangs.")] = "UTC",
    off: Annotated[bool, typer.Option("--off", help="Take the schedule away.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Let workers sync a source by themselves; without options, show when they do."""
    chosen = settings(data)
    if off and (every is not None or cron is not None):
        raise InvalidRequest("Give --every, --cron or --off, only one of them.")
    with wiring.database(chosen) as database, database.begin() as conn:
        found = sources.source_named(conn, source)
        if off or every is not None or cron is not None:
            wanted = None if off else schedules.schedule(every, cron, timezone)
            due_at = wanted.first(sources.clock(conn)) if wanted else None
            stored = wanted.model_dump(mode="json") if wanted else None
            queue.set_schedule(conn, found.id, stored, due_at)
            changed = SourceChanged(source, "scheduled" if wanted else "unscheduled")
            wiring.audit_log(chosen, database).append(conn, Event(SYSTEM, changed))
        found = sources.source_named(conn, source)
    if as_json:
        print_json({"source": source, "schedule": found.schedule, "next_run_at": found.next_run_at})
    elif found.schedule is None:
        out.print(f"{source} is synced only when somebody says so.")
    else:
        words = schedules.Schedule.model_validate(found.schedule).words
        out.print(f"{source} is synced {words}; next {at(found.next_run_at)}.")


def pause(source: Name, data: Data = None) -> None:
    """Pause a source's run at its next item; what its marks have committed stays."""
    run = _steer(source, "pause", data)
    out.print(f"Run {run.id} of {source} pauses. Go on with: assistant sync resume {source}")


def resume(source: Name, data: Data = None) -> None:
    """Let a worker go on with a source's paused run from its last mark."""
    run = _steer(source, "", data)
    out.print(f"Run {run.id} of {source} goes on as soon as a worker is free.")


def cancel(source: Name, data: Data = None) -> None:
    """Cancel a source's run at its next item; what its marks have committed stays."""
    run = _steer(source, "cancel", data)
    out.print(f"Run {run.id} of {source} is cancelled.")


def history(
    source: Annotated[
        str | None, typer.Argument(help="A source's name; all sources without it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many runs.")] = 20,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List sync runs, the newest first, with what they did and where their time went."""
    with wiring.database(settings(data)) as database, database.begin() as conn:
        names = {one.id: one.name for one in sources.list_sources(conn)}
        wanted = sources.source_named(conn, source).id if source else None
        found = runs.list_runs(conn, wanted, limit)
    if as_json:
        print_json([{"source": names[run.source_id], **run_json(run)} for run in found])
        return
    columns = ("run", "source", "kind", "state", "began", "documents", "seconds", "error")
    print_table("Sync runs", columns, [_row(run, names[run.source_id]) for run in found])


def _row(run: SyncRun, source: str) -> tuple[object, ...]:
    n = {"added": 0, "changed": 0, "deleted": 0, **run.counts}
    return (
        run.id,
        source,
        run.kind.replace("_", " "),
        run.state,
        at(run.started_at or run.queued_at),
        f"+{n['added']} ~{n['changed']} −{n['deleted']}",
        " ".join(f"{stage} {seconds:.1f}" for stage, seconds in run.seconds.items()),
        run.error or run.note,
    )


def _steer(source: str, wish: Wish, data: Data) -> SyncRun:
    chosen = settings(data)
    with wiring.database(chosen) as database:
        with database.begin() as conn:
            found = sources.source_named(conn, source)
            active = queue.active_run(conn, found.id)
        if active is None:
            raise NotFound(f"No run of {source} waits, runs or is paused.")
        log = wiring.audit_log(chosen, database)
        return jobs.steer(database, log, active.id, wish)
