"""Every kind of datagram that a stranger can send to a port of ours, one by one: what comes back is never more than was sent."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command import FINE, Command, free_port
from conftest import ROOT
from dtls import client_hello, hello_verify_request
from protocol import (
    CONTROLLED,
    CONTROLLING,
    COOKIE,
    ERROR_CODE,
    FINGERPRINT,
    INTEGRITY,
    PADDING,
    PRIORITY,
    UNKNOWN,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED,
    Client,
    Stun,
)
from standing import pair_with

# RFC 8489 section 5, RFC 8656 section 17: how class and method share the type.
CLASSES = {"request": 0x000, "indication": 0x010, "success": 0x100, "error": 0x110}
METHODS = {"binding": 1, "allocate": 3, "refresh": 4, "send": 6, "data": 7, "create-permission": 8, "channel-bind": 9, "connect": 10,
           "unknown": 0x7F}
ATTRIBUTES = {"mapped-address": 0x0001, "change-request": 0x0003, "username": USERNAME, "integrity": INTEGRITY, "error-code": ERROR_CODE,
              "unknown-attributes": UNKNOWN, "lifetime": 0x000D, "peer-address": 0x0012, "data": 0x0013, "realm": 0x0014, "nonce": 0x0015,
              "requested-family": 0x0017, "requested-transport": 0x0019, "integrity-sha256": 0x001C, "xor-mapped-address": XOR_MAPPED,
              "priority": PRIORITY, "use-candidate": USE_CANDIDATE, "padding": PADDING, "response-port": 0x0027, "must be understood": 0x7F00,
              "software": 0x8022, "alternate-server": 0x8023, "fingerprint": FINGERPRINT, "controlled": CONTROLLED,
              "controlling": CONTROLLING, "response-origin": 0x802B, "other-address": 0x802C, "may be ignored": 0xFF00}
DTLS_RECORDS = {"change-cipher-spec": 20, "alert": 21, "handshake": 22, "application-data": 23, "heartbeat": 24, "tls12-cid": 25, "ack": 26}
DTLS_HANDSHAKES = {"hello-request": 0, "client-hello": 1, "server-hello": 2, "hello-verify-request": 3, "new-session-ticket": 4,
                   "certificate": 11, "server-key-exchange": 12, "certificate-request": 13, "server-hello-done": 14,
                   "certificate-verify": 15, "client-key-exchange": 16, "finished": 20}
GRE_PROTOCOLS = {"ipv4": 0x0800, "ipv6": 0x86DD, "control": 0x88B5, "compact": 0x88B6, "ethernet": 0x6558, "mpls": 0x8847}


def type_of(kind: str, method: str) -> int:
    number = METHODS[method]
    return CLASSES[kind] | number & 0x0F | (number & 0x70) << 1 | (number & 0xF80) << 2


def stun(username: str) -> Iterator[tuple[str, bytes]]:
    for kind in CLASSES:
        for method in METHODS:
            number = type_of(kind, method)
            yield f"{kind} {method}", Stun(number).encode(None, fingerprint=False)
            yield f"{kind} {method}, fingerprint", Stun(number).encode(None)
            yield f"{kind} {method}, guessed", Stun(number, {USERNAME: username.encode()}).encode("a guess")
            yield f"{kind} {method}, a known name guessed, all of ICE", Stun(
                number, {USERNAME: username.encode(), PRIORITY: b"\x6e\0\0\1", CONTROLLING: bytes(8), USE_CANDIDATE: b""}).encode("a guess")
    for name, attribute in ATTRIBUTES.items():
        for size in (0, 4, 8, 20, 200):
            plain = Stun(attributes={attribute: bytes(size)})
            yield f"binding with {size} octets of {name}", plain.encode(None)
            yield f"binding with {size} octets of {name}, guessed", Stun(
                attributes={USERNAME: username.encode(), attribute: bytes(size)}).encode("a guess")
    head = struct.pack("!HHI", 1, 0, COOKIE) + bytes(12)
    yield "RFC 3489's, without the cookie", struct.pack("!HH", 1, 0) + bytes(16)
    yield "a length that promises more", struct.pack("!HHI", 1, 400, COOKIE) + bytes(12)
    yield "a length that is less", struct.pack("!HHI", 1, 0, COOKIE) + bytes(40)
    yield "an attribute cut", struct.pack("!HHI", 1, 4, COOKIE) + bytes(12) + b"\0\6\0\x40"
    yield "two in one", head + head


def dtls() -> Iterator[tuple[str, bytes]]:
    yield "client hello", client_hello()
    for version in (b"\xfe\xff", b"\xfe\xfd", b"\xfe\xfc", b"\x03\x03"):
        for name, kind in DTLS_RECORDS.items():
            yield f"record {name} {version.hex()}", bytes([kind]) + version + bytes(8) + b"\0\x20" + bytes(32)
            yield f"record {name} {version.hex()} of epoch 1", bytes([kind]) + version + b"\0\1" + bytes(6) + b"\0\x20" + os.urandom(32)
        for name, kind in DTLS_HANDSHAKES.items():
            body = bytes(40)
            handshake = bytes([kind]) + len(body).to_bytes(3, "big") + bytes(2) + bytes(3) + len(body).to_bytes(3, "big") + body
            yield f"handshake {name} {version.hex()}", b"\x16" + version + bytes(8) + len(handshake).to_bytes(2, "big") + handshake
    for first in (0x20, 0x2F, 0x3F):
        yield f"DTLS 1.3's unified head {first:#x}", bytes([first]) + os.urandom(60)
    yield "somebody else's cookie request", hello_verify_request(os.urandom(20))
    hello = client_hello()
    yield "half a client hello", hello[: len(hello) // 2]
    yield "a client hello and another", hello + client_hello()
    for size in (200, 600, 1200):
        yield f"a client hello of {size} octets", hello[:11] + (len(hello) - 13 + size).to_bytes(2, "big") + hello[13:] + bytes(size)


def tunnels() -> Iterator[tuple[str, bytes]]:
    inner4 = bytes.fromhex("4600002000000000010200000a000002e000000194040000") + bytes.fromhex("1600090400000000")  # an IGMPv2 report
    inner6 = bytes.fromhex("6000000000080001fe800000000000000000000000000002ff020000000000000000000000000001") + bytes(8)
    for name, protocol in GRE_PROTOCOLS.items():
        for flags in (0x0000, 0x1000, 0x2000, 0x3000, 0x8000, 0xB000, 0x0001):
            optional = bytes(4 * bin(flags & 0xB000).count("1"))
            for inner in (b"", inner4, inner6, bytes(100)):
                yield f"GRE {name} {flags:#06x} {len(inner)}", struct.pack("!HH", flags, protocol) + optional + inner
    yield "6in4", inner6
    yield "4in4", inner4
    for first in (0x41, 0x42, 0x81):
        yield f"AYIYA {first:#x}", bytes([first]) + os.urandom(3) + bytes(4) + os.urandom(16 + 32) + inner6
    yield "a SixXS heartbeat", b"HEARTBEAT TUNNEL 2001:db8::2 sender 1800000000 0123456789abcdef0123456789abcdef"
    yield "GUE", b"\0\x29\0\0" + inner6
    yield "GUE's control", b"\x20\1\0\0" + bytes(16)
    for kind in range(6):
        yield f"control kind {kind} in the clear", struct.pack("!HHB", 0, 0x88B5, kind) + bytes(40)


def strangers() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    for first in range(256):
        yield f"octet {first:#x}", bytes([first])
        yield f"octet {first:#x} and a hundred", bytes([first]) + bytes(99)
        yield f"octet {first:#x} and noise", bytes([first]) + os.urandom(1199)
    yield "ChannelData", b"\x40\0\0\x10" + bytes(16)
    yield "a name query", bytes.fromhex("123401000001000000000000") + b"\7example\3net\0\0\xff\0\1"
    yield "an mDNS query", bytes.fromhex("000000000001000000000000") + b"\x0b_hearthcast\4_udp\5local\0\0\x0c\0\1"
    yield "a time query", b"\x1b" + bytes(47)
    yield "a monitor list", b"\x17\0\3\x2a" + bytes(4)
    yield "an SSDP search", b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nST: ssdp:all\r\n\r\n'
    yield "a CoAP get", b"\x40\1\0\1\xbb.well-known\4core"
    yield "a memcached stats", b"\0\0\0\0\0\1\0\0stats\r\n"
    yield "a QUIC of an unknown version", b"\xc0\x1a\x2a\x3a\x4a\x08" + bytes(8) + b"\x08" + bytes(1180)
    yield "a PCP announce", b"\2\0\0\0" + bytes(20)
    yield "a NAT-PMP address request", b"\0\0"
    yield "an L2TP", b"\xc8\2\0\x14" + bytes(16)
    yield "a WireGuard initiation", b"\1\0\0\0" + os.urandom(144)


def corpora() -> Iterator[tuple[str, bytes]]:
    """What the fuzzers start from: each format that is read from the network, in good and bad order."""
    folder = ROOT / "tests" / "fuzz" / "corpus"
    for name in ("stun", "turn_client", "channel_data", "dtls", "gre", "ayiya", "heartbeat", "foreign_peer", "quick_packet", "tunnel_control",
                 "tunnel_compact", "tunnel_inner", "tunnel_payload", "nat_agent", "membership_packet", "mtrace2", "udp_packet", "ip"):
        for file in sorted((folder / name).iterdir()):
            yield f"{name}/{file.name}", file.read_bytes()[:1400]


@dataclass
class Port:
    program: Command
    number: int
    username: str  # one that exists behind the port, whose password the stranger does not have
    client: Client | None  # whose it is: it stays, or the name would end


@pytest.fixture(params=["rendezvous", "box", "away", "gre-udp", "ayiya"])
def port(request: pytest.FixtureRequest, built: Path, folder: Path) -> Iterator[Port]:
    name = request.param if request.param in ("rendezvous", "away") else "box"
    program = Command(built, name, folder)
    number, username = program.tunnel_port, "nobody"
    if name == "rendezvous":
        number = free_port(socket.SOCK_DGRAM)
        program.write(program.sane() | {"listen.udp_port": number})
    if request.param in ("gre-udp", "ayiya"):
        number = free_port(socket.SOCK_DGRAM)
        secret = folder / "secret"
        secret.write_text("00" * 32 + "\n")
        secret.chmod(0o600)
        os.chown(secret, folder.stat().st_uid, folder.stat().st_gid)
        own = {"gre-udp": "endpoint = '192.0.2.7:4754'\n",
               "ayiya": f"local_address = '2001:db8::1'\npeer_address = '2001:db8::2'\nsecret_file = '{secret}'\n"}[request.param]
        with program.settings.open("a") as settings:
            settings.write(f"[[peer]]\nname = 'cabin'\nseal = 'none'\nencapsulation = '{request.param}'\nport = {number}\n{own}")
    running = program.started()
    request.addfinalizer(program.kill_all)
    client = None
    if name == "rendezvous":
        client = Client(program.port, "box")
        username = str(client.join()["presence"]["username"])
    elif request.param == "box":
        known = pair_with(program)
        username = f"{known.box_ufrag}:{known.device_ufrag}"
    elif name == "away":
        number = int(running.wait_for("started").split(" port=")[1].split()[0])
    yield Port(program, number, username, client)
    assert running.process.poll() is None, running.log()
    assert program.ask("status").code == FINE
    assert running.end() == FINE


def test_nothing_comes_back_larger_than_it_went(port: Port) -> None:
    """Each kind from a socket of its own, and all that ever comes to that socket is counted against it."""
    kinds = [*stun(port.username), *dtls(), *tunnels(), *strangers(), *corpora()]
    assert len(kinds) > 1400
    assert len({name for name, _ in kinds}) == len(kinds), "each is told by its name"
    sockets: dict[str, tuple[socket.socket, int]] = {}
    too_much: dict[str, tuple[int, int]] = {}
    answered = 0

    def settle() -> None:
        """Asks the program, which has then had its turn with what was sent before, and counts."""
        nonlocal answered
        assert port.program.ask("status").code == FINE
        time.sleep(0.2)  # the box reads this port on a thread of its own
        for name, (asker, sent) in sockets.items():
            came = 0
            asker.setblocking(False)
            try:
                while True:
                    came += len(asker.recv(65536))
            except (BlockingIOError, ConnectionRefusedError):
                pass
            asker.close()
            answered += came > 0
            if came > sent:
                too_much[name] = (sent, came)
        sockets.clear()

    for name, datagram in kinds:
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker.connect(("127.0.0.1", port.number))
        asker.send(datagram)
        sockets[name] = (asker, len(datagram))
        if len(sockets) == 200:
            settle()
    settle()
    assert not too_much, too_much
    assert answered == 0, "who proves nothing is not answered at all"


def test_who_proves_himself_gets_no_more_than_he_sent_either(rendezvous: Command) -> None:
    """The rendezvous' presence: a client of its own could give a victim's address as its own."""
    program = rendezvous
    number = free_port(socket.SOCK_DGRAM)
    program.write(program.sane() | {"listen.udp_port": number})
    running = program.started()
    client = Client(program.port, "device")
    access = client.join()["presence"]
    answers = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(("127.0.0.1", number))
        asker.settimeout(30)
        for padding in (None, 0, 1, 4, 8, 12, 16, 64, 500):
            attributes = {USERNAME: access["username"].encode()} | ({} if padding is None else {PADDING: bytes(padding)})
            asker.send(Stun(attributes=attributes).encode(access["password"]))
            # A request that is large enough is answered for certain: what comes before it belongs to the one before.
            last = Stun(attributes={USERNAME: access["username"].encode(), PADDING: bytes(64)})
            marker = last.encode(access["password"])
            asker.send(marker)
            sent = len(Stun(attributes=attributes).encode(access["password"]))
            came = 0
            while (got := asker.recv(2000))[8:20] != last.transaction:
                came += len(got)
            assert len(got) <= len(marker)
            assert came <= sent, padding
            answers += came > 0
    assert answers >= 2, "large ones are answered"
    client.socket.close()
    assert running.end() == FINE
