"""The protocols of docs/protocol/{pairing,introduction,ice}.md once more, written from the documents alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from stream import Stream

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Identity:
    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.id = sha256(self.public)

    def shared_with(self, public_key: bytes) -> bytes:
        """ECDH."""
        other = load_der_public_key(public_key)
        assert isinstance(other, ec.EllipticCurvePublicKey)
        return self._key.exchange(ec.ECDH(), other)

    def sign(self, octets: bytes) -> bytes:
        return self._key.sign(octets, ec.ECDSA(hashes.SHA256()))


def is_signed(public_key: bytes, octets: bytes, signature: bytes) -> bool:
    key = load_der_public_key(public_key)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        key.verify(signature, octets, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def key_of(connection: ssl.SSLSocket) -> bytes:
    """SubjectPublicKeyInfo of the other side."""
    certificate = connection.getpeercert(binary_form=True)
    assert certificate
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# --- pairing ---


@dataclass
class Link:
    box: bytes
    secret: bytes
    pin: bytes | str | None
    url: str
    addresses: list[tuple[str, int]] = field(default_factory=list)


def read_link(text: str) -> Link:
    prefix = "hearthcast://pair#"
    assert text.startswith(prefix)
    octets = unb64(text[len(prefix):])
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        assert at <= len(octets)
        return octets[at - count:at]

    assert take(1) == b"\1"
    link = Link(take(32), take(16), None, "")
    kind = take(1)[0]
    link.pin = {0: None, 1: "webpki", 2: b""}[kind]
    if kind == 2:
        link.pin = take(32)
    link.url = take(int.from_bytes(take(2), "big")).decode()
    for _ in range(take(1)[0]):
        family, size = {4: (socket.AF_INET, 4), 6: (socket.AF_INET6, 16)}[take(1)[0]]
        link.addresses.append((socket.inet_ntop(family, take(size)), int.from_bytes(take(2), "big")))
    assert at == len(octets), "nothing follows"
    return link


def read_code(text: str) -> tuple[str, bytes]:
    """Locator and secret."""
    symbols = text.replace("-", "")
    assert len(symbols) == 20
    number = 0
    for symbol in symbols[4:]:
        number = number << 5 | CROCKFORD.index(symbol)
    return symbols[:4], number.to_bytes(10, "big")


class Pairing:
    """One device's attempt: the same message however often it is sent."""

    def __init__(self, device: Identity, name: str, secret: bytes) -> None:
        self._key = _derived(secret, b"", b"hearthcast pairing 1", 32)
        self._device = device
        nonce = os.urandom(16)
        self._transcript = sha256(device.public) + sha256(name.encode()) + nonce
        self.message = {"public_key": b64(device.public), "name": name, "nonce": b64(nonce),
                        "mac": b64(self._mac(b"device", self._transcript))}

    def _mac(self, who: bytes, transcript: bytes) -> bytes:
        return hmac.digest(self._key, who + b"\0" + transcript, "sha256")

    def is_proven(self, answer: dict[str, Any]) -> bool:
        rendezvous = answer.get("rendezvous") or {}
        details = [answer["name"], rendezvous.get("url", ""), rendezvous.get("pin", ""), *answer["addresses"]]
        transcript = (self._transcript + sha256(unb64(answer["public_key"])) + unb64(answer["nonce"])
                      + sha256("".join(line + "\n" for line in details).encode()))
        return hmac.compare_digest(self._mac(b"box", transcript), unb64(answer["mac"]))

    def fingerprint(self, box: bytes) -> str:
        bits = int.from_bytes(sha256(self._device.public, box)[:3], "big") >> 4
        return "".join(CROCKFORD[bits >> shift & 31] for shift in (15, 10, 5, 0))


# --- the rendezvous ---


