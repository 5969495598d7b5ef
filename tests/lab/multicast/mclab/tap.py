"""A tap on an interface: every frame in and out with its time, for waiting, counting, and tshark's verdict on fields."""

from __future__ import annotations

import socket
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hearthlab.frame_tap import Frame, FrameTap
from hearthlab.waiting import until

from .messages import Kind, Message, read_message
from .traffic import PORT, Datagram, read_stamp


class Seen(NamedTuple):
    seen_ns: int
    outgoing: bool
    message: Message


@dataclass(frozen=True)
class Packet:
    """A packet of test traffic on the wire."""

    datagram: Datagram
    source: str
    group: str
    hops: int
    outgoing: bool


class Tap(FrameTap):
    """Of traffic and membership messages of the tests."""

    def messages(self, wanted: Callable[[Message], bool] = lambda _: True, *, outgoing: bool | None = None, since: int = 0) -> list[Seen]:
        """Membership messages that `wanted` agrees to; of one direction when `outgoing` says which."""
        found = []
        for frame in list(self.frames):
            if frame.seen_ns < since or (outgoing is not None and frame.outgoing != outgoing):
                continue
            message = read_message(frame.octets)
            if message is not None and wanted(message):
                found.append(Seen(frame.seen_ns, frame.outgoing, message))
        return found

    def queries(self, family: int, *, outgoing: bool | None = None, since: int = 0) -> list[Seen]:
        return self.messages(lambda m: m.kind is Kind.QUERY and m.family == family, outgoing=outgoing, since=since)

    def reports(self, group: str, *, outgoing: bool | None = None, since: int = 0) -> list[Seen]:
        return self.messages(lambda m: m.is_report and m.speaks_of(group), outgoing=outgoing, since=since)

    def wait_for(self, wanted: Callable[[Message], bool], what: str, timeout: float = 20, **options: object) -> Seen:
        """The first such message, also one that was seen before the call unless `since` says otherwise."""
        return until(lambda: self.messages(wanted, **options)[:1], what, timeout, pause=0.02)[0]  # type: ignore[arg-type]

    def packets(self, group: str, source: str | None = None, *, outgoing: bool | None = None, since: int = 0) -> list[Packet]:
        """Packets of test traffic to a group."""
        family = socket.AF_INET6 if ":" in group else socket.AF_INET
        wanted = socket.inet_pton(family, group)
        found = []
        for frame in list(self.frames):
            if frame.seen_ns < since or (outgoing is not None and frame.outgoing != outgoing):
                continue
            packet = _packet(frame, wanted, group)
            if packet is not None and source in (None, packet.source):
                found.append(packet)
        return found

    def wait_for_packet(self, group: str, source: str | None = None, timeout: float = 20, **options: object) -> Packet:
        return until(lambda: self.packets(group, source, **options)[:1], f"a packet to {group}", timeout, pause=0.02)[0]  # type: ignore[arg-type]

    def quiet(self, group: str, source: str | None = None, *, for_s: float = 0.5, timeout: float = 20, outgoing: bool | None = None) -> int:
        """Returns when no packet to the group was seen for so long: when the last one was sent, 0 when there was none."""

        def seen() -> list[Packet]:
            return self.packets(group, source, outgoing=outgoing)

        begun = time.monotonic_ns()
        until(
            lambda: time.monotonic_ns() - max([begun, *(packet.datagram.seen_ns for packet in seen())]) > for_s * 1e9,
            f"silence of {group}", timeout, pause=0.05,
        )
        return max((packet.datagram.sent_ns for packet in seen()), default=0)

    def fields(self, display_filter: str, *names: str) -> list[dict[str, str]]:
        """tshark's reading of all frames so far: the named fields of each that the filter passes; several values by commas."""
        command = ["tshark", "-n", "-r", "-", "-o", "ip.check_checksum:TRUE", "-Y", display_filter, "-T", "fields", "-E", "separator=/t"]
        for name in names:
            command += ["-e", name]
        done = subprocess.run(command, input=self.pcap(), capture_output=True, check=True, timeout=60)
        return [dict(zip(names, line.split("\t"))) for line in done.stdout.decode().splitlines()]


def _packet(frame: Frame, wanted: bytes, group: str) -> Packet | None:
    octets = frame.octets
    if len(wanted) == 4:
        if octets[12:14] != b"\x08\x00" or octets[30:34] != wanted or octets[23] != 17:
            return None
        source, hops, udp = socket.inet_ntoa(octets[26:30]), octets[22], 14 + (octets[14] & 0x0F) * 4
    else:
        if octets[12:14] != b"\x86\xdd" or octets[38:54] != wanted or octets[20] != 17:
            return None
        source, hops, udp = socket.inet_ntop(socket.AF_INET6, octets[22:38]), octets[21], 54
    if struct.unpack_from("!H", octets, udp + 2)[0] != PORT:
        return None
    datagram = read_stamp(octets[udp + 8 :], frame.seen_ns)
    return None if datagram is None else Packet(datagram, source, group, hops, frame.outgoing)
