"""The provider: sends its channels for ever, evenly paced, and keeps a record of when each datagram went.

Runs as a program of its own inside the `provider` namespace: `python3 -m hearthlab.provider SETTINGS`, the settings
being JSON of {"channels": [...], "films": [...], "records": [...]}. A record is a file of 64-bit monotonic nanoseconds,
one a datagram; the datagram's number, and so its octets, follow from the place in the file.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .channels import Channel
from .film import DATAGRAM, RATE, Film

INTERVAL_NS = DATAGRAM * 8 * 1_000_000_000 // RATE
_BLOCK = 256  # datagrams prepared at once: a third of a second, so that preparing never delays sending
_TTL = 16
_FLUSH_NS = 50_000_000


class Sender:
    """One channel on its way out."""

    def __init__(self, channel: Channel, film: Film, record: Path, start_ns: int) -> None:
        self.channel = channel
        self.due_ns = start_ns
        self._film = film
        self._socket = _sending_socket(channel)
        self._target = (channel.group, channel.port)
        self._payloads = self._all_payloads()
        self._record = open(record, "wb", buffering=0)
        self._times: list[int] = []
        self._number = 0
        self._complaints: set[int | None] = set()

    def _all_payloads(self) -> Iterator[memoryview]:
        first = 0
        while True:
            block = memoryview(self._film.datagrams(first, _BLOCK))
            for at in range(0, len(block), DATAGRAM):
                yield block[at : at + DATAGRAM]
            first += _BLOCK

    def send(self) -> None:
        payload: bytes | memoryview = next(self._payloads)
        if self.channel.rtp:
            payload = rtp_header(self._number) + payload
        now = time.monotonic_ns()
        try:
            self._socket.sendto(payload, self._target)
        except OSError as error:
            # The kernel's queue was full, or a route came and went. It counts as sent, so that it shows as lost.
            self._complain(error)
        self._times.append(now)
        self._number += 1
        self.due_ns += INTERVAL_NS

    def _complain(self, error: OSError) -> None:
        """Once for each kind: the log is read by people."""
        if error.errno not in self._complaints:
            self._complaints.add(error.errno)
            print(f"{self.channel.name}: datagram {self._number} could not be sent: {error}", file=sys.stderr, flush=True)

    def flush(self) -> None:
        if self._times:
            self._record.write(struct.pack(f"={len(self._times)}q", *self._times))
            self._times.clear()


def rtp_header(number: int) -> bytes:
    """RTP for MPEG-TS: version 2, payload type 33, 90 kHz."""
    stamp = number * DATAGRAM * 8 * 90_000 // RATE
    return struct.pack("!BBHII", 0x80, 33, number & 0xFFFF, stamp & 0xFFFFFFFF, 0x48454152)


def _sending_socket(channel: Channel) -> socket.socket:
    if channel.is_ipv6:
        out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
        out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _TTL)
    else:
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(channel.sender))
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _TTL)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    out.bind((channel.sender, 0))
    return out


def _wait_for_route(channel: Channel, timeout_s: float = 20) -> None:
    """A namespace that was just raised may have no route yet: the kernel settles links in its own time."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            with _sending_socket(channel) as trial:
                trial.connect((channel.group, channel.port))
            return
        except OSError:
            if time.monotonic() >= end:
                raise
        time.sleep(0.05)


def send_for_ever(senders: list[Sender]) -> None:
    flush_ns = time.monotonic_ns()
    while True:
        now = time.monotonic_ns()
        for sender in senders:
            while sender.due_ns <= now:
                sender.send()
        if now >= flush_ns:
            for sender in senders:
                sender.flush()
            flush_ns = now + _FLUSH_NS
        pause = min(sender.due_ns for sender in senders) - time.monotonic_ns()
        if pause > 0:
            time.sleep(pause / 1e9)


def main(settings_path: str) -> None:
    settings = json.loads(Path(settings_path).read_text(encoding="utf-8"))
    for channel in settings["channels"]:
        _wait_for_route(Channel(**channel))
    # Spread over one interval: channels of a real provider do not send in step either.
    start_ns = time.monotonic_ns() + 100_000_000
    apart_ns = INTERVAL_NS // len(settings["channels"])
    senders = [
        Sender(Channel(**channel), Film(Path(film)), Path(record), start_ns + at * apart_ns)
        for at, (channel, film, record) in enumerate(
            zip(settings["channels"], settings["films"], settings["records"])
        )
    ]
    print("sending", flush=True)
    send_for_ever(senders)


if __name__ == "__main__":
    main(sys.argv[1])
