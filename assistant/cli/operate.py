"""Starting the assistant, and finding out what is wrong with it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from assistant import settings as configuration
from assistant import wiring
from assistant.cli.console import AsJson, Data, err, out, print_json, settings
from assistant.cli.diagnosis import diagnose
from assistant.cli.models import embedder_progress

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the API.")]
UiPort = Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the chat page.")]


class Part(StrEnum):
    """What `serve` can start alone."""

    API = "api"
    UI = "ui"


config = typer.Typer(help="The settings.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(serve)
    app.command()(worker)
    app.command()(demo)
    app.command()(doctor)
    app.add_typer(config, name="config")


def serve(
    only: Annotated[
        Part | None, typer.Option(help="Start just the API or just the chat page.")
    ] = None,
    host: Host = None,
    port: Port = None,
    ui_port: UiPort = None,
    api: Annotated[str | None, typer.Option(help="Where the API answers, for `--only ui`.")] = None,
    data: Data = None,
) -> None:
    """Serve the API and the chat page until Ctrl-C."""
    from assistant.cli import serving  # the API takes a second to import

    chosen = serving.addressed(settings(data), host, port, ui_port)
    if only is Part.UI:
        serving.serve_page(chosen, api)
        return
    with wiring.assistant(chosen, embedder_progress()) as assistant:
        serving.serve(assistant, page=only is None)


def worker(data: Data = None) -> None:
    """Do sync runs that wait and those that are due, until Ctrl-C; any number may work at once."""
    from assistant.cli import serving

    chosen = settings(data)
    with wiring.database(chosen) as database:
        model = wiring.embedder(chosen, embedder_progress())
        serving.work(wiring.worker(chosen, database, model))


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Ask one question per company, then stop.")
    ] = False,
    port: Port = None,
    ui_port: UiPort = None,
    data: Data = None,
) -> None:
    """Start with the sample companies: sync their documents, then serve API and chat."""
    from assistant.cli import demonstration, serving

    chosen = settings(data)
    if check:
        port, ui_port = port or 0, ui_port or 0
    demonstration.run(serving.addressed(chosen, None, port, ui_port), check=check)


def doctor(data: Data = None, as_json: AsJson = False) -> None:
    """Check disk, database, audit log, sources and models, and say what to do."""
    findings = diagnose(settings(data))
    if as_json:
        print_json(
            {
                "ok": all(f.ok for f in findings),
                "checks": [{"name": f.name, "ok": f.ok, "detail": f.detail} for f in findings],
            }
        )
    else:
        for finding in findings:
            mark = "[green]✓[/green]" if finding.ok else "[red]✗[/red]"
            out.print(f"{mark} {finding.name}: {finding.detail}")
    bad = [finding for finding in findings if not finding.ok]
    if bad:
        raise SystemExit(max(finding.exit_code for finding in bad))


@config.command(name="check")
def check_config(data: Data = None) -> None:
    """Read the settings and print them, secrets hidden."""
    chosen = settings(data)
    file = configuration.config_file()
    read = f"{file} and the environment" if file.is_file() else "the environment"
    err.print(f"Read {read}: all valid.")
    print_json(chosen.model_dump(mode="json"))


@config.callback()
def about_config() -> None:
    """Look at the settings."""
