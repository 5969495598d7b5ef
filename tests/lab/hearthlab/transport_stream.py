"""The parts of MPEG-TS (ISO/IEC 13818-1) that the lab judges by: packets, continuity, PAT, PMT, PCR, all vectorised.

A stream is a numpy array of shape (packets, 188). Nothing here comes from the product: it is the independent check.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

PACKET = 188
SYNC = 0x47
NULL_PID = 0x1FFF
PCR_MODULUS = 300 << 33  # of the 27 MHz clock


def packets_of(data: bytes | bytearray | memoryview) -> numpy.ndarray:
    """The whole packets in `data`, as a read-only view. Raises ValueError when one does not begin with 0x47."""
    count = len(data) // PACKET
    packets = numpy.frombuffer(data, dtype=numpy.uint8, count=count * PACKET).reshape(count, PACKET)
    wrong = numpy.flatnonzero(packets[:, 0] != SYNC)
    if wrong.size:
        raise ValueError(f"packet {wrong[0]} of {count} does not begin with 0x47")
    return packets


def pids(packets: numpy.ndarray) -> numpy.ndarray:
    return ((packets[:, 1].astype(numpy.uint16) & 0x1F) << 8) | packets[:, 2]


def has_payload(packets: numpy.ndarray) -> numpy.ndarray:
    return (packets[:, 3] & 0x10) != 0


def has_pcr(packets: numpy.ndarray) -> numpy.ndarray:
    return ((packets[:, 3] & 0x20) != 0) & (packets[:, 4] >= 7) & ((packets[:, 5] & 0x10) != 0)


def pcr_values(packets: numpy.ndarray) -> numpy.ndarray:
    """The 27 MHz clock reference of packets that all have one."""
    octets = packets[:, 6:12].astype(numpy.int64)
    base = (octets[:, 0] << 25) | (octets[:, 1] << 17) | (octets[:, 2] << 9) | (octets[:, 3] << 1) | (octets[:, 4] >> 7)
    return base * 300 + (((octets[:, 4] & 1) << 8) | octets[:, 5])


def write_pcr(packets: numpy.ndarray, values: numpy.ndarray) -> None:
    values = values % PCR_MODULUS
    base, extension = values // 300, values % 300
    packets[:, 6] = base >> 25
    packets[:, 7] = (base >> 17) & 0xFF
    packets[:, 8] = (base >> 9) & 0xFF
    packets[:, 9] = (base >> 1) & 0xFF
    packets[:, 10] = ((base & 1) << 7) | 0x7E | (extension >> 8)
    packets[:, 11] = extension & 0xFF


def continuity_errors(packets: numpy.ndarray) -> int:
    """How often a PID's counter does not follow. A packet without payload repeats the counter; one repeat of a packet
    is legal and not counted (ISO/IEC 13818-1 2.4.3.3)."""
    errors = 0
    all_pids = pids(packets)
    for pid in numpy.unique(all_pids):
        if pid == NULL_PID:
            continue
        own = packets[all_pids == pid]
        counters = (own[:, 3] & 0x0F).astype(numpy.int16)
        step = (counters[1:] - counters[:-1]) % 16
        expected = has_payload(own)[1:].astype(numpy.int16)
        wrong = step != expected
        repeated = wrong & (step == 0) & (own[1:] == own[:-1]).all(axis=1)
        announced = ((own[1:, 3] & 0x20) != 0) & (own[1:, 4] > 0) & ((own[1:, 5] & 0x80) != 0)
        errors += int((wrong & ~repeated & ~announced).sum())
    return errors


@dataclass(frozen=True)
class Programme:
    """What the tables say: the PMT's PID, and stream type by elementary PID."""

    number: int
    pmt_pid: int
    pcr_pid: int
    streams: dict[int, int]


def _section(packets: numpy.ndarray, pid: int, table_id: int) -> bytes | None:
    """The first section of a table that fits one packet and whose CRC is right."""
    for packet in packets[(pids(packets) == pid) & ((packets[:, 1] & 0x40) != 0)]:
        octets = packet.tobytes()
        start = 4 if not octets[3] & 0x20 else 5 + octets[4]
        if start >= PACKET:
            continue
        start += 1 + octets[start]
        if start + 3 > PACKET or octets[start] != table_id:
            continue
        end = start + 3 + (((octets[start + 1] & 0x0F) << 8) | octets[start + 2])
        if end <= PACKET and crc32_mpeg(octets[start:end]) == 0:
            return octets[start : end - 4]
    return None


def crc32_mpeg(data: bytes) -> int:
    """CRC-32/MPEG-2; zero over a section with its own CRC."""
    crc = 0xFFFFFFFF
    for octet in data:
        crc ^= octet << 24
        for _ in range(8):
            crc = ((crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def programme_of(packets: numpy.ndarray) -> Programme | None:
    """The first programme of a stream, from its PAT and PMT; None while either is missing."""
    pat = _section(packets, 0, 0x00)
    if pat is None:
        return None
    for at in range(8, len(pat) - 3, 4):
        number = (pat[at] << 8) | pat[at + 1]
        pmt_pid = ((pat[at + 2] & 0x1F) << 8) | pat[at + 3]
        if number == 0:
            continue
        pmt = _section(packets, pmt_pid, 0x02)
        if pmt is None:
            return None
        streams: dict[int, int] = {}
        position = 12 + (((pmt[10] & 0x0F) << 8) | pmt[11])
        while position + 5 <= len(pmt):
            streams[((pmt[position + 1] & 0x1F) << 8) | pmt[position + 2]] = pmt[position]
            position += 5 + (((pmt[position + 3] & 0x0F) << 8) | pmt[position + 4])
        return Programme(number, pmt_pid, ((pmt[8] & 0x1F) << 8) | pmt[9], streams)
    return None
