"""Who attacks a rendezvous costs it little, and clients that are there notice nothing: in a network of its own, with many sources."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from abuse import BODIES, descriptors, memory, processor_time
from command import FINE, Command, free_port
from conftest import ROOT
from enrolments import ENROLLED, outcome_of
from hearthlab.namespace import Namespace, prefix
from hearthlab.waiting import until
from protocol import PADDING, USERNAME, Client, Identity, Stun, b64, presence_request

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make networks")

SERVER = "203.0.113.1"
HOME, ATTACKER = "198.51.100.1", "198.51.100.66"
MEGABYTE = 1 << 20
PATIENCE = 60  # seconds: of a machine that is busy with other things, not of a server that is attacked


class Besieged(Command):
    """A rendezvous in a network where every address of this machine is somebody else."""

    def __init__(self, space: Namespace, binaries: Path, folder: Path) -> None:
        self.space = space
        super().__init__(binaries, "rendezvous", folder)
        self.udp = free_port(socket.SOCK_DGRAM)
        self.set()

    def set(self, **limits: Any) -> None:
        self.write(self.sane() | {"listen.wss": f"{SERVER}:{self.port}", "listen.udp_port": self.udp}
                   | {name.replace("__", "."): value for name, value in limits.items()})

    def lowered(self, *arguments: str) -> list[str]:
        return self.space.command(*super().lowered(*arguments))

    def client(self, role: str, source: str, identity: Identity | None = None) -> Client:
        with self.space.entered():
            return Client(self.port, role, identity, SERVER, source)

    def tcp(self, source: str) -> socket.socket:
        with self.space.entered():
            return socket.create_connection((SERVER, self.port), timeout=30, source_address=(source, 0))


@pytest.fixture(scope="module")
def space() -> Iterator[Namespace]:
    made = Namespace(prefix(), "siege")
    made.remove()
    made.create({})
    made.ip(f"address add {SERVER}/32 dev lo", *[f"address add 198.51.100.{n}/32 dev lo" for n in range(1, 80)],
            *[f"address add 2001:db8:0:{n:x}00::1/128 dev lo nodad" for n in range(1, 80)])
    yield made
    made.remove()


@pytest.fixture
def server(space: Namespace, built: Path, folder: Path) -> Iterator[Besieged]:
    command = Besieged(space, built, folder)
    yield command
    command.kill_all()


class Household:
    """A box and its device that were there before: what they want of the rendezvous has to go on."""

    def __init__(self, server: Besieged) -> None:
        self._server = server
        self.box, self.device = server.client("box", HOME), server.client("device", HOME)
        self.access = self.box.join()["presence"]
        self.device.join()
        self.box.allow([self.device.identity.id], 1)
        until(lambda: server.status()["known_boxes"] >= 1, "the list to be known")
        self._asked = 0

    def is_served(self) -> float:
        """There and back through the rendezvous, and presence; the seconds that it took."""
        begin = time.monotonic()
        self._asked += 1
        self.device.say("introduce", id=self._asked, box=self.box.identity.id.hex(), **self.device.sealed(b"question"))
        self.box.say("answer", id=self.box.next("introduce")["id"], **self.box.sealed(b"answer"))
        assert self.device.next("answer")["id"] == self._asked
        with self._server.space.entered():
            data = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with data:
            data.bind((HOME, 0))
            data.connect((SERVER, self.access["port"]))
            data.settimeout(1)
            for _ in range(PATIENCE):  # a full port loses some, as a link does
                data.send(presence_request(self.access["username"], self.access["password"]))
                with contextlib.suppress(TimeoutError):
                    assert data.recv(2000)
                    return time.monotonic() - begin
        raise AssertionError("no presence")


def client_hello() -> bytes:
    """A whole one, so that the server has to compute its answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


class Flood:
    """Handshakes that are begun and left, as fast as one attacker can."""

    def __init__(self, server: Besieged, source: str) -> None:
        self._server = server
        self._source = source
        self._hello = client_hello()
        self.tried = self.answered = 0

    def one(self) -> bool:
        """True when the server answered with its certificate."""
        self.tried += 1
        try:
            with self._server.tcp(self._source) as connection:
                connection.sendall(self._hello)
                answered = bool(connection.recv(65536))
        except OSError:
            answered = False
        self.answered += answered
        return answered


