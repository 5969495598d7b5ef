"""Test traffic: streams that number and date each packet, and listeners that join as an application does."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass

from hearthlab.listener import sockaddr_storage
from hearthlab.namespace import Namespace
from hearthlab.waiting import until

PORT = 5000
_STAMP = struct.Struct("!QQ")
_MCAST_JOIN_GROUP, _MCAST_BLOCK_SOURCE, _MCAST_UNBLOCK_SOURCE = 42, 43, 44
_MCAST_LEAVE_GROUP, _MCAST_JOIN_SOURCE_GROUP, _MCAST_LEAVE_SOURCE_GROUP = 45, 46, 47
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29
_SO_BINDTODEVICE = 25


@dataclass(frozen=True)
class Datagram:
    """One packet of a stream as it was seen: times are monotonic nanoseconds."""

    number: int
    sent_ns: int
    seen_ns: int


def read_stamp(payload: bytes, seen_ns: int) -> Datagram | None:
    if len(payload) < _STAMP.size:
        return None
    number, sent_ns = _STAMP.unpack_from(payload)
    return Datagram(number, sent_ns, seen_ns)


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Stream:
    """Sends to a group from construction until `stop`, evenly, `rate` packets a second."""

    def __init__(
        self, space: Namespace, source: str, group: str, *,
        interface: str = "eth0", rate: int = 100, size: int = 200, hops: int = 16, port: int = PORT,
    ) -> None:
        self.source, self.group = source, group
        self._target = (group, port)
        self._interval_ns, self._padding = 1_000_000_000 // rate, bytes(size - _STAMP.size)
        family = family_of(group)
        index = space.index_of(interface)
        self._socket = space.socket(family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, interface.encode())
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@4s4si", b"", b"", index))
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hops)
        self._socket.bind((source, 0))
        self.sent = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        due = time.monotonic_ns()
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):  # the cable may be pulled
                self._socket.sendto(_STAMP.pack(self.sent, time.monotonic_ns()) + self._padding, self._target)
                self.sent += 1
            due += self._interval_ns
            self._stopping.wait(max(0, due - time.monotonic_ns()) / 1e9)

    def wait_for_more(self, packets: int = 30) -> None:
        """Returns when so many packets more have been sent: what was to be forwarded had its time."""
        goal = self.sent + packets
        until(lambda: self.sent >= goal, f"{packets} packets to {self.group}", pause=0.01)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()


class Listener:
    """An application that wants a group: all of it, that of some sources, or all but that of some sources."""

    def __init__(
        self, space: Namespace, group: str, *sources: str,
        exclude: tuple[str, ...] = (), interface: str = "eth0", port: int = PORT,
    ) -> None:
        self.group = group
        self._level = socket.IPPROTO_IPV6 if ":" in group else socket.IPPROTO_IP
        self._index = space.index_of(interface)
        self._socket = space.socket(family_of(group), socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        everything = _IPV6_MULTICAST_ALL if ":" in group else _IP_MULTICAST_ALL
        self._socket.setsockopt(self._level, everything, 0)
        # A group of link scope means something only on its link.
        self._socket.bind((group, port, 0, self._index) if ":" in group else (group, port))
        self.received: list[Datagram] = []
        self.joined_ns = time.monotonic_ns()
        if sources:
            self.allow(*sources)
        else:
            self._option(_MCAST_JOIN_GROUP)
            self.block(*exclude)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def allow(self, *sources: str) -> None:
        for source in sources:
            self._option(_MCAST_JOIN_SOURCE_GROUP, source)

    def drop(self, *sources: str) -> None:
        for source in sources:
            self._option(_MCAST_LEAVE_SOURCE_GROUP, source)

    def block(self, *sources: str) -> None:
        for source in sources:
            self._option(_MCAST_BLOCK_SOURCE, source)

    def unblock(self, *sources: str) -> None:
        for source in sources:
            self._option(_MCAST_UNBLOCK_SOURCE, source)

    def _option(self, option: int, source: str | None = None) -> None:
        value = struct.pack("@I4x", self._index) + sockaddr_storage(self.group)
        self._socket.setsockopt(self._level, option, value + (sockaddr_storage(source) if source else b""))

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while payload := self._socket.recv(65536):
                datagram = read_stamp(payload, time.monotonic_ns())
                if datagram is not None:
                    self.received.append(datagram)

    def wait_for(self, count: int = 1, timeout: float = 20) -> list[Datagram]:
        """Returns when so many more datagrams have come than when it was called; they are returned."""
        before = len(self.received)
        until(lambda: len(self.received) >= before + count, f"{count} datagrams of {self.group}", timeout, pause=0.005)
        return self.received[before:]

    def wait_for_first(self, timeout: float = 20) -> Datagram:
        return until(lambda: self.received[:1], f"the first datagram of {self.group}", timeout, pause=0.002)[0]

    def leave(self) -> int:
        """Leaves by closing the socket, as an application that ends does. Returns when that was."""
        now = time.monotonic_ns()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)
        self._thread.join(1)
        self._socket.close()
        return now


def missing(datagrams: list[Datagram]) -> int:
    """How many numbers are absent between the first and the last."""
    numbers = {datagram.number for datagram in datagrams}
    return max(numbers) - min(numbers) + 1 - len(numbers) if numbers else 0


def doubled(datagrams: list[Datagram]) -> int:
    return len(datagrams) - len({datagram.number for datagram in datagrams})

