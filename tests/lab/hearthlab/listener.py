"""A listener on the home LAN: joins a group as any set-top box would, and notes what arrived and when."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

from .channels import Channel
from .namespace import Namespace

_MCAST_JOIN_GROUP = 42
_MCAST_JOIN_SOURCE_GROUP = 46
_SO_RCVBUFFORCE = 33


class Listener:
    """Receives a channel from construction until `close`. Only a channel's own datagrams reach it."""

    def __init__(self, space: Namespace, channel: Channel, interface: str = "eth0") -> None:
        self.channel = channel
        family = socket.AF_INET6 if channel.is_ipv6 else socket.AF_INET
        self._socket = space.socket(family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        self._socket.bind((channel.group, channel.port))
        self._join(space.index_of(interface))
        self.arrived: list[tuple[int, bytes]] = []  # (monotonic ns, payload)
        self._socket.settimeout(0.2)
        self._closing = False
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _join(self, index: int) -> None:
        level = socket.IPPROTO_IPV6 if self.channel.is_ipv6 else socket.IPPROTO_IP
        group = sockaddr_storage(self.channel.group)
        if self.channel.source is None:
            self._socket.setsockopt(level, _MCAST_JOIN_GROUP, struct.pack("@I4x", index) + group)
        else:
            source = sockaddr_storage(self.channel.source)
            self._socket.setsockopt(level, _MCAST_JOIN_SOURCE_GROUP, struct.pack("@I4x", index) + group + source)

    def _receive(self) -> None:
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                payload = self._socket.recv(65536)
                self.arrived.append((time.monotonic_ns(), payload))

    def wait_for(self, count: int, timeout: float = 20) -> None:
        deadline = time.monotonic() + timeout
        while len(self.arrived) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.channel.name}: {len(self.arrived)} of {count} datagrams in {timeout} s")
            time.sleep(0.02)

    def data(self) -> bytes:
        """The transport stream so far."""
        skip = 12 if self.channel.rtp else 0
        return b"".join(payload[skip:] for _, payload in list(self.arrived))

    def close(self) -> None:
        """Leaves the group."""
        self._closing = True
        self._thread.join()
        self._socket.close()


def sockaddr_storage(address: str) -> bytes:
    if ":" in address:
        packed = struct.pack("@HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, address), 0)
    else:
        packed = struct.pack("@HH4s", socket.AF_INET, 0, socket.inet_aton(address))
    return packed.ljust(128, b"\0")
