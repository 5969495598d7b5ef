"""The doorway carries a connection from this machine into a namespace and back."""

from __future__ import annotations

import contextlib
import socket
import threading

from hearthlab.doorway import Doorway
from hearthlab.topology import Topology


def test_connection_passes_both_ways(topology: Topology) -> None:
    inside = topology["box"].socket(socket.AF_INET, socket.SOCK_STREAM)
    inside.bind(("127.0.0.1", 0))
    inside.listen()

    def answer() -> None:
        connection, _ = inside.accept()
        with connection:
            received = b""
            while part := connection.recv(65536):
                received += part
            connection.sendall(received[::-1])

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    doorway = Doorway(topology["box"], ("127.0.0.1", inside.getsockname()[1]))
    octets = bytes(range(256)) * 1000
    with contextlib.closing(socket.create_connection(("127.0.0.1", doorway.port), timeout=10)) as near:
        near.sendall(octets)
        near.shutdown(socket.SHUT_WR)
        received = b""
        while part := near.recv(65536):
            received += part
    thread.join(10)
    inside.close()
    doorway.close()
    assert received == octets[::-1]


def test_nobody_inside_closes_the_connection(topology: Topology) -> None:
    doorway = Doorway(topology["box"], ("127.0.0.1", 9))
    with contextlib.closing(socket.create_connection(("127.0.0.1", doorway.port), timeout=10)) as near:
        assert near.recv(1) == b""
    doorway.close()
    assert doorway.port != 0