class WebSocket(Stream):
    """RFC 6455, as far as it is needed; nothing is hidden from who uses it."""

    def __init__(self, port: int, path: str = "/v1", host: str = "127.0.0.1", source: str = "") -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.tls = context.wrap_socket(
            socket.create_connection((host, port), timeout=30, source_address=(source, 0) if source else None))
        key = base64.b64encode(os.urandom(16))
        self.tls.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                         b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n"
                         b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
        self._pending = b""
        self.head = b""
        while b"\r\n\r\n" not in self._pending:
            self._more()
        self.head, _, self._pending = self._pending.partition(b"\r\n\r\n")
        accepted = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        self.upgraded = self.head.startswith(b"HTTP/1.1 101") and base64.b64encode(accepted) in self.head

    def frame(self, opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, reserved: int = 0) -> None:
        head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
        mask_bit = 0x80 if masked else 0
        if len(payload) < 126:
            head += bytes([mask_bit | len(payload)])
        elif len(payload) < 1 << 16:
            head += bytes([mask_bit | 126]) + struct.pack("!H", len(payload))
        else:
            head += bytes([mask_bit | 127]) + struct.pack("!Q", len(payload))
        mask = os.urandom(4)
        body = bytes(octet ^ mask[at % 4] for at, octet in enumerate(payload)) if masked else payload
        self.tls.sendall(head + (mask if masked else b"") + body)

    def read(self) -> tuple[int, bytes]:
        """One frame: opcode and payload."""
        first, second = self._take(2)
        assert first & 0xF0 == 0x80, "neither fragments nor extensions"
        assert not second & 0x80, "a server does not mask"
        size = second & 0x7F
        if size == 126:
            size = int.from_bytes(self._take(2), "big")
        elif size == 127:
            size = int.from_bytes(self._take(8), "big")
        return first & 0x0F, self._take(size)

    def close_code(self) -> int | None:
        """Why the server ends it; None: without a close frame."""
        try:
            while True:
                opcode, payload = self.read()
                if opcode == 8:
                    return int.from_bytes(payload[:2], "big")
        except (EOFError, ConnectionError, ssl.SSLError):
            return None

    def close(self) -> None:
        self.tls.close()


class Client:
    """A box or a device at the rendezvous."""

    def __init__(self, port: int, role: str, identity: Identity | None = None, host: str = "127.0.0.1", source: str = "") -> None:
        self.identity = identity or Identity()
        self.role = role
        self.socket = WebSocket(port, host=host, source=source)
        assert self.socket.upgraded, self.socket.head
        self._unread: list[dict[str, Any]] = []
        self.nonce = unb64(self.next("challenge")["nonce"])

    def say(self, kind: str, **members: Any) -> None:
        self.socket.frame(1, json.dumps({"type": kind, **members}).encode())

    def next(self, kind: str) -> dict[str, Any]:
        """The next message of that kind; others stay for later."""
        for message in self._unread:
            if message["type"] == kind:
                self._unread.remove(message)
                return message
        while True:
            opcode, payload = self.socket.read()
            assert opcode in (1, 9), (opcode, payload)
            if opcode == 1:
                message = json.loads(payload)
                if message["type"] == kind:
                    return dict(message)
                self._unread.append(message)

    def hello(self, **changed: Any) -> None:
        server_key = sha256(key_of(self.socket.tls))
        signature = self.identity.sign(b"hearthcast rendezvous 1\0" + self.nonce + server_key)
        self.say("hello", **{"role": self.role, "public_key": b64(self.identity.public), "signature": b64(signature),
                             "software": "a test", **changed})

    def join(self) -> dict[str, Any]:
        self.hello()
        return self.next("welcome")

    def allow(self, devices: list[bytes], revision: int) -> None:
        covered = b"hearthcast allow 1\0" + revision.to_bytes(8, "big") + b"".join(sorted(devices))
        self.say("allow", devices=[device.hex() for device in devices], revision=revision,
                 signature=b64(self.identity.sign(covered)))

    def sealed(self, payload: bytes) -> dict[str, str]:
        return {"payload": b64(payload), "signature": b64(self.identity.sign(b"hearthcast introduction 1\0" + payload))}


# --- STUN (RFC 8489) and what ICE (RFC 8445) adds, for presence and for docs/protocol/ice.md ---

COOKIE = 0x2112A442
REQUEST, SUCCESS, ERROR = 0x0001, 0x0101, 0x0111
USERNAME, INTEGRITY, ERROR_CODE, UNKNOWN, XOR_MAPPED, PRIORITY, USE_CANDIDATE, PADDING, FINGERPRINT, CONTROLLED, CONTROLLING = (
    0x0006, 0x0008, 0x0009, 0x000A, 0x0020, 0x0024, 0x0025, 0x0026, 0x8028, 0x8029, 0x802A)


