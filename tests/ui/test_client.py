"""The API's client against the live API, and against servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.ui.acme import INVOICES
from tests.ui.world import World
from ui.client import Client, Gone, Problem, SignedOut, Unreachable
from ui.model import Citation, Delta, Done, Filters, Status


def test_stream_in_its_order(world: World) -> None:
    with closing(world.client("ana").ask(INVOICES, None, Filters())) as events:
        happened = [event for event in events if event is not None]
    kinds = [type(event) for event in happened]
    assert kinds[0] is Status
    assert kinds.index(Citation) < kinds.index(Delta)
    done = happened[-1]
    assert isinstance(done, Done)
    assert done.answer.citations[0].quote.startswith("Invoices are kept for ten years")


def test_closing_the_stream_early_ends_it(world: World) -> None:
    with closing(world.client("ana").ask(INVOICES, None, Filters())) as events:
        assert isinstance(next(event for event in events if event is not None), Status)
    assert world.client("ana").me().person.login == "ana"


def test_refusals(world: World) -> None:
    with pytest.raises(SignedOut):
        Client(world.url, "nonsense").me()
    with (
        pytest.raises(SignedOut),
        closing(Client(world.url, "nonsense").ask(INVOICES, None, Filters())) as events,
    ):
        next(events)
    client = world.client("ana")
    with pytest.raises(Gone):
        client.document("../../healthz", 1)
    with pytest.raises(Gone):
        client.conversation("nothing")
    with (
        pytest.raises(Problem) as refused,
        closing(client.ask("x" * 5000, None, Filters())) as events,
    ):
        list(events)
    assert refused.value.slug == "invalid-request"


def test_too_many_attempts_say_how_long_to_wait(world: World) -> None:
    client = Client(world.url)
    refusals: list[Problem] = []
    for _ in range(6):
        with pytest.raises(Problem) as refused:
            client.sign_in("nobody-of-this-name", "wrong")
        refusals.append(refused.value)
    assert refusals[-1].slug == "too-many-requests"
    assert 0 < refusals[-1].retry_after_s <= 60


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nnothing",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut",
        b"",
        b"nonsense\r\n\r\n",
    ],
)
def test_a_broken_server_is_unreachable(response: bytes) -> None:
    with answering(response) as url:
        with pytest.raises(Unreachable):
            Client(url, "token").me()
        with (
            pytest.raises(Unreachable),
            closing(Client(url, "token").ask(INVOICES, None, Filters())) as events,
        ):
            list(events)


def test_a_server_error_without_a_problem() -> None:
    response = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad"
    with answering(response) as url, pytest.raises(Problem) as failed:
        Client(url, "token").me()
    assert failed.value.status == 502


@contextmanager
def answering(response: bytes) -> Iterator[str]:
    """Serve the same bytes to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(response)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
