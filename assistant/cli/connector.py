"""Connectors from the command line: what is installed, and the sources made with them."""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, JsonValue, SecretStr

from assistant import wiring
from assistant.cli.console import AsJson, Data, err, out, print_json, print_table, settings
from assistant.errors import InvalidRequest, SyncError
from assistant.ingest import configuration, connections
from assistant.ingest.connections import Draft
from assistant.store import runs, sources
from assistant.store.sources import Source
from assistant.vault import vault
from connectors import registry
from connectors.contract import ConnectorError, Receiving

app = typer.Typer(help="Sources of every kind, and the connectors for them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The source's name.")]


@app.command()
def types(as_json: AsJson = False) -> None:
    """List the installed connectors with their fields."""
    found: dict[str, type[BaseModel]] = {}
    for name in registry.names():
        try:
            found[name] = configuration.connector_class(name).Config
        except InvalidRequest as error:
            err.print(f"[yellow]![/yellow] {name}: {error}")
    if as_json:
        print_json({name: config.model_json_schema() for name, config in found.items()})
        return
    for name, config in found.items():
        rows = [
            (f.name, "secret" if f.secret else f.kind, "yes" if f.required else "", f.description)
            for f in configuration.fields(config)
        ]
        print_table(name, ("field", "type", "required", "what it is"), rows)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A short name, such as `policies`.")],
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="An installed connector.")],
    key_value: Annotated[
        list[str] | None, typer.Option("--set", help="A field and its value, key=value; repeatable")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--secret", help="A secret field, asked for or read from stdin; repeatable."),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--from", help="A TOML file with fields that are not secret.")
    ] = None,
    title: Annotated[str, typer.Option(help="What people see.")] = "",
    industry: Annotated[str, typer.Option(help="finance, healthcare, retail, …")] = "",
    data: Data = None,
) -> None:
    """Add a source, or change the one of that name; secrets not given again are kept."""
    chosen = settings(data)
    config = configuration.connector_class(type_).Config
    given = _from_file(file) if file else {}
    given |= configuration.values(config, key_value or ())
    _known_secrets(config, key or ())
    fresh = _secrets(key or ())
    draft = Draft(name, type_, given, fresh, title, industry)
    with wiring.database(chosen) as database, database.begin() as conn:
        log = wiring.audit_log(chosen, database)
        try:
            connections.put(conn, log, partial(vault, chosen), draft)
        except InvalidRequest as error:
            raise InvalidRequest(
                f"{error} Fields are given by --set NAME=VALUE, secrets by --secret NAME."
            ) from error
    out.print(f"Added {name}. Next: assistant connector test {name}")


@app.command()
def listen(name: Name, data: Data = None) -> None:
    """Receive what a source sends, such as HL7 messages, until stopped; a sync reads it."""
    chosen = settings(data)
    with wiring.database(chosen) as database, database.begin() as conn:
        source = sources.source_named(conn, name)
    receiver = wiring.connector(chosen, source)
    if not isinstance(receiver, Receiving):
        raise InvalidRequest(f"{name} sends nothing by itself; use: assistant sync run {name}")
    try:
        asyncio.run(receiver.receive(partial(_listening, name)))
    except ConnectorError as error:
        raise SyncError(f"{name}: {error}") from error
    except KeyboardInterrupt:
        out.print("Stopped; what was acknowledged is stored.")


def _listening(name: str, address: str) -> None:
    out.print(f"{name} listens at {address}. Stop it with Ctrl-C.")


@app.command(name="test")
def try_(
    name: Name,
    public: Annotated[
        bool, typer.Option("--public", help="Accept items that everyone may read.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Look at a source without storing anything; exit code 1 if it can't be used as it is."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        with database.begin() as conn:
            source = sources.source_named(conn, name)
        try:
            found = asyncio.run(connections.look(wiring.connector(chosen, source)))
        except ConnectorError as error:
            raise SyncError(f"{name}: {error}") from error
    if as_json:
        print_json(
            {
                "groups": found.n_groups,
                "items": found.n_items,
                "failed": found.n_failed,
                "readers": found.readers,
            }
        )
    else:
        out.print(
            f"{name} can be used: {found.n_groups} groups; the first page of changes has "
            f"{found.n_items} items, and {found.n_failed} that can't be listed."
        )
        print_table("Who may read", ("who", "items"), found.readers.most_common())
    problem = found.objection(name, "--public")
    if problem and not public:
        raise SyncError(problem)


@app.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """List the sources: what they hold, their last run, and how fresh they are."""
    with wiring.database(settings(data)) as database, database.begin() as conn:
        stats = sources.source_stats(conn)
        found = [
            _shown(s, stats[s.id].n_documents, next(iter(runs.list_runs(conn, s.id, 1)), None))
            for s in sources.list_sources(conn)
        ]
    if as_json:
        print_json(found)
        return
    columns = (
        "name",
        "type",
        "title",
        "secrets",
        "documents",
        "last_run",
        "content",
        "permissions",
    )
    rows = [[_cell(one[column]) for column in columns] for one in found]
    print_table("Sources", [column.replace("_", " ") for column in columns], rows)


@app.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    data: Data = None,
) -> None:
    """Remove a source; its documents leave with it."""
    chosen = settings(data)
    with wiring.database(chosen) as database:
        with database.begin() as conn:
            source = sources.source_named(conn, name)
            n_documents = sources.source_stats(conn)[source.id].n_documents
        if not yes:
            _confirm(f"Remove {name} with its {n_documents} documents?")
        n_documents = connections.remove(database, wiring.audit_log(chosen, database), source)
    out.print(f"Removed {name} and its {n_documents} documents.")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidRequest("Nobody can be asked here; confirm with --yes.")
    if not typer.confirm(question):
        raise InvalidRequest("Nothing was removed.")


def _from_file(file: str) -> dict[str, JsonValue]:
    try:
        return tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(f"{file} can't be read ({error.strerror}); check the path.") from error
    except ValueError as error:
        raise InvalidRequest(f"{file} is not valid TOML; correct it.") from error


def _known_secrets(config: type[BaseModel], names: Sequence[str]) -> None:
    """Refuse a wrong name before anybody types a secret."""
    known = configuration.fields(config)
    secret = [f"{f.name}.NAME" if f.named else f.name for f in known if f.secret]
    for name in names:
        if configuration.secret_field(name, known) is None:
            raise InvalidRequest(
                f"{name!r} is no secret field; those are: {', '.join(secret) or 'none'}."
            )


def _secrets(names: Sequence[str]) -> dict[str, SecretStr]:
    """Ask for secrets, or read one line of stdin for each."""
    found = {}
    for name in names:
        if sys.stdin.isatty():
            text = typer.prompt(name, hide_input=True)
        else:
            text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            raise InvalidRequest(f"The secret {name!r} is empty; pipe it in, one line for each.")
        found[name] = SecretStr(text)
    return found


def _shown(source: Source, n_documents: int, last: runs.SyncRun | None) -> dict[str, Any]:
    return {
        "name": source.name,
        "type": source.connector,
        "title": source.title,
        "secrets": dict.fromkeys(source.secrets, "set"),
        "documents": n_documents,
        "last_run": last.state if last else None,
        "content": source.synced_at,
        "permissions": source.groups_at,
    }


def _cell(value: Any) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in value.items())
    return value.astimezone().strftime("%Y-%m-%d %H:%M") if hasattr(value, "astimezone") else value
