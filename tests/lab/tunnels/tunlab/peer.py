"""A foreign peer: a TUN interface with a kernel of its own behind it, and an encapsulation of its own before it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, replace

from hearthlab.namespace import Namespace

from .forms import ECHO_REQUEST, FORWARD, Ayiya, Form, HardenedAyiya, Wrong

_TUNSETIFF = 0x400454CA
_IFF_TUN_WITHOUT_INFORMATION = 0x1001
_SO_RCVBUFFORCE = 33
_ALIVE_S = 1.0  # how often an end that has to tell where it is does so


@dataclass(frozen=True)
class Outer:
    """Where the two ends are: an address of this peer, and the box's with the port, which is 0 over IP."""

    local: str
    box: str
    port: int = 0
    protocol: int = 0  # of IP, when there is no port

    @property
    def family(self) -> int:
        return socket.AF_INET6 if ":" in self.local else socket.AF_INET


def tun(space: Namespace, name: str) -> int:
    """A descriptor of a new TUN interface, which is up, may carry multicast and has an IPv4 address."""
    with space.entered():
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN_WITHOUT_INFORMATION))
    space.ip(f"address add 172.31.0.1/32 dev {name}", f"link set {name} up multicast on mtu 1500")
    return descriptor


def outer_socket(space: Namespace, outer: Outer) -> socket.socket:
    """Bound to the peer's address. It hears whoever sends there; what is not the box' is left out in `payload`."""
    if outer.port:
        made = space.socket(outer.family, socket.SOCK_DGRAM)
    else:
        made = space.socket(outer.family, socket.SOCK_RAW, outer.protocol)
    made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
    made.bind((outer.local, outer.port))
    return made


class Peer:
    """Runs from construction until `close`. Whatever the box sends that a strict peer would drop is in `wrong`."""

    def __init__(self, space: Namespace, interface: str, form: Form, outer: Outer) -> None:
        self.space = space
        self.interface = interface
        self.form = form
        self.outer = outer
        self.wrong: list[str] = []
        self.answers_challenges = True
        self.challenges = 0
        self._tun = tun(space, interface)
        self._sockets = {outer.local: outer_socket(space, outer)}
        self._closing = False
        self._alive_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def _socket(self) -> socket.socket:
        return self._sockets[self.outer.local]

    def send(self, datagram: bytes) -> None:
        """Something of ours to the box, as it is."""
        self._socket.sendto(datagram, (self.outer.box, self.outer.port))

    def send_inner(self, packet: bytes) -> None:
        self.send(self.form.wrap(packet))

    def move(self, local: str) -> None:
        """From now on at another address of its machine, as after a change of network."""
        outer = replace(self.outer, local=local)
        if local not in self._sockets:
            self._sockets[local] = outer_socket(self.space, outer)
        self.outer = outer
        self._alive_at = time.monotonic()

    def _run(self) -> None:
        while not self._closing:
            if isinstance(self.form, Ayiya) and time.monotonic() >= self._alive_at:
                self._alive_at = time.monotonic() + _ALIVE_S
                self.send(self.form.alive())
            heard = self._socket
            ready, _, _ = select.select([self._tun, heard], [], [], 0.2)
            if self._tun in ready:
                self._out()
            if heard in ready:
                self._in(heard)

    def _out(self) -> None:
        packet = os.read(self._tun, 65536)
        if packet[0] >> 4 in self.form.families:
            with contextlib.suppress(OSError):  # as a route that came and went
                self.send_inner(packet)

    def _in(self, heard: socket.socket) -> None:
        datagram, address = heard.recvfrom(65536)
        if address[0] != self.outer.box:
            return
        if not self.outer.port and self.outer.family == socket.AF_INET:
            datagram = datagram[4 * (datagram[0] & 0x0F) :]  # a raw IPv4 socket hears the header too
        try:
            packet = self._opened(datagram)
        except (Wrong, struct.error, IndexError) as error:
            self.wrong.append(str(error))
            return
        if packet:
            os.write(self._tun, packet)

    def _opened(self, datagram: bytes) -> bytes:
        if isinstance(self.form, HardenedAyiya):
            opcode, payload = self.form.opened(datagram)
            if opcode == ECHO_REQUEST:
                self.challenges += 1
                if self.answers_challenges:
                    self.send(self.form.echo_response(payload))
            if opcode != FORWARD:
                return b""
        return self.form.unwrap(datagram)

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        for used in self._sockets.values():
            used.close()
        os.close(self._tun)
