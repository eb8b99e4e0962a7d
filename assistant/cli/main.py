"""The outermost edge of the command line: arguments in, one sentence and an exit code out.

Exit codes: 0 ok, 1 the check found a problem, 2 usage, 3 configuration, 4 a dependency is
unreachable, 130 interrupted.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import typer
from rich.console import Console

from assistant import telemetry
from assistant.cli import (
    access,
    audit,
    backup,
    connector,
    curation,
    erase,
    evaluate,
    hold,
    index,
    key,
    operate,
    question,
    reading,
    records,
    retention,
    rights,
    steering,
    sync,
)
from assistant.errors import AssistantError, DiskFull, is_disk_full

app = typer.Typer(
    name="assistant",
    help="Answers with verified citations from your documents, under access control.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (question, reading, operate):
    module.register(app)
steering.register(sync.app)
app.add_typer(connector.app, name="connector")
app.add_typer(sync.app, name="sync")
sync.app.command()(curation.report)
app.add_typer(index.app, name="index")
app.add_typer(records.app, name="records")
app.add_typer(access.app, name="user")
app.add_typer(key.app, name="key")
app.add_typer(rights.app, name="access")
app.add_typer(audit.app, name="audit")
app.add_typer(backup.app, name="backup")
app.add_typer(hold.app, name="hold")
app.add_typer(retention.app, name="retention")
erase.register(app)
app.add_typer(evaluate.app, name="eval")


@app.callback()
def options(
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log more, and show tracebacks."),
) -> None:
    """Set up what every command shares."""
    telemetry.configure(verbose=verbose)


def fail(message: str, exit_code: int) -> NoReturn:
    """Print one sentence on stderr and leave."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]✗[/red] {message}")
    raise SystemExit(exit_code)


def _stop(signum: int, frame: FrameType | None) -> None:
    del signum, frame
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line."""
    # Also SIGINT: a shell script starts its background jobs with that ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        app(standalone_mode=True)
    except AssistantError as error:
        fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        fail("Interrupted; what was committed is kept.", 130)
    except OSError as error:
        if is_disk_full(error):
            fail(str(DiskFull()), DiskFull.exit_code)
        if "-v" in sys.argv or "--verbose" in sys.argv:
            raise
        fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ") + ".", 1)
    except Exception as error:
        if "-v" in sys.argv or "--verbose" in sys.argv:
            raise
        fail(
            f"Unexpected {type(error).__name__}: {error}. "
            "Run the command again with --verbose and report what it prints.",
            1,
        )


if __name__ == "__main__":
    main()