def test_a_flood_of_handshakes_from_one_source_costs_little(server: Besieged) -> None:
    """So many are computed, and the rest is refused before any cryptography."""
    server.set(limits__connects_per_minute=100)
    running = server.started()
    household = Household(server)
    flood = Flood(server, ATTACKER)
    before, resident = descriptors(running), memory(running)
    begin = processor_time(running)
    for _ in range(100):
        flood.one()
    of_computed = (processor_time(running) - begin) / 100
    begin, answered, clock = processor_time(running), flood.answered, time.monotonic()
    for _ in range(2000):
        flood.one()
    of_refused = (processor_time(running) - begin) / 2000
    given_back = (time.monotonic() - clock) * 100 / 60
    assert flood.answered <= answered + given_back + 20, "so many the limit gives back in that time"
    assert answered >= 90
    assert of_refused < of_computed / 2, (of_refused, of_computed)
    assert household.is_served() < PATIENCE
    assert memory(running) < resident + 16 * MEGABYTE
    assert server.status()["connections_refused"] >= 2000 - given_back - 20
    until(lambda: descriptors(running) <= before, "nothing to be left of it")
    assert running.end() == FINE


def test_a_flood_of_handshakes_from_many_sources_keeps_nobody_out_who_is_in(server: Besieged) -> None:
    running = server.started()
    household = Household(server)
    resident = memory(running)
    over = threading.Event()
    floods = [Flood(server, f"198.51.100.{n}") for n in range(2, 8)]

    def attack(flood: Flood) -> None:
        while not over.is_set():
            flood.one()

    attackers = [threading.Thread(target=attack, args=(flood,)) for flood in floods]
    for attacker in attackers:
        attacker.start()
    try:
        waits = [household.is_served() for _ in range(10)]
    finally:
        over.set()
        for attacker in attackers:
            attacker.join()
    assert sum(flood.answered for flood in floods) > 20, "it was a flood"
    assert max(waits) < PATIENCE, waits
    assert memory(running) < resident + 48 * MEGABYTE
    assert running.end() == FINE


def enrol(server: Besieged, source: str) -> str:
    return outcome_of(lambda: server.client("box", source))


def test_a_flood_of_enrolments_from_one_source_fills_no_database(server: Besieged) -> None:
    server.set(limits__hellos_per_minute=10000, limits__connects_per_minute=10000, limits__new_boxes_per_hour=5)
    running = server.started()
    household = Household(server)
    outcomes = [enrol(server, ATTACKER) for _ in range(40)]
    assert outcomes.count(ENROLLED) == 5, outcomes
    assert set(outcomes[6:]) == {"rate"}, outcomes
    assert server.status()["enrolled_boxes"] == 6
    assert household.is_served() < PATIENCE
    assert enrol(server, "198.51.100.2") == ENROLLED, "a neighbour enrols as before"
    assert running.end() == FINE


def test_a_flood_of_enrolments_from_everywhere_ends_at_the_limit(server: Besieged) -> None:
    server.set(limits__boxes=21)
    running = server.started()
    household = Household(server)
    for number in range(2, 42):
        enrol(server, f"198.51.100.{number}")
    assert server.status()["enrolled_boxes"] == 21
    assert household.is_served() < PATIENCE
    again = server.client("box", HOME, household.box.identity)
    household.access = again.join()["presence"]
    again.allow([household.device.identity.id], 2)
    household.box = again
    assert household.is_served() < PATIENCE, "who is enrolled changes its list in a full rendezvous, too"
    assert running.end() == FINE


def test_tokens_cannot_be_guessed_in_bulk(server: Besieged) -> None:
    server.set(enrolment__policy="token", limits__hellos_per_minute=10000, limits__new_boxes_per_hour=5)
    running = server.started()
    token = server.ask("token", "add").out.strip()

    def code_of(secret: str, source: str) -> str:
        box = server.client("box", source)
        box.hello(enrolment=secret)
        opcode, payload = box.socket.read()
        assert opcode == 1
        said = json.loads(payload)
        return str(said.get("code", said["type"]))

    codes = [code_of(f"{token[:-2]}{number:02}", ATTACKER) for number in range(8)]
    assert codes == ["not_enrolled"] * 5 + ["rate"] * 3
    assert code_of(token, ATTACKER) == "rate"
    assert code_of(token, "198.51.100.3") == "welcome"
    assert running.end() == FINE


def trickle(connections: list[socket.socket], octets: bytes, over: threading.Event) -> None:
    for octet in octets:
        if over.wait(0.5):
            return
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.send(bytes([octet]))


