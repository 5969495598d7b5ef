"""A player that keeps every octet: an HTTP GET in a namespace, with the time of each arrival.

It understands what RFC 9112 lets a server send as a body: a length, chunks, or everything until the connection closes.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .namespace import Namespace
from .waiting import until

_HEAD_LIMIT = 65536


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> dict[str, object]:
        return dict(json.loads(self.body))


class ConnectionLost(ConnectionError):
    """The server closed before the head of its answer was complete."""


class Player:
    """Plays from construction until `close`. Safe to ask while it plays."""

    def __init__(
        self, space: Namespace, address: str, port: int, path: str, *, stalled: bool = False, host: str = ""
    ) -> None:
        """`stalled`: reads the head of the answer and then nothing more, like a paused or hung player. `host`: what the
        request says instead of the address."""
        self.requested_ns = time.monotonic_ns()
        self._space = space
        self._socket = space.socket(socket.AF_INET, socket.SOCK_STREAM)
        if stalled:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._socket.settimeout(10)
        self._socket.connect((address, port))
        host = host or f"{address}:{port}"
        head = (f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: lab", "Accept: */*", "", "")
        self._socket.sendall("\r\n".join(head).encode())
        self._lock = threading.Lock()
        self._body = bytearray()
        self._arrivals: list[tuple[int, int]] = []  # (octets of the body so far, monotonic ns)
        self._head = threading.Event()
        self._stalled = stalled
        self._closing = False
        self.ended = threading.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        try:
            rest = self._read_head()
            self._head.set()
            if not self._stalled:
                self._read_body(rest)
        except OSError:
            pass
        finally:
            if not self._stalled or not self._head.is_set():
                self.ended.set()
            self._head.set()

    def _read_head(self) -> bytes:
        data = b""
        self._socket.settimeout(60)
        while b"\r\n\r\n" not in data:
            more = self._socket.recv(4096)
            if not more or len(data) > _HEAD_LIMIT:
                raise ConnectionLost(f"the answer ended in its head: {data!r}")
            data += more
        head, rest = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        self.headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        self.status = int(first.split()[1])
        return rest

    def _read_body(self, rest: bytes) -> None:
        chunks = _Chunks() if "chunked" in self.headers.get("transfer-encoding", "") else None
        length = int(self.headers["content-length"]) if "content-length" in self.headers else None
        self._socket.settimeout(0.25)
        data = rest
        while True:
            if data:
                plain = chunks.take(data) if chunks else data
                with self._lock:
                    self._body += plain
                    self._arrivals.append((len(self._body), time.monotonic_ns()))
            if self._closing or (chunks and chunks.done) or (length is not None and len(self._body) >= length):
                return
            data = b""
            with contextlib.suppress(TimeoutError):
                data = self._socket.recv(1 << 18)
                if not data:
                    return

    def wait_for_head(self, timeout: float = 60) -> int:
        """The status of the answer."""
        if not self._head.wait(timeout):
            raise TimeoutError(f"no answer within {timeout} s")
        if self.status == 0:
            raise ConnectionLost("the connection ended without an answer")
        return self.status

    def wait_for_octets(self, count: int, timeout: float = 60) -> None:
        """Until the body has `count` octets; an end of the stream before that is an error."""
        deadline = time.monotonic() + timeout
        while self.octets() < count:
            if self.ended.is_set() and self.octets() < count:
                raise ConnectionLost(f"ended with status {self.status} after {self.octets()} octets: {self.tail()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.octets()} of {count} octets within {timeout} s")
            time.sleep(0.02)

    def wait_for_more(self, count: int, timeout: float = 60) -> None:
        self.wait_for_octets(self.octets() + count, timeout)

    def octets(self) -> int:
        with self._lock:
            return len(self._body)

    def data(self) -> bytes:
        with self._lock:
            return bytes(self._body)

    def tail(self) -> str:
        return self.data()[-300:].decode("utf-8", errors="replace")

    def arrivals(self) -> list[tuple[int, int]]:
        """(octets of the body so far, monotonic ns), one for each read."""
        with self._lock:
            return list(self._arrivals)

    def last_arrival_ns(self) -> int:
        with self._lock:
            return self._arrivals[-1][1] if self._arrivals else 0

    def first_arrival_after(self, moment_ns: int, timeout: float = 30) -> int:
        """The monotonic ns of the first octets that came after a moment."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for _, when in self.arrivals():
                if when > moment_ns:
                    return when
            if self.ended.is_set():
                raise ConnectionLost(f"the stream ended: {self.tail()}")
            time.sleep(0.02)
        raise TimeoutError(f"nothing arrived within {timeout} s")

    def closed_by_peer(self, timeout: float) -> bool:
        """Of a stalled player: whether the server gave the connection up. Reads nothing, so a closing server's last
        segments cannot arrive either; but its side of the connection is no longer established."""
        port = self._socket.getsockname()[1]
        query = ["ss", "-Htn", "state", "established", f"( dport = :{port} )"]
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self._space.run(*query).strip():
                return True
            time.sleep(0.2)
        return False

    def leave(self) -> int:
        """Ends the connection for the server to see, at the time since 1970 in ns that is returned. close() comes after."""
        self._closing = True
        moment = time.time_ns()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        return moment

    def close(self) -> None:
        self._closing = True
        if self._stalled:
            self._socket.close()
        self._thread.join()
        self._socket.close()


class _Chunks:
    """Takes the chunk framing off a body, whatever way it is cut."""

    def __init__(self) -> None:
        self._left = 0
        self._pending = b""
        self.done = False

    def take(self, data: bytes) -> bytes:
        data, out = self._pending + data, bytearray()
        self._pending = b""
        while data and not self.done:
            if self._left > 0:
                part = data[: self._left]
                out += part
                self._left -= len(part)
                data = data[len(part) :]
                continue
            line_end = data.find(b"\r\n", 2 if data.startswith(b"\r\n") else 0)
            if line_end < 0:
                self._pending = data
                break
            size = int(data[:line_end].strip().split(b";")[0], 16)
            data = data[line_end + 2 :]
            self._left, self.done = size, size == 0
        return bytes(out)


def get(space: Namespace, address: str, port: int, path: str, timeout: float = 30) -> Answer:
    """One GET, read to its end."""
    player = Player(space, address, port, path)
    try:
        player.wait_for_head(timeout)
        if not player.ended.wait(timeout):
            raise TimeoutError(f"{path}: the answer did not end within {timeout} s")
        return Answer(player.status, player.headers, player.data())
    finally:
        player.close()


def playing(play: Callable[[], Player], who: str, octets: int, timeout: float) -> Player:
    """A player of those that `play` starts, one after another, that has received something."""

    def attempt() -> Player | None:
        player = play()
        try:
            player.wait_for_octets(octets, timeout)
        except BaseException:
            player.close()
            raise
        return player

    return until(attempt, who, timeout)
