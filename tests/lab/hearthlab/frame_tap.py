"""Every frame that passes an interface of the lab, in and out."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import NamedTuple

from .namespace import Namespace

_ETH_P_ALL = 3
_PACKET_OUTGOING = 4
_SO_RCVBUFFORCE = 33


class Frame(NamedTuple):
    seen_ns: int
    outgoing: bool  # sent by the namespace in which the tap is
    octets: bytes


class FrameTap:
    """Sees an interface from construction until `close`, frames that a host would not take for itself too."""

    def __init__(self, space: Namespace, interface: str) -> None:
        self.frames: list[Frame] = []
        self._socket = space.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        with space.entered():
            self._socket.bind((interface, _ETH_P_ALL))
        self._socket.settimeout(0.2)
        self._closing = False
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while not self._closing:
            with contextlib.suppress(TimeoutError, OSError):  # an interface that is down is an error, and comes back
                self._take()

    def _take(self) -> None:
        octets, address = self._socket.recvfrom(65536)
        self.frames.append(Frame(time.monotonic_ns(), address[2] == _PACKET_OUTGOING, octets))

    def close(self) -> None:
        """All that has passed until now is among the frames, on a busy machine, too."""
        self._closing = True
        self._thread.join()
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):  # nothing is left
            while True:
                self._take()
        self._socket.close()

    def pcap(self) -> bytes:
        parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)]  # nanoseconds, Ethernet
        for frame in list(self.frames):
            seconds, rest = divmod(frame.seen_ns, 1_000_000_000)
            parts.append(struct.pack("<IIII", seconds, rest, len(frame.octets), len(frame.octets)) + frame.octets)
        return b"".join(parts)