@pytest.mark.parametrize("where", ["before TLS", "in the TLS greeting", "in the request", "after the upgrade", "in the hello"])
def test_the_slow_are_cut_off_however_they_are_slow(server: Besieged, where: str) -> None:
    """Forty of each; an octet now and then moves no deadline."""
    running = server.started()
    household = Household(server)
    before = descriptors(running)
    slow: list[Any] = []
    rest = b""
    for _ in range(40):
        if where in ("before TLS", "in the TLS greeting"):
            connection = server.tcp(ATTACKER)
            if where == "in the TLS greeting":
                rest = client_hello()
                connection.sendall(rest[:20])
                rest = rest[20:]
        elif where == "in the request":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = context.wrap_socket(server.tcp(ATTACKER))
            connection.sendall(b"GET /v1 HTTP/1.1\r\nHost: x\r\n")
            rest = b"X-Slow: yes\r\n" * 20
        else:
            client = server.client("box", ATTACKER)
            connection = client.socket.tls
            if where == "in the hello":
                rest = bytes([0x81, 0xFE, 0xFF, 0x00]) + bytes(4) + b"{" * 200  # a frame that promises 65,280 octets
        slow.append(connection)
    over = threading.Event()
    trickling = threading.Thread(target=trickle, args=(slow, rest, over))
    trickling.start()
    try:
        assert household.is_served() < PATIENCE
        until(lambda: descriptors(running) <= before, "all of them to be gone", 180)
    finally:
        over.set()
        trickling.join()
        for connection in slow:
            connection.close()
    assert household.is_served() < PATIENCE
    assert running.end() == FINE


def test_what_is_too_large_ends_early_and_fills_no_memory(server: Besieged) -> None:
    """Thirty clients at once send eight megabytes each: as one message, as fragments without end, as a head, as a body.

    What follows a head or a body that was refused is read and thrown away for a moment, so that the answer is not lost."""
    running = server.started()
    household = Household(server)
    resident = memory(running)

    def pour(kind: str, source: str) -> int:
        """The octets that were taken before the connection was ended."""
        poured = 0
        block = bytes(65536)
        with contextlib.suppress(OSError, EOFError, AssertionError):
            if kind in ("head", "body"):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                tls = context.wrap_socket(server.tcp(source))
                tls.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + (b"X: " if kind == "head" else b"Content-Length: 8388608\r\n\r\n"))
                block = b"x" * 65536
                while poured < 8 * MEGABYTE:
                    tls.sendall(block)
                    poured += len(block)
            else:
                client = server.client("box", source)
                client.join()
                tls = client.socket.tls
                if kind == "message":
                    tls.sendall(b"\x81\xff" + (8 * MEGABYTE).to_bytes(8, "big") + bytes(4))
                while poured < 8 * MEGABYTE:
                    tls.sendall(block if kind == "message" else (b"\x01" if poured == 0 else b"\x00") + b"\xff"
                                + len(block).to_bytes(8, "big") + bytes(4) + block)
                    poured += len(block)
        return poured

    taken: dict[int, int] = {}
    kinds = ("message", "fragments", "head", "body")
    pouring = [threading.Thread(target=lambda n=n: taken.__setitem__(n, pour(kinds[n % 4], f"198.51.100.{2 + n}")))  # type: ignore[misc]
               for n in range(28)]
    for thread in pouring:
        thread.start()
    for thread in pouring:
        thread.join()
    assert len(taken) == 28
    assert max(octets for n, octets in taken.items() if kinds[n % 4] in ("message", "fragments")) < 8 * MEGABYTE, taken
    assert memory(running) < resident + 48 * MEGABYTE
    assert household.is_served() < PATIENCE
    assert running.end() == FINE


WRONG = {
    "hello": [{}, {"role": "king"}, {"role": 1}, {"public_key": "!"}, {"public_key": "A" * 400}, {"signature": []}, {"software": {}},
              {"enrolment": ["x"]}, {"role": None}],
    "allow": [{}, {"devices": "all"}, {"devices": [1]}, {"devices": ["00" * 31]}, {"devices": ["00" * 32] * 513}, {"revision": -1},
              {"revision": 1e300}, {"revision": "1"}, {"signature": None}],
    "pairing": [{}, {"locator": "TOOLONGLOCATOR"}, {"seconds": -5}, {"seconds": 1 << 40}, {"seconds": "600"}],
    "introduce": [{}, {"id": -1}, {"id": "1"}, {"id": 1 << 70}, {"box": "zz"}, {"payload": 5}, {"payload": "A" * 20000}, {"signature": "?"}],
    "pair": [{}, {"id": None}, {"locator": "1"}, {"box": 5}, {"payload": []}],
    "answer": [{}, {"id": []}, {"observed": "x"}, {"observed": ["1.2.3.4"]}, {"observed": ["1.2.3.4:5"] * 5}],
    "refuse": [{}, {"id": {}}],
    "pair_answer": [{}, {"payload": {}}],
}


