"""The box's UDP port, asked by a device that was written from docs/protocol/ice.md, RFC 8445 and RFC 8489 alone."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

import pytest
from command import FINE, Command
from dtls import client_hello
from owner import locally
from protocol import (
    CONTROLLED,
    CONTROLLING,
    ERROR,
    PRIORITY,
    REQUEST,
    SUCCESS,
    UNKNOWN,
    USE_CANDIDATE,
    USERNAME,
    Stun,
)
from standing import pair_with


class Device:
    """Paired with the box; its data socket is connected to the box's port."""

    def __init__(self, box: Command) -> None:
        self.credentials = pair_with(box)
        self._port = box.tunnel_port
        self.socket = self.another_socket()

    def another_socket(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.settimeout(30)
        made.connect(("127.0.0.1", self._port))
        return made

    def check(self) -> Stun:
        """An ordinary connectivity check of the controlling side."""
        attributes: dict[int, bytes] = {
            USERNAME: f"{self.credentials.box_ufrag}:{self.credentials.device_ufrag}".encode(),
            PRIORITY: struct.pack("!I", 0x6E0000FF), CONTROLLING: os.urandom(8),
        }
        return Stun(attributes=attributes)

    def say(self, message: Stun, password: str | None = None) -> None:
        self.socket.send(message.encode(self.credentials.box_password if password is None else password))

    def answer_to(self, request: Stun) -> Stun:
        """Whatever else comes meanwhile."""
        while True:
            datagram = self.socket.recv(2000)
            if datagram[8:20] == request.transaction:
                return Stun.decode(datagram, self.credentials.box_password)

    def next_request(self) -> Stun:
        while True:
            datagram = self.socket.recv(2000)
            if struct.unpack("!H", datagram[:2])[0] == REQUEST:
                return Stun.decode(datagram, self.credentials.device_password)

    def prove(self) -> None:
        """Both directions work, and this path is nominated."""
        self.say(self.check())
        triggered = self.next_request()
        mapped = struct.pack("!xBH", 1, self.socket.getsockname()[1] ^ 0x2112) + struct.pack("!I", 0x7F000001 ^ 0x2112A442)
        self.socket.send(Stun(SUCCESS, {0x0020: mapped}, triggered.transaction).encode(self.credentials.device_password))
        nominating = self.check()
        nominating.attributes[USE_CANDIDATE] = b""
        self.say(nominating)
        assert self.answer_to(nominating).kind == SUCCESS


@pytest.fixture
def device(box: Command) -> Iterator[Device]:
    running = box.started()
    paired = Device(box)
    yield paired
    paired.socket.close()
    assert box.ask("status").code == FINE
    assert running.end() == FINE


def test_a_check_is_answered_and_answered_by_a_check(device: Device) -> None:
    request = device.check()
    device.say(request)
    answer = device.answer_to(request)
    assert answer.kind == SUCCESS
    assert answer.mapped() == device.socket.getsockname()
    device.say(device.check())
    triggered = device.next_request()
    assert triggered.attributes[USERNAME].decode() == f"{device.credentials.device_ufrag}:{device.credentials.box_ufrag}"
    assert len(triggered.attributes[CONTROLLED]) == 8
    assert CONTROLLING not in triggered.attributes
    assert len(triggered.attributes[PRIORITY]) == 4


@pytest.mark.parametrize(
    "wrong", ["password", "user", "both users", "no user", "no integrity", "cut", "longer", "another octet", "an indication"]
)
def test_what_is_not_proven_gets_no_answer(device: Device, wrong: str) -> None:
    request = device.check()
    c = device.credentials
    if wrong == "password":
        device.say(request, c.device_password)
    elif wrong == "user":
        request.attributes[USERNAME] = f"{c.device_ufrag}:{c.box_ufrag}".encode()
        device.say(request)
    elif wrong == "both users":
        request.attributes[USERNAME] = f"{c.box_ufrag}:{c.box_ufrag}".encode()
        device.say(request, c.device_password)
    elif wrong == "no user":
        del request.attributes[USERNAME]
        device.say(request)
    elif wrong == "an indication":
        request.kind = 0x0011
        device.say(request)
    elif wrong == "no integrity":
        device.socket.send(request.encode(None))
    else:
        whole = request.encode(c.box_password)
        device.socket.send({"cut": whole[:-4], "longer": whole + b"\0\0\0\0",
                            "another octet": whole[:30] + bytes([whole[30] ^ 1]) + whole[31:]}[wrong])
    good = device.check()
    device.say(good)
    assert device.socket.recv(2000)[8:20] == good.transaction, "the good one's answer is the first thing that comes"


def test_a_check_of_the_same_role_is_a_conflict(device: Device) -> None:
    """The one with the smaller tie-breaker has to be the other (RFC 8445 section 7.3.1.1); nothing is above this one."""
    request = device.check()
    del request.attributes[CONTROLLING]
    request.attributes[CONTROLLED] = b"\xff" * 8
    device.say(request)
    answer = device.answer_to(request)
    assert answer.kind == ERROR
    assert answer.error() == 487


def test_an_attribute_that_must_be_understood_and_is_not(device: Device) -> None:
    """RFC 8489 section 6.3.1: 420, with what was not understood; an optional one is passed over."""
    request = device.check()
    request.attributes[0x7FFE] = b"what"
    device.say(request)
    answer = device.answer_to(request)
    assert answer.kind == ERROR
    assert answer.error() == 420
    assert answer.attributes[UNKNOWN][:2] == b"\x7f\xfe"
    optional = device.check()
    optional.attributes[0xFFFE] = b"what"
    device.say(optional)
    assert device.answer_to(optional).kind == SUCCESS


def test_a_handshake_is_taken_only_from_a_proven_endpoint(device: Device) -> None:
    with device.another_socket() as stranger:
        stranger.send(client_hello())
        device.prove()
        device.socket.send(client_hello())
        while True:
            datagram = device.socket.recv(2000)
            if 20 <= datagram[0] <= 63:
                break
        assert datagram[0] in (21, 22), "an alert or a handshake message: it was heard"
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(2000)


def test_a_replayed_check_moves_nothing(device: Device) -> None:
    """An answer at most, and a check that the thief cannot answer; the device's path is as it was."""
    device.prove()
    recorded = device.check()
    recorded.attributes[USE_CANDIDATE] = b""
    with device.another_socket() as thief:
        thief.send(recorded.encode(device.credentials.box_password))
        thief.recv(2000)
        thief.send(client_hello())
        after = device.check()
        device.say(after)
        assert device.answer_to(after).kind == SUCCESS
        thief.setblocking(False)
        kinds = set()
        try:
            while True:
                kinds.add(thief.recv(2000)[0])
        except BlockingIOError:
            pass
        assert kinds <= {0, 1}, "STUN, but no handshake"


def test_who_is_forgotten_is_not_heard(box: Command, device: Device) -> None:
    device.prove()
    locally(box, "DELETE", "/devices/1")
    request = device.check()
    device.say(request)
    with device.another_socket() as other:  # the box has had its turn when somebody else's news is known
        other.send(request.encode(device.credentials.box_password))
    assert "No device" in box.ask("devices").out
    device.socket.setblocking(False)
    transactions = set()
    try:
        while True:
            transactions.add(device.socket.recv(2000)[8:20])
    except BlockingIOError:
        pass
    assert request.transaction not in transactions
