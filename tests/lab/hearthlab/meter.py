"""A player for long runs: it keeps nothing of the stream but how much came, and how long nothing did."""

from __future__ import annotations

import socket
import threading
import time

from .channels import Channel
from .world import Away

SILENCE_S = 0.5  # what a viewer takes for an interruption


class Meter:
    """Plays from construction until `close`; the request is not repeated, whatever happens."""

    def __init__(self, away: Away, channel: Channel) -> None:
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.ended = threading.Event()
        self._octets = 0
        self._last = time.monotonic()
        self._interruptions: list[tuple[float, float]] = []  # (from, until), monotonic seconds
        path = away.path_of(channel)
        self._socket = away.space.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.settimeout(10)
        self._socket.connect(("127.0.0.1", away.port))
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{away.port}\r\n\r\n".encode())
        self._socket.settimeout(0.25)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        room = bytearray(1 << 18)
        while not self._closing.is_set():
            try:
                got = self._socket.recv_into(room)
            except TimeoutError:
                continue
            except OSError:
                break
            if got == 0:
                break
            now = time.monotonic()
            with self._lock:
                if self._octets and now - self._last >= SILENCE_S:
                    self._interruptions.append((self._last, now))
                self._octets += got
                self._last = now
        self.ended.set()

    def octets(self) -> int:
        with self._lock:
            return self._octets

    def silent_for(self) -> float:
        with self._lock:
            return time.monotonic() - self._last

    def interruptions(self, since: float) -> list[tuple[float, float]]:
        """Those that ended after a moment, and the one that still lasts."""
        with self._lock:
            now = time.monotonic()
            lasting = [(self._last, now)] if now - self._last >= SILENCE_S else []
            return [one for one in self._interruptions + lasting if one[1] > since]

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._socket.close()
