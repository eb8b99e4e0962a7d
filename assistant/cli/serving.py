"""Running the API in this process and the chat page in one of its own, until told to stop."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from secrets import token_urlsafe

import httpx
import uvicorn

from assistant import wiring
from assistant.api.app import create_app, no_suggestions
from assistant.api.deps import Suggestions
from assistant.cli.console import out
from assistant.errors import AssistantError, SettingsError
from assistant.ingest.jobs import STOP_S, Worker
from assistant.settings import IdentitySettings, Settings, variables_set

START_S = 60.0

FORBIDDEN = ("STREAMLIT_SERVER_TRUSTED_USER_HEADERS", "STREAMLIT_SERVER_ENABLE_AGENT_API")
"""Variables that must not be set; `ui.serve` looks into Streamlit's files for the same options."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the API and the chat page answer; `page` is empty without one."""

    api: str
    page: str


def addressed(
    settings: Settings, host: str | None, port: int | None, ui_port: int | None
) -> Settings:
    """Return the settings with other addresses where some were named."""
    named = {"host": host, "port": port, "ui_port": ui_port}
    changed = {name: value for name, value in named.items() if value is not None}
    return settings.model_copy(update={"serve": settings.serve.model_copy(update=changed)})


def serve(
    assistant: wiring.Assistant,
    *,
    page: bool,
    suggestions: Suggestions = no_suggestions,
    ready: Callable[[Addresses], None] | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    with running(assistant, page=page, suggestions=suggestions) as addresses:
        try:
            (ready or _announce)(addresses)
            threading.Event().wait()
        except KeyboardInterrupt:
            out.print("Stopping …")


def serve_page(settings: Settings, api: str | None) -> None:
    """Serve only the chat page, for an API that runs elsewhere."""
    api = api or f"http://{_reachable(settings.serve.host)}:{settings.serve.port}"
    with _page(settings, api) as address:
        try:
            _announce(Addresses(api, address))
            threading.Event().wait()
        except KeyboardInterrupt:
            out.print("Stopping …")


@contextmanager
def running(
    assistant: wiring.Assistant,
    *,
    page: bool,
    suggestions: Suggestions = no_suggestions,
) -> Iterator[Addresses]:
    """Run the API in a thread, and the chat page as a child; stop both at the end.

    Port 0 takes a free one. Raises `SettingsError` if a port is busy or the page isn't installed.
    """
    chosen = assistant.settings
    listener = _listen(chosen.serve.host, chosen.serve.port, "--port")
    app = create_app(assistant, suggestions)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        host, port = listener.getsockname()[:2]
        api = f"http://{_reachable(host)}:{port}"
        _await(lambda: httpx.get(f"{api}/healthz", timeout=2).is_success, "The API")
        with ExitStack() as stack:
            worker = stack.enter_context(_working(assistant)) if chosen.serve.worker else None
            address = stack.enter_context(_page(chosen, api)) if page else ""
            try:
                yield Addresses(api, address)
            finally:
                # Told at once: one after the other they could take too long for whoever waits.
                assistant.answerer.stop()
                server.should_exit = True
                if worker is not None:
                    worker.stop()
    finally:
        server.should_exit = True
        thread.join(STOP_S)
        listener.close()


def work(worker: Worker) -> None:
    """Do sync runs until Ctrl-C or SIGTERM, then let those under way end at their next mark."""
    with _started(worker) as thread:
        out.print("Working on sync runs    Ctrl-C stops")
        try:
            # Not `join`: interrupted, it takes a living thread for ended (bpo-45274).
            while thread.is_alive():
                time.sleep(0.2)
        except KeyboardInterrupt:
            out.print("Stopping …")


@contextmanager
def _working(assistant: wiring.Assistant) -> Iterator[Worker]:
    worker = wiring.worker(assistant.settings, assistant.database, assistant.embedder)
    with _started(worker):
        yield worker


@contextmanager
def _started(worker: Worker) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        worker.stop()
        thread.join(STOP_S + 1)


@contextmanager
def _page(settings: Settings, api: str) -> Iterator[str]:
    if importlib.util.find_spec("streamlit") is None:
        raise SettingsError(
            "The chat page needs Streamlit: pip install 'enterprise-assistant[ui]', "
            "or start only the API with `assistant serve --only api`."
        )
    if wrong := variables_set(*FORBIDDEN):
        raise SettingsError(
            f"The pages don't start while {' and '.join(wrong)} is set: others could say who they "
            "are, or use the pages as an API. Unset it."
        )
    host = settings.serve.host
    with _listen(host, settings.serve.ui_port, "--ui-port") as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ui", "serve", "--api", api]
    child = subprocess.Popen(  # noqa: S603
        [*command, "--host", host, "--port", str(port), "--sign-in"],
        stdin=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None  # noqa: S101
    with suppress(BrokenPipeError), child.stdin as said:
        said.write(sign_in_at(settings.identity))
    address = f"http://{_reachable(host)}:{port}"

    def answers() -> bool:
        if child.poll() is not None:
            raise AssistantError(f"The chat page ended with exit code {child.returncode}.")
        return httpx.get(f"{address}/_stcore/health", timeout=2).is_success

    try:
        _await(answers, "The chat page")
        yield address
    finally:
        child.terminate()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def sign_in_at(identity: IdentitySettings) -> str:
    """Return, as JSON, how the pages let people sign in at the identity provider.

    It goes to the page's standard input: nobody reads secrets there, as they do in arguments.
    """
    page = identity.page
    if not page.client_id or page.client_secret is None:
        return "{}"
    cookie = page.cookie_secret.get_secret_value() if page.cookie_secret else token_urlsafe(32)
    return json.dumps(
        {
            "issuer": identity.oidc.issuer,
            "client_id": page.client_id,
            "client_secret": page.client_secret.get_secret_value(),
            "url": page.url,
            "cookie_secret": cookie,
            "scope": " ".join(page.scopes),
            "prompt": page.prompt,
            "parameters": page.parameters,
        }
    )


def _listen(host: str, port: int, option: str) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        raise SettingsError(
            f"Port {port} on {host} can't be used ({error.strerror}): another program has it. "
            f"Stop that program, or choose another port with {option}."
        ) from error


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104


def _await(answers: Callable[[], bool], who: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            if answers():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssistantError(f"{who} did not start within {START_S:.0f} s; run `assistant doctor`.")


def _announce(addresses: Addresses) -> None:
    if addresses.page:
        out.print(f"Chat  {addresses.page}")
    out.print(f"API   {addresses.api}    Ctrl-C stops")