@dataclass
class Stun:
    kind: int = REQUEST
    attributes: dict[int, bytes] = field(default_factory=dict)  # in order, without those that seal it
    transaction: bytes = field(default_factory=lambda: os.urandom(12))

    def encode(self, password: str | None, *, fingerprint: bool = True) -> bytes:
        def head(length: int) -> bytes:
            return struct.pack("!HHI", self.kind, length, COOKIE) + self.transaction

        body = b"".join(_attribute(kind, value) for kind, value in self.attributes.items())
        if password is not None:
            body += _attribute(INTEGRITY, hmac.digest(password.encode(), head(len(body) + 24) + body, "sha1"))
        if fingerprint:
            crc = zlib.crc32(head(len(body) + 8) + body) ^ 0x5354554E
            body += _attribute(FINGERPRINT, struct.pack("!I", crc))
        return head(len(body)) + body

    @staticmethod
    def decode(datagram: bytes, password: str | None) -> Stun:
        """Checked as RFC 8489 says; an AssertionError when anything is wrong."""
        kind, length, cookie = struct.unpack("!HHI", datagram[:8])
        assert cookie == COOKIE
        assert length == len(datagram) - 20
        message = Stun(kind, {}, datagram[8:20])
        at, sealed = 20, False
        while at < len(datagram):
            attribute, size = struct.unpack("!HH", datagram[at:at + 4])
            value = datagram[at + 4:at + 4 + size]
            if attribute == INTEGRITY:
                covered = struct.pack("!HHI", kind, at + 4, COOKIE) + datagram[8:at]
                assert password is not None
                assert value == hmac.digest(password.encode(), covered, "sha1"), "MESSAGE-INTEGRITY"
                sealed = True
            elif attribute == FINGERPRINT:
                covered = struct.pack("!HHI", kind, at - 12, COOKIE) + datagram[8:at]
                assert at + 8 == len(datagram), "it is the last"
                assert value == struct.pack("!I", zlib.crc32(covered) ^ 0x5354554E), "FINGERPRINT"
            else:
                message.attributes[attribute] = value
            at += 4 + size + -size % 4
        assert sealed == (password is not None)
        return message

    def mapped(self) -> tuple[str, int]:
        family, port = struct.unpack("!xBH", self.attributes[XOR_MAPPED][:4])
        assert family == 1
        address = struct.unpack("!I", self.attributes[XOR_MAPPED][4:])[0] ^ COOKIE
        return socket.inet_ntoa(struct.pack("!I", address)), port ^ COOKIE >> 16

    def error(self) -> int:
        return self.attributes[ERROR_CODE][2] * 100 + self.attributes[ERROR_CODE][3]


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def presence_request(username: str, password: str, padding: int = 64) -> bytes:
    return Stun(attributes={USERNAME: username.encode(), PADDING: bytes(padding)}).encode(password)


@dataclass
class Credentials:
    """The standing ones of a box and a device."""

    box_ufrag: str
    box_password: str
    device_ufrag: str
    device_password: str

    @staticmethod
    def at_device(device: Identity, box: bytes) -> Credentials:
        return Credentials._of(device.shared_with(box), sha256(box), device.id)

    @staticmethod
    def at_box(box: Identity, device: bytes) -> Credentials:
        return Credentials._of(box.shared_with(device), box.id, sha256(device))

    @staticmethod
    def _of(secret: bytes, box_id: bytes, device_id: bytes) -> Credentials:
        pair_key = _derived(secret, box_id + device_id, b"hearthcast pair 1", 32)

        def text(info: bytes, octets: int) -> str:
            return base64.b64encode(_derived(pair_key, b"", info, octets)).decode()

        return Credentials(text(b"box ufrag", 6), text(b"box password", 18), text(b"device ufrag", 6),
                           text(b"device password", 18))


def _derived(secret: bytes, salt: bytes, info: bytes, octets: int) -> bytes:
    return HKDF(hashes.SHA256(), octets, salt, info).derive(secret)
