"""The lab's player reads every framing of a body that HTTP/1.1 has, and says when what arrived."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from hearthlab.namespace import Namespace
from hearthlab.player import ConnectionLost, Player, get
from hearthlab.topology import Topology

BODY = bytes(range(256)) * 40


@contextlib.contextmanager
def server(space: Namespace, answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serves one connection in the namespace with `answer`, after reading the request's head."""
    listening = space.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind(("127.0.0.1", 0))
    listening.listen()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            with contextlib.suppress(OSError):
                answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    thread.join(10)
    listening.close()


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("piece", [1, 7, 1000, 100_000])
def test_chunked_body(topology: Topology, piece: int) -> None:
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BODY, 999)

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(whole), piece):
            connection.sendall(whole[at : at + piece])

    with server(topology["laptop"], answer) as port:
        assert get(topology["laptop"], "127.0.0.1", port, "/").body == BODY


def test_body_with_length_ends_without_a_close(topology: Topology) -> None:
    done = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!")
        done.wait(10)

    with server(topology["laptop"], answer) as port:
        got = get(topology["laptop"], "127.0.0.1", port, "/")
        done.set()
    assert (got.status, got.text) == (403, "no!")


def test_body_until_close_with_arrival_times(topology: Topology) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n" + BODY)

    with server(topology["laptop"], answer) as port:
        player = Player(topology["laptop"], "127.0.0.1", port, "/")
        assert player.wait_for_head() == 200
        assert player.ended.wait(10)
        player.close()
    assert player.headers["content-type"] == "video/mp2t"
    assert player.data() == BODY
    offsets, moments = zip(*player.arrivals())
    assert offsets[-1] == len(BODY)
    assert list(offsets) == sorted(offsets)
    assert list(moments) == sorted(moments)
    assert moments[0] >= player.requested_ns


def test_answer_cut_in_its_head_is_an_error(topology: Topology) -> None:
    with server(topology["laptop"], lambda connection: connection.sendall(b"HTTP/1.1 200")) as port:
        player = Player(topology["laptop"], "127.0.0.1", port, "/")
        with pytest.raises(ConnectionLost):
            player.wait_for_head()
        player.close()


def test_server_that_gives_up_on_a_stalled_player_is_noticed(topology: Topology) -> None:
    give_up = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while True:
                connection.sendall(bytes(100_000))
        give_up.wait(10)

    with server(topology["laptop"], answer) as port:
        player = Player(topology["laptop"], "127.0.0.1", port, "/", stalled=True)
        assert player.wait_for_head() == 200
        assert not player.closed_by_peer(timeout=0.5)
        give_up.set()
        assert player.closed_by_peer(timeout=10)
        player.close()
