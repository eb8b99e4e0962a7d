"""`python -m ui serve` serves the chat page; `python -m ui check` asks on it once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ui", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve the chat page until told to stop")
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serving.add_argument("--port", type=int, default=8501, help="port to listen on")
    serving.add_argument(
        "--sign-in", action="store_true", help="read how to sign in, as JSON, from stdin"
    )
    checking = commands.add_parser("check", help="sign in and ask; the password comes on stdin")
    checking.add_argument("--login", required=True)
    checking.add_argument("--question", required=True)
    for command in (serving, checking):
        command.add_argument("--api", required=True, help="address of the assistant's API")
    chosen = parser.parse_args(arguments)
    if chosen.command == "serve":
        from ui.provider import read_provider
        from ui.serve import serve

        provider = read_provider(sys.stdin.read()) if chosen.sign_in else None
        return serve(chosen.api, chosen.host, chosen.port, provider)
    from ui.check import check

    return check(chosen.api, chosen.login, sys.stdin.readline().rstrip("\n"), chosen.question)


if __name__ == "__main__":
    sys.exit(main())
