"""What passes one interface, by tcpdump, and how long a proxy kept each packet: its entry against its exit.

The thesis did the same with Wireshark. The kernel stamps both, so the capture's own speed does not matter.
"""

from __future__ import annotations

import signal
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hearthlab.namespace import Namespace

_FEW = 10_000  # octets: more than the packets of an idle tunnel in a second
SNAP = 192  # octets kept of each packet: all headers, and the beginning of a test packet
PROBE = b"HCMP"
PROBE_SIZE = 28


@dataclass(frozen=True)
class Frame:
    time_ns: int
    length: int  # on the wire
    octets: bytes


def frames(data: bytes) -> Iterator[Frame]:
    """The packets of a capture file with nanoseconds, in either byte order; one cut short at the end is left out."""
    for order in "<>":
        magic, = struct.unpack_from(order + "I", data)
        if magic in (0xA1B23C4D, 0xA1B2C3D4):
            break
    else:
        raise ValueError("not a capture file")
    unit = 1 if magic == 0xA1B23C4D else 1000
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, kept, length = struct.unpack_from(order + "IIII", data, at)
        if at + 16 + kept > len(data):
            return
        yield Frame(seconds * 1_000_000_000 + fraction * unit, length, data[at + 16 : at + 16 + kept])
        at += 16 + kept


def sequence(frame: Frame, size: int) -> int | None:
    """The number of the test packet of `size` octets at the end of a frame, behind whatever headers; None: another packet."""
    begin = frame.length - size
    probe = frame.octets[begin : begin + PROBE_SIZE] if begin >= 0 else b""
    if len(probe) < PROBE_SIZE or not probe.startswith(PROBE):
        return None
    return int(struct.unpack_from("!Q", probe, 12)[0])


def outgoing(frame: Frame, source: bytes) -> bool:
    """Whether an Ethernet frame with IPv4 inside comes from that address."""
    return frame.octets[12:14] == b"\x08\x00" and frame.octets[26:30] == source


def delays_us(captured: list[Frame], size: int, own_address: bytes) -> tuple[list[float], int]:
    """How long each test packet was kept, and how many never came out.

    Clear tunnels show the packet's number on both sides. A sealed one does not; there the n-th datagram of the commonest
    size that can hold one is the n-th that came in, which holds as long as as many come out as went in.
    """
    entered: dict[int, int] = {}
    left: dict[int, int] = {}
    sealed: list[Frame] = []
    order: list[int] = []
    for frame in captured:
        number = sequence(frame, size)
        if not outgoing(frame, own_address):
            if number is not None and number not in entered:
                entered[number] = frame.time_ns
                order.append(number)
        elif number is not None:
            left.setdefault(number, frame.time_ns)
        elif frame.length > size:
            sealed.append(frame)
    if sealed and not left:
        usual, _ = Counter(frame.length for frame in sealed).most_common(1)[0]
        times = [frame.time_ns for frame in sealed if frame.length == usual]
        if len(times) != len(order):
            return [], abs(len(order) - len(times))
        left = dict(zip(order, times))
    both = [number for number in order if number in left]
    return [(left[number] - entered[number]) / 1000 for number in both], len(order) - len(both)


class Capture:
    """Runs from construction until `stop`, which returns the packets. It writes when nobody else wants the processor."""

    def __init__(self, space: Namespace, port: str, expression: str, file: Path) -> None:
        self._file = file
        file.unlink(missing_ok=True)
        self._process = space.popen(
            ["nice", "-n", "19", "tcpdump", "-i", port, "-w", str(file), "-s", str(SNAP), "-B", "131072", "-n", "-Z", "root",
             "--time-stamp-precision=nano", expression],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        if b"listening on" not in said:
            raise RuntimeError(f"tcpdump: {said.decode()}")

    def stop(self) -> list[Frame]:
        size, before = 0, -_FEW
        while size - before >= _FEW:  # the kernel hands over what it has once a second
            before = size
            time.sleep(1.2)
            self._process.send_signal(signal.SIGUSR2)  # writes what waits
            time.sleep(0.1)
            size = self._file.stat().st_size
        self._process.terminate()
        _, said = self._process.communicate(timeout=20)
        if b"\n0 packets dropped by kernel" not in said:
            raise RuntimeError(f"tcpdump: {said.decode()}")
        return list(frames(self._file.read_bytes()))
