"""A running program is sent what nobody should send: it refuses, stays, and serves the next one as before."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Iterator

import pytest
from abuse import BODIES, IDS, REQUESTS, connect, descriptors, drain, memory, processor_time, say_no_more
from command import FINE, Command, Running
from contract import Contract
from hearthlab.control import ControlConnection
from hearthlab.waiting import until

USES_TLS = {"box": True, "away": False, "rendezvous": True}


@pytest.fixture
def running(program: Command) -> Iterator[Running]:
    """Started, and at the end of the test still the same process, in good health and able to end."""
    started = program.started()
    yield started
    assert started.process.poll() is None, started.log()
    assert program.ask("status").code == FINE
    assert started.end() == FINE


def served(program: Command) -> bool:
    """An ordinary request gets an ordinary answer."""
    with connect(program.port, tls=USES_TLS[program.name]) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return drain(connection).startswith((b"HTTP/1.1 200", b"HTTP/1.1 404"))


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
def test_no_request_does_harm(program: Command, running: Running, encrypted: bool) -> None:
    """Everything malformed is answered with an error or ended; never with success, never with a failure of ours."""
    if encrypted and not USES_TLS[program.name]:
        pytest.skip("it speaks plain HTTP")
    before = descriptors(running)
    for name, octets in REQUESTS.items():
        with connect(program.port, tls=encrypted) as connection, contextlib.suppress(ConnectionError, ssl.SSLError):
            connection.sendall(octets)
            say_no_more(connection)
            answer = drain(connection)
            assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5", b"HTTP/1.0 2")), (name, answer[:200])
            assert b"root:" not in answer, name
    assert served(program)
    until(lambda: descriptors(running) <= before, "connections to be gone")


def test_many_idle_connections_keep_nobody_out(program: Command, running: Running) -> None:
    """The limit for one source is above what a household needs; the program ends in time in spite of them."""
    with contextlib.ExitStack() as open_ones:
        for _ in range(40):
            open_ones.enter_context(connect(program.port, tls=False))
        assert served(program)
        assert program.ask("status").code == FINE
        assert running.end() == FINE
    program.start()  # for the fixture's last look: the socket's place is free again
    until(lambda: program.ask("status").code == FINE, "the next one")
    running.process = program.running().process


def test_without_descriptors_it_waits_and_recovers(program: Command, running: Running) -> None:
    """More connections than the kernel lets it have: no end, no flood of words, and service again afterwards."""
    allowed = descriptors(running) + 4
    as_its_user = program.lowered()[:-1]
    subprocess.run([*as_its_user, "prlimit", f"--pid={running.process.pid}", f"--nofile={allowed}:{allowed}"], check=True)
    said_before = len(running.log().splitlines())
    with contextlib.ExitStack() as open_ones:
        for _ in range(30):
            open_ones.enter_context(socket.create_connection(("127.0.0.1", program.port), timeout=30))
        until(lambda: descriptors(running) >= allowed, "the limit to be reached")
        busy = processor_time(running)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(2)  # time to go mad in
        assert running.process.poll() is None, running.log()
        assert processor_time(running) - busy < 1.0, "it turns in circles"
    until(lambda: served(program), "service", 60)
    assert len(running.log().splitlines()) < said_before + 100


def test_requests_one_octet_at_a_time(program: Command, running: Running) -> None:
    with connect(program.port, tls=USES_TLS[program.name]) as connection:
        for octet in b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":
            connection.sendall(bytes([octet]))
        assert drain(connection).startswith(b"HTTP/1.1 ")


def test_memory_does_not_grow_with_abuse(program: Command, running: Running) -> None:
    def round_of_abuse() -> None:
        for octets in REQUESTS.values():
            with connect(program.port, tls=False) as connection, contextlib.suppress(OSError):
                connection.sendall(octets)
                say_no_more(connection)
                drain(connection)

    for _ in range(3):  # what is allocated once
        round_of_abuse()
    before = memory(running)
    for _ in range(10):
        round_of_abuse()
    assert memory(running) < before + (8 << 20)


def test_every_operation_takes_every_body(box: Command) -> None:
    """With the owner's rights: whatever a page or a script gets wrong, the answer is one that is documented."""
    running = box.started()
    contract = Contract()
    faults = []
    for method, path in contract.operations():
        if path in ("/events", "/password", "/reload", "/multicast"):
            continue  # an answer without end, an expensive one, and those that take no body of any kind
        for number in IDS if "{id}" in path else ("",):
            for name, body in BODIES.items():
                if method in ("GET", "DELETE") and name != "nothing":
                    continue
                connection = ControlConnection(box.socket)
                connection.request(method, "/api/v1" + path.replace("{id}", number), body,
                                   {"Content-Type": "application/json", "X-Hearthcast": "1"})
                answer = connection.getresponse()
                said = answer.read()
                connection.close()
                found = contract.faults(method, path, answer.status, answer.getheader("Content-Type", ""), said)
                if answer.status >= 500 or found:
                    faults.append((method, path, number, name, answer.status, found, said[:200]))
    assert not faults, faults
    assert box.ask("channels").code == FINE
    assert running.end() == FINE


def test_a_stranger_gets_nothing_from_any_operation(box: Command) -> None:
    """Over the network, without a session, whatever the path looks like."""
    running = box.started()
    contract = Contract()
    with connect(box.port, tls=True) as connection:
        for method, path in contract.operations():
            if contract.is_public(method, path):
                continue
            path = "/api/v1" + path.replace("{id}", "1")
            for shown in (path, path.replace("/api/v1", "/api//v1"), path.replace("/api/v1", "/%61pi/v1"),
                          path.replace("/api/v1", "/API/v1"), path + "/", path + "?x=/api/v1/session"):
                head = f"{method} {shown} HTTP/1.1\r\nHost: 127.0.0.1:{box.port}\r\n"
                connection.sendall((head + "X-Hearthcast: 1\r\nContent-Length: 0\r\n\r\n").encode())
                answer = _one_answer(connection)
                assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200 OK")), (method, shown, answer[:100])
                if answer.startswith(b"HTTP/1.1 200"):  # a path of the page, not of the interface
                    assert b"text/html" in answer, (method, shown)
    assert running.end() == FINE


def _one_answer(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65536)
        assert part, got
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
