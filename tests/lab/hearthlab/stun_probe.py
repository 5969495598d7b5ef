"""Finding out what a NAT does, as RFC 5780 describes: the mapping by asking several addresses, the filtering by asking
for answers from others. It proves that the lab's routers are what their profile says."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading

from .namespace import Namespace

_COOKIE = 0x2112A442
_REQUEST, _RESPONSE = 0x0001, 0x0101
_CHANGE_REQUEST, _XOR_MAPPED_ADDRESS = 0x0003, 0x0020
_CHANGE_ADDRESS, _CHANGE_PORT = 4, 2
PORTS = (3478, 3479)


class Server:
    """Answers Binding requests on two addresses by two ports, and from another of them when asked to."""

    def __init__(self, space: Namespace, addresses: tuple[str, str]) -> None:
        self._sockets = {}
        for address in addresses:
            for port in PORTS:
                self._sockets[address, port] = space.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self._sockets[address, port].bind((address, port))
        self._addresses = addresses
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        places = {sock: place for place, sock in self._sockets.items()}
        while not self._closing:
            for sock in select.select(list(places), [], [], 0.1)[0]:
                request, peer = sock.recvfrom(2048)
                self._answer(request, peer, places[sock])

    def _answer(self, request: bytes, peer: tuple[str, int], place: tuple[str, int]) -> None:
        change = struct.unpack("!I", request[24:28])[0] if len(request) >= 28 else 0
        address, port = place
        if change & _CHANGE_ADDRESS:
            address = self._addresses[1 - self._addresses.index(address)]
        if change & _CHANGE_PORT:
            port = PORTS[1 - PORTS.index(port)]
        mapped = struct.unpack("!I", socket.inet_aton(peer[0]))[0] ^ _COOKIE
        body = struct.pack("!HHBBHI", _XOR_MAPPED_ADDRESS, 8, 0, 1, peer[1] ^ (_COOKIE >> 16), mapped)
        reply = struct.pack("!HHI", _RESPONSE, len(body), _COOKIE) + request[8:20] + body
        self._sockets[address, port].sendto(reply, peer)

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        for sock in self._sockets.values():
            sock.close()


def mapped(sock: socket.socket, server: tuple[str, int], change: int = 0, timeout: float = 1.0) -> tuple[str, int] | None:
    """Where the server sees the socket; None when no answer came. `change`: the answer is to come from elsewhere."""
    transaction = struct.pack("!III", change, server[1], id(sock) & 0xFFFFFFFF)
    body = struct.pack("!HHI", _CHANGE_REQUEST, 4, change)
    sock.settimeout(timeout)
    for _ in range(2 if change == 0 else 1):
        sock.sendto(struct.pack("!HHI", _REQUEST, len(body), _COOKIE) + transaction + body, server)
        with contextlib.suppress(TimeoutError):
            while True:
                reply = sock.recv(2048)
                if reply[8:20] == transaction:
                    port, address = struct.unpack("!HI", reply[26:32])
                    return socket.inet_ntoa(struct.pack("!I", address ^ _COOKIE)), port ^ (_COOKIE >> 16)
    return None


def behaviour(space: Namespace, servers: tuple[str, str]) -> tuple[str, str]:
    """(mapping, filtering) of the NAT in front of a namespace, by their RFC 4787 abbreviations."""
    with contextlib.closing(space.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("0.0.0.0", 0))
        if mapped(sock, (servers[0], PORTS[0])) is None:
            raise RuntimeError("no answer at all: UDP does not pass this NAT")
        # Filtering first: once the other addresses were asked, their answers pass anyway.
        if mapped(sock, (servers[0], PORTS[0]), _CHANGE_ADDRESS | _CHANGE_PORT) is not None:
            filtering = "EIF"
        elif mapped(sock, (servers[0], PORTS[0]), _CHANGE_PORT) is not None:
            filtering = "ADF"
        else:
            filtering = "APDF"
        places = [[mapped(sock, (address, port)) for port in PORTS] for address in servers]
    if len({place for row in places for place in row}) == 1:
        return "EIM", filtering
    return ("ADM" if all(len(set(row)) == 1 for row in places) else "APDM"), filtering