def test_wrong_json_ends_its_sender_and_nobody_else(server: Besieged) -> None:
    """Each message type with each wrong member, from a stranger and from a box and a device that are known."""
    server.set(limits__hellos_per_minute=10000, limits__connects_per_minute=10000)
    running = server.started()
    household = Household(server)
    good = {"hello": {"role": "box", "public_key": b64(bytes(91)), "signature": b64(bytes(70))},
            "allow": {"devices": [], "revision": 5, "signature": b64(bytes(70))}, "pairing": {"locator": "7K2M", "seconds": 60},
            "introduce": {"id": 1, "box": "00" * 32, "payload": b64(b"{}"), "signature": b64(bytes(70))},
            "pair": {"id": 1, "box": "00" * 32, "payload": "{}"}, "answer": {"id": 1, "payload": b64(b"{}"), "signature": b64(bytes(70))},
            "refuse": {"id": 1, "payload": b64(b"{}"), "signature": b64(bytes(70))}, "pair_answer": {"id": 1, "payload": "{}"}}
    texts = [json.dumps({"type": kind, **(good[kind] | change if change else {})}).encode()
             for kind, changes in WRONG.items() for change in changes]
    texts += [body for body in BODIES.values() if body]
    texts += [b'{"type":' * 1000, b'{"type":"hello"' + b',"x":[' * 5000, b'{"type":"error","code":"rate"}', b'{"type":"welcome"}',
              b'{"type":"\\ud800"}', b'{"type":"allow","type":"hello"}', b'{"type":"mapping","endpoint":"1.2.3.4:5"}']
    resident = memory(running)
    for moment in ("guest", "box", "device"):
        for text in texts:
            client = server.client("device" if moment == "device" else "box", ATTACKER)
            if moment != "guest":
                client.join()
            with contextlib.suppress(OSError, EOFError):
                client.socket.frame(1, text)
                # Ended, or passed over as of a type that is not known, or an ordinary refusal: never an answer of success.
                client.socket.frame(9, b"still there?")
                while True:
                    opcode, payload = client.socket.read()
                    if opcode != 1:
                        break
                    said = json.loads(payload)
                    assert said["type"] in ("error", "relay"), (moment, text[:100], said)
            client.socket.close()
    assert household.is_served() < PATIENCE
    assert memory(running) < resident + 24 * MEGABYTE
    assert server.status()["counters"]["bad_messages"] > 100
    assert running.end() == FINE


def test_a_flood_of_datagrams_leaves_presence_working(server: Besieged) -> None:
    """Noise, and requests that look right but for their password, of a name that exists."""
    running = server.started()
    household = Household(server)
    resident = memory(running)
    looks_right = Stun(attributes={USERNAME: household.access["username"].encode(), PADDING: bytes(64)}).encode("a guess")
    with server.space.entered():
        attacker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with attacker:
        attacker.bind((ATTACKER, 0))
        attacker.connect((SERVER, server.udp))
        waits = []
        for _ in range(5):
            for number in range(4000):
                attacker.send(looks_right if number % 2 else os.urandom(100))
            waits.append(household.is_served())
        attacker.setblocking(False)
        with pytest.raises(BlockingIOError):
            attacker.recv(1)
    assert max(waits) < PATIENCE, waits
    assert memory(running) < resident + 16 * MEGABYTE
    assert running.end() == FINE


def test_at_a_clock_of_1970_it_serves_and_takes_no_token_that_can_expire(server: Besieged, request: pytest.FixtureRequest) -> None:
    """A machine without a clock on board, after it had the right time once."""
    clock = server.folder / "clock_of_1970.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(clock), str(ROOT / "tests" / "lab" / "clock_of_1970.c")],
                   check=True, timeout=60)
    clock.chmod(0o755)
    server.set(enrolment__policy="token")
    running = server.started()
    for_a_week = server.ask("token", "add", "--days", "7").out.strip()
    for_ever = server.ask("token", "add").out.strip()
    assert running.end() == FINE

    class InThePast(Besieged):
        def lowered(self, *arguments: str) -> list[str]:
            return self.space.command("env", f"LD_PRELOAD={clock}", *Command.lowered(self, *arguments))

    past = InThePast(server.space, server.binary.parent, server.folder)
    request.addfinalizer(past.kill_all)
    past.port, past.udp = server.port, server.udp
    past.set(enrolment__policy="token")
    running = past.started()
    assert "1970-01-01T" in running.log()
    refused = past.client("box", HOME)
    refused.hello(enrolment=for_a_week)
    said = refused.next("error")
    assert said["code"] == "not_enrolled"
    assert "clock" in said["text"]
    box, device = past.client("box", HOME), past.client("device", HOME)
    box.hello(enrolment=for_ever)
    assert box.next("welcome")
    device.join()
    box.allow([device.identity.id], 1)
    until(lambda: past.status()["known_boxes"] == 1, "the list to be known")
    device.say("introduce", id=1, box=box.identity.id.hex(), **device.sealed(b"question"))
    assert box.next("introduce")
    assert running.end() == FINE
