"""A rendezvous of our own, written from docs/protocol/introduction.md: honest at first, and then whatever a test wants it to be."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from protocol import b64, sha256, unb64
from stream import Stream

Message = dict[str, Any]


class Guest(Stream):
    """A connection: a box or a device, once it has said hello."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self.tls = connection
        self._pending = b""
        self._writing = threading.Lock()
        self.role = ""
        self.id = b""
        self.public_key = ""

    def upgrade(self) -> None:
        while b"\r\n\r\n" not in self._pending:
            self._more()
        head, _, self._pending = self._pending.partition(b"\r\n\r\n")
        key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accepted = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self.tls.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n")

    def frame(self, opcode: int, payload: bytes) -> None:
        head = bytes([0x80 | opcode])
        if len(payload) < 126:
            head += bytes([len(payload)])
        else:
            head += bytes([126]) + struct.pack("!H", len(payload))
        with self._writing, contextlib.suppress(OSError):
            self.tls.sendall(head + payload)

    def say(self, kind: str, **members: Any) -> None:
        self.frame(1, json.dumps({"type": kind, **members}).encode())

    def read(self) -> Message:
        """The next message; pings are answered."""
        while True:
            first, second = self._take(2)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            mask = self._take(4)
            payload = bytes(octet ^ mask[at % 4] for at, octet in enumerate(self._take(size)))
            if first & 0x0F == 9:
                self.frame(10, payload)
            elif first & 0x0F == 8:
                raise EOFError
            elif first & 0x0F == 1:
                return dict(json.loads(payload))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.tls.shutdown(socket.SHUT_RDWR)
        self.tls.close()


class Rendezvous:
    """`offer` and `answer` say what becomes of what passes; None: nothing is passed on. All that was heard is kept."""

    def __init__(self, listening: socket.socket, presence: socket.socket, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([])
        now = datetime.datetime(2020, 1, 1)
        certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                       .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=36500))
                       .sign(key, hashes.SHA256()))
        pem = folder / "rendezvous.pem"
        pem.write_bytes(certificate.public_bytes(Encoding.PEM)
                        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self.pin = sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hex()
        self._listening = listening
        self._listening.listen(16)
        self.port = listening.getsockname()[1]
        self.presence = presence
        self.guests: list[Guest] = []
        self.heard: list[tuple[str, Message]] = []  # role and message
        self.offers: list[Message] = []  # what boxes were told, as it was before anybody changed it
        self.answers: list[Message] = []
        self.refusals: list[Message] = []
        self._asked: dict[int, tuple[Guest, int]] = {}
        self._last = 1000
        self.be_honest()
        threading.Thread(target=self._accept, daemon=True).start()

    def be_honest(self) -> None:
        self.greeting: Callable[[Guest], Message | None] = lambda guest: None  # an error instead of a welcome
        self.offer: Callable[[Message], Message | None] = lambda message: message
        self.answer: Callable[[Message], Message | None] = lambda message: message

    def box(self) -> Guest:
        return next(guest for guest in reversed(self.guests) if guest.role == "box")

    def device(self) -> Guest:
        return next(guest for guest in reversed(self.guests) if guest.role == "device")

    def is_here(self, role: str) -> bool:
        return any(guest.role == role for guest in self.guests)

    def introductions(self) -> int:
        """That devices asked for."""
        return sum(kind == "introduce" and role == "device" for role, message in self.heard for kind in [message["type"]])

    def new_id(self) -> int:
        self._last += 1
        return self._last

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        guest: Guest | None = None
        try:
            plain.settimeout(120)
            guest = Guest(self._context.wrap_socket(plain, server_side=True))
            guest.upgrade()
            guest.say("challenge", nonce=b64(os.urandom(32)), software="a test")
            hello = guest.read()
            guest.role, guest.public_key = hello["role"], hello["public_key"]
            guest.id = sha256(unb64(hello["public_key"]))
            self.heard.append((guest.role, hello))
            refusal = self.greeting(guest)
            if refusal is not None:
                guest.say("error", **refusal)
                return
            self.guests.append(guest)
            guest.say("welcome", observed="192.0.2.1:1",
                      presence={"username": "u", "password": "p", "port": self.presence.getsockname()[1], "interval_s": 20})
            while True:
                self._carry(guest, guest.read())
        except (OSError, EOFError, ssl.SSLError, ValueError, KeyError, StopIteration):
            pass
        finally:
            if guest in self.guests:
                self.guests.remove(guest)
            plain.close()

    def _carry(self, guest: Guest, message: Message) -> None:
        self.heard.append((guest.role, message))
        kind = message["type"]
        if guest.role == "device" and kind in ("introduce", "pair"):
            offer = {"type": kind, "id": self.new_id(), "device": guest.id.hex(), "payload": message["payload"]}
            if kind == "introduce":
                offer |= {"public_key": guest.public_key, "signature": message["signature"], "observed": []}
            self._asked[offer["id"]] = (guest, message["id"])
            self.offers.append(dict(offer))
            self._pass(offer, self.offer, self.box())
        elif guest.role == "box" and kind in ("answer", "refuse", "pair_answer"):
            (self.refusals if kind == "refuse" else self.answers).append(dict(message))
            asker, number = self._asked.pop(message["id"], (None, 0))
            if asker is not None:
                self._pass(message | {"id": number}, self.answer, asker)

    @staticmethod
    def _pass(message: Message, change: Callable[[Message], Message | None], to: Guest) -> None:
        changed = change(message)
        if changed is not None:
            to.say(changed.pop("type"), **changed)

    def close(self) -> None:
        self._listening.close()
        self.presence.close()
        for guest in list(self.guests):
            guest.close()
