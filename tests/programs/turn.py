"""A coturn on the loopback with the configuration that packaging/ ships, and a client of it (RFC 8656), written from the
documents alone."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import socket
import struct
import subprocess
import time
from pathlib import Path

from command import free_port

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "packaging" / "coturn" / "turnserver.conf"
COOKIE = 0x2112A442
ALLOCATE, CREATE_PERMISSION = 0x0003, 0x0008
USERNAME, INTEGRITY, ERROR_CODE, PEER, REALM, NONCE, RELAYED, FAMILY, TRANSPORT = (
    0x0006, 0x0008, 0x0009, 0x0012, 0x0014, 0x0015, 0x0016, 0x0017, 0x0019)
ADDITIONAL_FAMILY = (0x8000, 0x8032)  # of RFC 8656, and of coturn


class Coturn:
    """Configured as an operator would: the shipped file with its secret replaced; only places are other ones."""

    def __init__(self, folder: Path, secret: str) -> None:
        self.port = free_port(socket.SOCK_DGRAM)
        text = CONFIGURATION.read_text(encoding="utf-8")
        assert "static-auth-secret=CHANGE-ME" in text
        configuration = folder / "turnserver.conf"
        configuration.write_text(text.replace("CHANGE-ME", secret), encoding="utf-8")
        self._log = (folder / "coturn.log").open("w+")
        self.process = subprocess.Popen(
            ["turnserver", "-c", str(configuration), "--listening-port", str(self.port), "--listening-ip=127.0.0.1",
             "--relay-ip=127.0.0.1", "--relay-ip=::1", "--log-file=stdout", f"--pidfile={folder / 'coturn.pid'}", f"--userdb={folder / 'coturn.db'}"],
            stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while True:
            try:
                Session(self.port, "nobody", "nothing").ask(ALLOCATE, [(TRANSPORT, b"\x11\0\0\0")])
                return
            except (TimeoutError, ConnectionError):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"coturn does not serve:\n{self.log()}") from None

    def log(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._log.close()


class Session:
    """One client: its socket and credentials."""

    def __init__(self, port: int, username: str, password: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._username = username
        self._password = password
        self._realm = self._nonce = b""

    def close(self) -> None:
        self._socket.close()

    def ask(self, method: int, attributes: list[tuple[int, bytes]]) -> tuple[int, dict[int, bytes]]:
        """The error code, 0 for success, and the answer's attributes. A challenge is answered."""
        for _ in range(3):
            code, answer = self._exchange(method, attributes)
            if code not in (401, 438) or answer.get(NONCE, b"") in (b"", self._nonce):
                break
            self._realm, self._nonce = answer[REALM], answer[NONCE]
        return code, answer

    def _exchange(self, method: int, attributes: list[tuple[int, bytes]]) -> tuple[int, dict[int, bytes]]:
        transaction = os.urandom(12)
        attributes = [(kind, _hidden(value, transaction) if kind == PEER else value) for kind, value in attributes]
        body = b"".join(_attribute(kind, value) for kind, value in attributes)
        if self._nonce:
            body += _attribute(USERNAME, self._username.encode()) + _attribute(REALM, self._realm) + _attribute(NONCE, self._nonce)
            key = hashlib.md5(b":".join((self._username.encode(), self._realm, self._password.encode()))).digest()
            head = struct.pack("!HHI", method, len(body) + 24, COOKIE) + transaction
            body += _attribute(INTEGRITY, hmac.digest(key, head + body, "sha1"))
        request = struct.pack("!HHI", method, len(body), COOKIE) + transaction + body
        for wait in (0.5, 1, 2, 4, 8):
            self._socket.send(request)
            self._socket.settimeout(wait)
            try:
                while True:
                    answer = self._socket.recv(2048)
                    if answer[8:20] == transaction:
                        return _read(answer)
            except TimeoutError:
                continue
        raise TimeoutError

    def allocate(self, version: int = 4) -> int:
        family = [] if version == 4 else [(FAMILY, b"\2\0\0\0")]
        return self.ask(ALLOCATE, [(TRANSPORT, b"\x11\0\0\0"), *family])[0]

    def allocate_both(self) -> list[int]:
        """As the client asks. The families (1, 2) of the relayed addresses that it was given."""
        code, answer = self.ask(ALLOCATE, [(TRANSPORT, b"\x11\0\0\0"), *((kind, b"\2\0\0\0") for kind in ADDITIONAL_FAMILY)])
        assert code == 0, code
        families, relayed = [], answer[RELAYED]
        while relayed:
            families.append(relayed[1])
            relayed = relayed[8 if relayed[1] == 1 else 20:]
        return sorted(families)

    def permit(self, peer: str) -> int:
        return self.ask(CREATE_PERMISSION, [(PEER, peer.encode())])[0]


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _hidden(text: bytes, transaction: bytes) -> bytes:
    """XOR-PEER-ADDRESS of an address, port 0."""
    address = ipaddress.ip_address(text.decode())
    mask = struct.pack("!I", COOKIE) + transaction
    octets = bytes(octet ^ hide for octet, hide in zip(address.packed, mask))
    return struct.pack("!xBH", 1 if address.version == 4 else 2, COOKIE >> 16) + octets


def _read(message: bytes) -> tuple[int, dict[int, bytes]]:
    kind = struct.unpack("!H", message[:2])[0]
    attributes: dict[int, bytes] = {}
    at = 20
    while at + 4 <= len(message):
        attribute, size = struct.unpack("!HH", message[at:at + 4])
        # Of relayed addresses there may be one of each family: end to end.
        former = attributes.get(attribute, b"") if attribute == RELAYED else b""
        attributes[attribute] = former + message[at + 4:at + 4 + size]
        at += 4 + size + -size % 4
    code = attributes[ERROR_CODE][2] * 100 + attributes[ERROR_CODE][3] if kind & 0x0110 == 0x0110 else 0
    return code, attributes
