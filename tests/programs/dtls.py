"""As much of DTLS 1.2 (RFC 6347) as shows that a datagram was heard: the first flights of a handshake."""

from __future__ import annotations

import os

_HANDSHAKE = 22
_CLIENT_HELLO, _HELLO_VERIFY_REQUEST = 1, 3


def _record(kind: int, body: bytes) -> bytes:
    """One handshake message, unfragmented, in a record of epoch 0."""
    length = len(body).to_bytes(3, "big")
    handshake = bytes([kind]) + length + bytes(2) + bytes(3) + length + body
    return bytes([_HANDSHAKE]) + b"\xfe\xfd" + bytes(8) + len(handshake).to_bytes(2, "big") + handshake


def client_hello() -> bytes:
    """The least that is one."""
    return _record(_CLIENT_HELLO, b"\xfe\xfd" + os.urandom(32) + b"\0" + b"\0" + b"\0\2\xc0\x2b" + b"\1\0")


def _extension(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def dear_client_hello() -> bytes:
    """One that a server that takes it up answers with a certificate and a signature: P-256 and ECDSA with SHA-256."""
    extensions = (_extension(10, b"\0\2\0\x17") + _extension(11, b"\1\0") + _extension(13, b"\0\2\4\3")
                  + _extension(23, b""))
    return _record(_CLIENT_HELLO, b"\xfe\xfd" + os.urandom(32) + b"\0" + b"\0" + b"\0\2\xc0\x2b" + b"\1\0"
                   + len(extensions).to_bytes(2, "big") + extensions)


def hello_verify_request(cookie: bytes) -> bytes:
    """Asks for the ClientHello once more, with this cookie in it."""
    return _record(_HELLO_VERIFY_REQUEST, b"\xfe\xff" + bytes([len(cookie)]) + cookie)


def is_client_hello(datagram: bytes) -> bool:
    return len(datagram) > 13 and datagram[0] == _HANDSHAKE and datagram[13] == _CLIENT_HELLO


def is_answer(datagram: bytes) -> bool:
    """An alert or a handshake message: somebody speaks DTLS there."""
    return len(datagram) > 13 and datagram[0] in (21, _HANDSHAKE)
