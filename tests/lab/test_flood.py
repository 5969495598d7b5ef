"""The lab's flood sends what it was given, as often as it was told, and in whose name it was told."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hearthlab.flood import SOCKETS, Flood
from hearthlab.topology import BOX_IP4, HOMEPC_IP4, Topology

PORT = 7000
_SO_RCVBUFFORCE = 33
DATAGRAMS = [b"one", b"two", bytes(1200)]


@pytest.fixture
def target(topology: Topology) -> Iterator[socket.socket]:
    receiver = topology["box"].socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        receiver.bind((BOX_IP4, PORT))
        receiver.setblocking(False)
        yield receiver


def received(target: socket.socket) -> list[tuple[bytes, tuple[str, int]]]:
    came = []
    try:
        while True:
            came.append(target.recvfrom(2000))
    except BlockingIOError:
        return came


def test_a_flood_comes_from_many_ports_at_its_pace(topology: Topology, target: socket.socket, tmp_path: Path) -> None:
    flood = Flood(topology["homepc"], (BOX_IP4, PORT), DATAGRAMS, tmp_path, count=600, a_second=1000)
    result = flood.run()
    flood.end()
    came = received(target)
    assert result.sent == len(came) == 600
    assert result.seconds >= 0.5, "600 at a thousand a second, some at once when they are late"
    assert Counter(datagram for datagram, _ in came) == dict.fromkeys(DATAGRAMS, 200)
    assert {source[0] for _, source in came} == {HOMEPC_IP4}
    assert len({source[1] for _, source in came}) == SOCKETS
    assert result.came == 0


def test_a_flood_in_anothers_name_comes_from_there(topology: Topology, target: socket.socket, tmp_path: Path) -> None:
    flood = Flood(topology["homepc"], (BOX_IP4, PORT), DATAGRAMS, tmp_path, count=90, a_second=1000, source="203.0.113.77:4711")
    result = flood.run()
    flood.end()
    came = received(target)
    assert result.sent == len(came) == 90
    assert Counter(datagram for datagram, _ in came) == dict.fromkeys(DATAGRAMS, 30)
    assert {source for _, source in came} == {("203.0.113.77", 4711)}


def test_what_comes_back_is_counted(topology: Topology, target: socket.socket, tmp_path: Path) -> None:
    target.setblocking(True)
    target.settimeout(20)

    def answer() -> None:
        target.sendto(b"answer", target.recvfrom(2000)[1])

    answering = threading.Thread(target=answer)
    answering.start()
    flood = Flood(topology["homepc"], (BOX_IP4, PORT), [b"question"], tmp_path, count=3, a_second=1)
    result = flood.run()  # lasts two seconds after its first datagram
    flood.end()
    answering.join()
    assert result.sent == 3
    assert result.came == len(b"answer")
