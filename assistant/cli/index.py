"""The commands that look after the saved search index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from assistant import wiring
from assistant.cli.console import AsJson, Data, out, print_json, print_table, progress_bar, settings
from assistant.cli.models import embedder_progress
from assistant.errors import IndexUnusable
from assistant.ingest.reembed import reembed
from assistant.retrieval.comparison import Comparison, compared
from assistant.retrieval.generations import Generations
from assistant.settings import Settings
from assistant.store import embeddings, heads, lists
from assistant.store.database import Database
from indexes import saved
from indexes.manifest import Manifest
from indexes.model import SearchIndexError


class Which(StrEnum):
    """A generation by its role."""

    CURRENT = "current"
    PREVIOUS = "previous"
    SHADOW = "shadow"


app = typer.Typer(help="Build, check and change the saved search index.", no_args_is_help=True)


@app.callback()
def about() -> None:
    """Build, check and change the saved search index."""


@app.command()
def status(data: Data = None, as_json: AsJson = False) -> None:
    """List the saved generations: size, dead share, model, age."""
    with _shelf(settings(data)) as (database, shelf):
        with database.begin() as conn:
            head = heads.feed_head(conn)
        rows = [_described(which.value, shelf.snapshots.manifest(which.value)) for which in Which]
    found = [row for row in rows if row is not None]
    if as_json:
        print_json({"newest_change": head, "generations": found})
        return
    columns = ("role", "generation", "passages", "dead", "model", "MB", "saved at")
    cells = [
        (
            row["role"],
            row["generation"],
            row["passages"],
            f"{row['dead_share']:.0%}",
            row["embedder"],
            f"{row['bytes'] / 1e6:.1f}",
            f"{row['saved_at']} ({_ago(row['saved_at'])})",
        )
        for row in found
    ]
    print_table(f"The newest change of the catalog is {head}", columns, cells)


@app.command()
def build(
    embedder: Annotated[
        str | None, typer.Option(help="Another model than `models.embedder`, to change to.")
    ] = None,
    data: Data = None,
) -> None:
    """Build a shadow generation from the database, embedding what this model has not yet."""
    chosen = settings(data)
    if embedder is not None:
        models = chosen.models.model_copy(update={"embedder": embedder})
        chosen = chosen.model_copy(update={"models": models})
    with _shelf(chosen) as (database, shelf):
        model = wiring.embedder(chosen, embedder_progress())
        with _embedding() as step:
            n_embedded = reembed(database, model, step)
        follower = shelf.empty(model.name, model.dimension)
        with database.snapshot() as conn:
            follower.refresh(conn)
        if follower.index.is_fold_due:
            follower.index.fold()
        shelf.keep_lists(follower)
        manifest = shelf.save(follower, shadow=True)
        follower.index.close()
    out.print(
        f"✓ Generation {manifest.facts.generation} built as the shadow: {manifest.facts.n} "
        f"passages of {model.name}, {n_embedded} embedded now. `assistant index swap` verifies it "
        "and makes it the current one."
    )


@app.command()
def verify(
    which: Annotated[Which, typer.Argument(help="The generation to check.")] = Which.CURRENT,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Check the hashes of a generation's files, and compare it with the database."""
    with _shelf(settings(data)) as (database, shelf):
        found = _compared(database, shelf, which)
    if as_json:
        print_json({"ok": found.is_equal, **asdict(found)})
    elif found.is_equal:
        out.print(f"✓ {_sentence(which, found)}")
    _insist(which, found)


@app.command()
def swap(data: Data = None) -> None:
    """Make the shadow the current generation, after it was verified."""
    chosen = settings(data)
    with _shelf(chosen) as (database, shelf):
        _insist(Which.SHADOW, _compared(database, shelf, Which.SHADOW))
        manifest = shelf.snapshots.swap()
    _say_current(manifest)


@app.command()
def rollback(data: Data = None) -> None:
    """Make the previous generation the current one, after its hashes were checked."""
    with _shelf(settings(data)) as (_, shelf):
        manifest = shelf.snapshots.rollback()
    _say_current(manifest)


@app.command()
def compact(data: Data = None) -> None:
    """Save the current generation anew, up to date and without dead passages."""
    with _shelf(settings(data)) as (database, shelf):
        follower = shelf.opened("current")
        with database.snapshot() as conn:
            follower.refresh(conn)
        _, n_dead = saved.n_rows(follower.index)
        follower.index.fold()
        shelf.keep_lists(follower)
        manifest = shelf.save(follower)
        follower.index.close()
        kept = [shelf.snapshots.manifest(which.value) for which in Which]
        with database.begin() as conn:
            names = [m.facts.embedder for m in kept if m]
            n_dropped = embeddings.drop_others(conn, names)
            lists.drop_others(conn, names)
    out.print(
        f"✓ Generation {manifest.facts.generation} saved with {manifest.facts.n} passages; "
        f"{n_dead} dead ones and {n_dropped} vectors of unused models dropped."
    )


@contextmanager
def _shelf(chosen: Settings) -> Iterator[tuple[Database, Generations]]:
    try:
        with wiring.database(chosen) as database, wiring.shelf(chosen, database) as shelf:
            yield database, shelf
    except SearchIndexError as error:
        raise IndexUnusable(str(error)) from error


@contextmanager
def _embedding() -> Iterator[Callable[[int, int], None]]:
    with progress_bar() as bar:
        task = bar.add_task("Embedding", total=None)

        def step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield step


def _compared(database: Database, shelf: Generations, which: Which) -> Comparison:
    follower = shelf.opened(which.value)
    found = compared(follower, database)
    follower.index.close()
    return found


def _insist(which: Which, found: Comparison) -> None:
    if not found.is_equal:
        raise IndexUnusable(
            f"The {which} generation differs from the database: {found.n_missing} passages "
            f"missing, {found.n_extra} too many, {found.n_other_access} with other access, "
            f"{found.n_other_vector} of {found.n_sampled} with another vector, "
            f"{found.n_without_words} of them without words. Run `assistant index build`, then "
            "`assistant index swap`."
        )


def _sentence(which: Which, found: Comparison) -> str:
    return (
        f"The {which} generation is what was saved and, with the changes up to "
        f"{found.generation}, equals the database: {found.n} passages."
    )


def _say_current(manifest: Manifest) -> None:
    facts = manifest.facts
    out.print(
        f"✓ Generation {facts.generation} with {facts.n} passages of {facts.embedder} is current. "
        "Running servers take it at their next start, if `models.embedder` names its model."
    )


def _described(role: str, manifest: Manifest | None) -> dict[str, Any] | None:
    if manifest is None:
        return None
    facts = manifest.facts
    return {
        "role": role,
        "generation": facts.generation,
        "passages": facts.n - facts.n_dead,
        "dead_share": round(facts.n_dead / max(facts.n, 1), 4),
        "embedder": facts.embedder,
        "dimension": facts.dimension,
        "bytes": manifest.n_bytes,
        "saved_at": manifest.created_at,
    }


def _ago(moment: str) -> str:
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"
