"""Figures of one viewing: how late each datagram was, when the first octet and the first picture came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from . import transport_stream as ts
from .comparison import Comparison
from .film import PER_DATAGRAM


@dataclass(frozen=True)
class Delay:
    """Microseconds from the provider's send call to the player's read."""

    p50: float
    p99: float

    def as_dict(self) -> dict[str, float]:
        return {"p50": round(self.p50, 1), "p99": round(self.p99, 1)}


def arrival_ns(arrivals: list[tuple[int, int]], ends: numpy.ndarray) -> numpy.ndarray:
    """When the octets up to each of `ends` had arrived."""
    offsets = numpy.array([offset for offset, _ in arrivals], dtype=numpy.int64)
    moments = numpy.array([moment for _, moment in arrivals], dtype=numpy.int64)
    return moments[numpy.searchsorted(offsets, ends)]


def delay(
    comparison: Comparison, arrivals: list[tuple[int, int]], sent_ns: numpy.ndarray, skip_first_s: float = 1.0
) -> Delay:
    """For an undamaged stream. What a player gets first was buffered for it, so the first second does not count."""
    if not comparison.bytes_equal:
        raise ValueError("the delay of a damaged stream is not defined")
    numbers = comparison.first + numpy.arange(comparison.received)
    ends = (comparison.tables_before + 1 + numpy.arange(comparison.received)) * ts.PACKET
    whole = (numbers % PER_DATAGRAM == PER_DATAGRAM - 1) & (numbers // PER_DATAGRAM < len(sent_ns))
    came = arrival_ns(arrivals, ends[whole])
    late = (came - sent_ns[numbers[whole] // PER_DATAGRAM]) / 1000
    counted = late[came >= came[0] + skip_first_s * 1e9]
    return Delay(float(numpy.percentile(counted, 50)), float(numpy.percentile(counted, 99)))


def first_picture_end(data: bytes) -> int | None:
    """The number of octets after which the first random access picture is complete, or None before it is."""
    packets = ts.packets_of(data)
    programme = ts.programme_of(packets)
    if programme is None:
        return None
    video = next((pid for pid, kind in programme.streams.items() if kind in (0x1B, 0x24, 0x02)), None)
    own = ts.pids(packets) == video
    entry = own & ((packets[:, 3] & 0x20) != 0) & (packets[:, 4] > 0) & ((packets[:, 5] & 0x40) != 0)
    starts = numpy.flatnonzero(own & ((packets[:, 1] & 0x40) != 0))
    entries = numpy.flatnonzero(entry)
    if not entries.size:
        return None
    later = starts[starts > entries[0]]
    return int(later[0]) * ts.PACKET if later.size else None
