"""The encapsulations as a foreign implementation writes and reads them, from their documents and from nothing of ours.

`wrap` puts an inner IP packet into what UDP or IP carries, `unwrap` takes it out and raises Wrong when a peer that is
strict would drop it. Numbers are in network order.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
import struct
import time
from dataclasses import dataclass, field

IPPROTO_IPV6 = 41
IPPROTO_GRE = 47
IPPROTO_NONE = 59
_ETHERTYPES = {4: 0x0800, 6: 0x86DD}


class Wrong(ValueError):
    """What a strict receiver drops."""


def family(packet: bytes) -> int:
    return packet[0] >> 4


def internet_checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@dataclass
class Gre:
    """RFC 2784 and 2890. What is agreed is demanded of the other end, as Linux does."""

    key: int | None = None
    sequence: bool = False
    checksum: bool = False
    protocol = IPPROTO_GRE
    families = (4, 6)
    _next: int = 0
    _last: int | None = None

    def header(self, payload: bytes, ethertype: int, number: int) -> bytes:
        flags = (0x8000 if self.checksum else 0) | (0x2000 if self.key is not None else 0) | (0x1000 if self.sequence else 0)
        key = b"" if self.key is None else struct.pack("!I", self.key)
        rest = key + (struct.pack("!I", number) if self.sequence else b"")
        start = struct.pack("!HH", flags, ethertype)
        if not self.checksum:
            return start + rest
        total = internet_checksum(start + b"\0\0\0\0" + rest + payload)
        return start + struct.pack("!HH", total, 0) + rest

    def wrap(self, packet: bytes) -> bytes:
        number, self._next = self._next, self._next + 1
        return self.header(packet, _ETHERTYPES[family(packet)], number) + packet

    def unwrap(self, datagram: bytes) -> bytes:
        flags, ethertype = struct.unpack_from("!HH", datagram)
        agreed = (0x8000 if self.checksum else 0) | (0x2000 if self.key is not None else 0) | (0x1000 if self.sequence else 0)
        if flags != agreed:
            raise Wrong(f"GRE flags {flags:04x}, agreed {agreed:04x}")
        at = 4
        if self.checksum:
            if internet_checksum(datagram) != 0:
                raise Wrong("GRE checksum")
            at += 4
        if self.key is not None:
            if struct.unpack_from("!I", datagram, at)[0] != self.key:
                raise Wrong("GRE key")
            at += 4
        if self.sequence:
            number = struct.unpack_from("!I", datagram, at)[0]
            if self._last is not None and not 0 < (number - self._last) % (1 << 32) < 1 << 31:
                raise Wrong(f"GRE sequence number {number} after {self._last}")
            self._last = number
            at += 4
        packet = datagram[at:]
        if _ETHERTYPES.get(family(packet)) != ethertype:
            raise Wrong("GRE protocol type")
        return packet


class SixInFour:
    """RFC 4213: nothing before the IPv6 packet. In UDP it is Linux' FOU, and TSP's v6udpv4."""

    protocol = IPPROTO_IPV6
    families = (6,)

    def wrap(self, packet: bytes) -> bytes:
        return packet

    def unwrap(self, datagram: bytes) -> bytes:
        if family(datagram) != 6:
            raise Wrong("no IPv6")
        return datagram


@dataclass
class Gue:
    """draft-ietf-intarea-gue, as Linux sends it: version 0 without fields. `bare` sends version 1, no header at all."""

    inside: Gre | SixInFour
    bare: bool = False

    @property
    def families(self) -> tuple[int, ...]:
        return self.inside.families

    def wrap(self, packet: bytes) -> bytes:
        inner = self.inside.wrap(packet)
        return inner if self.bare else struct.pack("!BBH", 0, self.inside.protocol, 0) + inner

    def unwrap(self, datagram: bytes) -> bytes:
        first, protocol, flags = struct.unpack_from("!BBH", datagram)
        if first != 0 or flags != 0 or protocol != self.inside.protocol:
            raise Wrong(f"GUE header {datagram[:4].hex()}")
        return self.inside.unwrap(datagram[4:])


NOTHING, FORWARD, ECHO_REQUEST, ECHO_RESPONSE = 0, 1, 2, 4


@dataclass
class Ayiya:
    """draft-massar-v6ops-ayiya-02 as aiccu and sixxsd deployed it: SHA-1, the secret's hash in the signature's place."""

    local: bytes  # 16 octets: the address in the tunnel that names this end
    remote: bytes
    secret: bytes
    families = (4, 6)
    skew: int = 0  # seconds that this end's clock is ahead
    start = bytes.fromhex("4152")  # lengths, identity type, hash method
    signature_size = 20

    def identity(self) -> bytes:
        return self.local

    def is_remote(self, identity: bytes) -> bool:
        return identity == self.remote

    def sign(self, before: bytes, payload: bytes) -> bytes:
        return hashlib.sha1(before + hashlib.sha1(self.secret).digest() + payload).digest()

    def packet(self, opcode: int, next_header: int, payload: bytes) -> bytes:
        before = self.start + struct.pack("!BBI", 0x10 | opcode, next_header, int(time.time()) + self.skew) + self.identity()
        return before + self.sign(before, payload) + payload

    def wrap(self, packet: bytes) -> bytes:
        return self.packet(FORWARD, 4 if family(packet) == 4 else IPPROTO_IPV6, packet)

    def alive(self) -> bytes:
        return self.packet(NOTHING, IPPROTO_NONE, b"")

    def echo_response(self, nonce: bytes) -> bytes:
        return self.packet(ECHO_RESPONSE, IPPROTO_NONE, nonce)

    def opened(self, datagram: bytes) -> tuple[int, bytes]:
        """Opcode and payload of what the other end signed."""
        end = 24 + self.signature_size
        if datagram[:2] != self.start or datagram[2] >> 4 != 1 or not self.is_remote(datagram[8:24]):
            raise Wrong(f"AYIYA header {datagram[:24].hex()}")
        if not hmac.compare_digest(datagram[24:end], self.sign(datagram[:24], datagram[end:])):
            raise Wrong("AYIYA signature")
        if abs(struct.unpack_from("!I", datagram, 4)[0] - time.time() - self.skew) > 120:
            raise Wrong("AYIYA time")
        return datagram[2] & 0x0F, datagram[end:]

    def unwrap(self, datagram: bytes) -> bytes:
        opcode, payload = self.opened(datagram)
        if opcode != FORWARD or datagram[3] != (4 if family(payload) == 4 else IPPROTO_IPV6):
            raise Wrong(f"AYIYA opcode {opcode}, next header {datagram[3]}")
        return payload


@dataclass
class HardenedAyiya(Ayiya):
    """docs/tunnels/ayiya.md: HMAC-SHA-256, a number in the name so that no two packets are alike, challenges answered."""

    start = bytes.fromhex("4185")
    signature_size = 32
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(int(time.time()) << 32))

    def identity(self) -> bytes:
        return self.local[8:] + struct.pack("!Q", next(self._numbers))

    def is_remote(self, identity: bytes) -> bool:
        return identity[:8] == self.remote[8:]

    def sign(self, before: bytes, payload: bytes) -> bytes:
        return hmac.digest(self.secret, before + bytes(32) + payload, "sha256")

    def alive(self) -> bytes:
        return self.packet(NOTHING, IPPROTO_NONE, bytes(16))


Form = Gre | SixInFour | Gue | Ayiya


def heartbeat(tunnel: str, password: str, address: str = "sender", when: int | None = None) -> bytes:
    """SixXS: one line, its MD5 with the password at the end."""
    text = f"HEARTBEAT TUNNEL {tunnel} {address} {int(time.time()) if when is None else when} "
    return (text + hashlib.md5((text + password).encode()).hexdigest()).encode()


def new_secret() -> bytes:
    return os.urandom(32)
