"""What nobody should send: octets for ports, bodies for the box's interface."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import ssl
from pathlib import Path

from command import Running

# Each is sent as it stands to a port that speaks HTTP, with or without TLS.
REQUESTS = {
    "nothing": b"",
    "one octet": b"\0",
    "random": random.Random(1).randbytes(3000),
    "a TLS greeting that is cut": bytes.fromhex("16030100ff010000fb0303"),
    "a TLS alert": bytes.fromhex("15030300020228"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a version of the future": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a cut head": b"GET / HTTP/1.1\r\nHost: local",
    "a head without end": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "a header's name with a blank": b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a negative length": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "an enormous length": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "a length and chunks": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /status HTTP/1.1\r\n\r\n",
    "a chunk of no size": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an enormous chunk": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    "a path that climbs": b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path that climbs in disguise": b"GET /%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path with a null": b"GET /playlist.m3u%00.html HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "half an escape": b"GET /%a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a proxy's request": b"GET http://example.net/ HTTP/1.1\r\nHost: example.net\r\n\r\n",
    "a tunnel": b"CONNECT example.net:443 HTTP/1.1\r\nHost: example.net:443\r\n\r\n",
    "a trace": b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a WebSocket without a key": b"GET /v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 b"Sec-WebSocket-Version: 13\r\n\r\n",
    "a hundred requests at once": b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100,
}

# Bodies for operations that take JSON, whatever they take.
BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"name":"\xff"}',
    "a list": b"[]",
    "null": b"null",
    "a number": b"1e400",
    "deep": b"[" * 50_000 + b"]" * 50_000,
    "nulls": b'{"name":null,"password":null,"state":null,"grants":null,"lines":null,"code":null,"text":null}',
    "numbers": b'{"name":1,"password":1,"state":1,"grants":1,"lines":1,"code":1,"text":1,"playlist":1}',
    "lists": b'{"name":[],"password":[],"state":[],"grants":[],"code":[],"text":[],"playlist":[]}',
    "objects": b'{"name":{},"password":{},"state":{},"grants":{},"lines":{},"code":{},"text":{},"playlist":{}}',
    "negative": b'{"grants":{"all":false,"channels":[-1,99999999999999999999,1.5,"1",null]}}',
    "twice": b'{"name":"a","name":"b"}',
    "strange": b'{"constructor":{"prototype":{}},"__proto__":1}',
    "a long name": b'{"name":"' + b"n" * 100_000 + b'"}',
    "control characters": b'{"name":"\\u0000\\u0007\\u202e"}',
    "half a surrogate": b'{"name":"\\ud800"}',
    "binary": random.Random(2).randbytes(2000),
}

IDS = ("1", "0", "-1", "99999999999999999999", "1.5", "x", "%2e%2e", "1%00")


def connect(port: int, *, tls: bool) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    if not tls:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


def say_no_more(connection: socket.socket) -> None:
    """Ends this side of the connection and still listens; below TLS, whose own end would take both."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_WR)


def drain(connection: socket.socket, limit: int = 1 << 22) -> bytes:
    """What comes until the other side ends it."""
    got = b""
    try:
        while len(got) < limit and (part := connection.recv(65536)):
            got += part
    except (ConnectionError, ssl.SSLError):
        pass
    return got


def descriptors(running: Running) -> int:
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


def memory(running: Running) -> int:
    """Resident octets."""
    return int(Path(f"/proc/{running.process.pid}/statm").read_text().split()[1]) * 4096


def processor_time(running: Running) -> float:
    """Seconds."""
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
