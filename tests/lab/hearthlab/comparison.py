"""Comparing what a player received with what the provider sent, octet by octet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from . import transport_stream as ts
from .film import PER_DATAGRAM, Film


@dataclass(frozen=True)
class Comparison:
    """What became of a stretch of the film. `bytes_equal`: everything from the first to the last packet arrived, in
    order, once, unchanged. Packets are transport stream packets of 188 octets."""

    first: int  # absolute number of the first packet received
    received: int
    lost: int
    strange: int  # packets that the provider did not send there: changed, doubled, or out of order
    tables_before: int  # PAT and PMT repeated in front, for a player that starts in mid-stream
    continuity_errors: int

    @property
    def bytes_equal(self) -> bool:
        return self.received > 0 and self.lost == 0 and self.strange == 0

    @property
    def last(self) -> int:
        return self.first + self.received + self.lost - 1

    @property
    def datagrams(self) -> int:
        return (self.received + PER_DATAGRAM - 1) // PER_DATAGRAM


class NothingInCommon(ValueError):
    """The received stream holds no clock reference that the film has."""


def compare(film: Film, data: bytes | bytearray | memoryview) -> Comparison:
    """Compares a received stream with the film. The film's absolute clock references say where the stream belongs."""
    packets = ts.packets_of(data)
    clocked = numpy.flatnonzero(ts.has_pcr(packets))
    numbers = [film.number_of(int(value)) for value in ts.pcr_values(packets[clocked])]
    anchors = [(int(at), number) for at, number in zip(clocked, numbers) if number is not None]
    if not anchors:
        raise NothingInCommon(f"{len(packets)} packets, {len(clocked)} with a clock, none of them of this film")
    head, received, strange_before = _head(film, packets, anchors[0])
    at, number = anchors[0]
    first = number - received
    lost = strange = 0
    for next_at, next_number in [*anchors[1:], (len(packets), None)]:
        count = next_at - at
        if next_number is None:
            next_number = _end_of(film, packets[at:], number)
        same, missing, wrong = _between(film, packets[at:next_at], number, next_number)
        received, lost, strange = received + same, lost + missing, strange + wrong
        at, number = at + count, next_number
    return Comparison(first, received, lost, strange + strange_before, head, ts.continuity_errors(packets[head:]))


def _head(film: Film, packets: numpy.ndarray, anchor: tuple[int, int]) -> tuple[int, int, int]:
    """The packets before the first clock: (repeated tables in front, packets of the film, strange ones)."""
    at, number = anchor
    count = min(at, number)
    equal = (packets[at - count : at] == film.block(number - count, count)).all(axis=1)
    same = count if equal.all() else int(numpy.argmin(equal[::-1]))
    rest = packets[: at - same]
    tables = _table_pids(packets)
    if len(rest) <= 4 and all(int(pid) in tables for pid in ts.pids(rest)):
        return len(rest), same, 0
    return 0, same, len(rest)


def _table_pids(packets: numpy.ndarray) -> set[int]:
    programme = ts.programme_of(packets)
    return {0, 0x11} | ({programme.pmt_pid} if programme else set())


def _end_of(film: Film, tail: numpy.ndarray, number: int) -> int:
    """Where the film would be after the last received packet: found by looking for that packet a little further on."""
    near = film.block(number, len(tail) + 4096)
    hits = numpy.flatnonzero((near == tail[-1]).all(axis=1))
    best = [int(hit) for hit in hits if hit >= len(tail) - 1]
    return number + (best[0] + 1 if best else len(tail))


def _between(film: Film, got: numpy.ndarray, start: int, end: int) -> tuple[int, int, int]:
    """From one clock to the next: (packets as sent, packets missing, packets that do not belong)."""
    if end <= start:
        return 0, 0, len(got)  # the clock went back: doubled or out of order
    sent = film.block(start, end - start)
    if sent.shape == got.shape and bool((sent == got).all()):
        return len(got), 0, 0
    same = at = 0
    wanted = [packet.tobytes() for packet in sent]
    for packet in (row.tobytes() for row in got):
        try:
            at = wanted.index(packet, at) + 1
            same += 1
        except ValueError:
            continue
    return same, len(sent) - same, len(got) - same
