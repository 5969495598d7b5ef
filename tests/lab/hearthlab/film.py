"""The film that the provider sends for ever: a loop without a seam.

It is made once with ffmpeg: H.264 and AAC, a moving picture with frame number and clock, a tone, a service name,
8 Mbit/s constant. Every turn of the loop continues the continuity counters and moves all time stamps on, so that a
receiver sees one endless, legal stream, and every packet's exact octets follow from its absolute number alone.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import numpy

from . import picture
from . import transport_stream as ts

RATE = 8_000_000  # bit/s of the whole multiplex
FRAMES_PER_SECOND = 25
FRAMES = 600
PER_DATAGRAM = 7
DATAGRAM = PER_DATAGRAM * ts.PACKET
_VERSION = "1"  # raise it when the film changes, so that cached ones are made anew
_TICKS = 27_000_000
_TICKS_PER_90KHZ = 300


def _ffmpeg(arguments: list[str]) -> None:
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *arguments],
        capture_output=True, text=True, check=False, timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(f"ffmpeg could not make the film: {done.stderr.strip()}")


def _multiplex(service: str, target: Path) -> list[str]:
    return [
        "-f", "mpegts", "-muxrate", str(RATE), "-pcr_period", "20", "-pat_period", "0.1", "-sdt_period", "0.5",
        "-metadata", f"service_name={service}", "-metadata", "service_provider=Hearthcast Lab", str(target),
    ]


def _encode(target: Path) -> None:
    seconds = str(FRAMES / FRAMES_PER_SECOND)
    _ffmpeg([
        "-f", "lavfi", "-t", seconds, "-i", f"testsrc2=size={picture.WIDTH}x{picture.HEIGHT}:rate={FRAMES_PER_SECOND}",
        "-f", "lavfi", "-t", seconds, "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000",
        "-vf", picture.filters(), "-pix_fmt", "yuv420p",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-keyint_min", "12", "-sc_threshold", "0", "-bf", "0",
        "-b:v", "6800k", "-minrate", "6800k", "-maxrate", "6800k", "-bufsize", "3400k",
        "-x264-params", "nal-hrd=cbr:force-cfr=1", "-c:a", "aac", "-b:a", "128k",
        *_multiplex("Hearthcast", target),
    ])


def make(folder: Path, service: str) -> Path:
    """The film with this service name, from the cache in `folder` or made now. Safe from several processes at once."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / f"film-{_VERSION}.ts"
    named = folder / f"film-{_VERSION}-{service.lower().replace(' ', '-')}.ts"
    with open(folder / "film.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not plain.exists():
            half = plain.with_suffix(".part")
            _encode(half)
            os.replace(half, plain)
        if not named.exists():
            half = named.with_suffix(".part")
            _ffmpeg(["-i", str(plain), "-map", "0", "-c", "copy", *_multiplex(service, half)])
            os.replace(half, named)
    return named


class Film:
    """A film in memory. Packets and datagrams are numbered from 0, through all turns of the loop."""

    def __init__(self, path: Path) -> None:
        packets = ts.packets_of(path.read_bytes())
        self._base = self._padded(packets)
        self.packets_per_turn = len(self._base)
        self.datagrams_per_turn = self.packets_per_turn // PER_DATAGRAM
        self.ticks_per_turn = self._ticks(self.packets_per_turn)
        self._pids = ts.pids(self._base)
        self._counter_step = self._counter_steps()
        self._pcr = numpy.flatnonzero(ts.has_pcr(self._base))
        self._stamps = self._time_stamps()
        self._stamp_keys = numpy.array([at for at, _ in self._stamps], dtype=numpy.int64)
        first = int(ts.pcr_values(self._base[self._pcr[:1]])[0])
        self._first_pcr = first - self._ticks(int(self._pcr[0]))
        self._position_by_pcr = {
            int(value): int(at) for value, at in zip(ts.pcr_values(self._base[self._pcr]), self._pcr)
        }

    @staticmethod
    def _ticks(packets: int) -> int:
        return packets * ts.PACKET * 8 * _TICKS // RATE

    @classmethod
    def _padded(cls, packets: numpy.ndarray) -> numpy.ndarray:
        """Null packets up to the film's full length, so that the time stamps of the next turn come when due; the number
        is one that fills datagrams and makes the turn a whole number of 90 kHz ticks."""
        enough = FRAMES * _TICKS // FRAMES_PER_SECOND
        count = len(packets)
        while (
            cls._ticks(count) < enough
            or count % PER_DATAGRAM
            or (count * ts.PACKET * 8 * 90_000) % RATE
        ):
            count += 1
        null = numpy.full((count - len(packets), ts.PACKET), 0xFF, dtype=numpy.uint8)
        null[:, :4] = (ts.SYNC, ts.NULL_PID >> 8, ts.NULL_PID & 0xFF, 0x10)
        return numpy.concatenate([packets, null])

    def _counter_steps(self) -> numpy.ndarray:
        """By packet: how far its PID's counter moves in one turn."""
        step = numpy.zeros(self.packets_per_turn, dtype=numpy.int64)
        payload = ts.has_payload(self._base)
        for pid in numpy.unique(self._pids):
            if pid != ts.NULL_PID:
                own = self._pids == pid
                step[own] = int((own & payload).sum()) % 16
        return step

    def _time_stamps(self) -> list[tuple[int, int]]:
        """Where each PTS and DTS lies: (packet, octet within it)."""
        found: list[tuple[int, int]] = []
        starts = (self._base[:, 1] & 0x40 != 0) & ts.has_payload(self._base)
        for at in numpy.flatnonzero(starts):
            packet = self._base[at]
            begin = 4 + (1 + int(packet[4]) if packet[3] & 0x20 else 0)
            if begin + 19 > ts.PACKET or bytes(packet[begin : begin + 3]) != b"\x00\x00\x01":
                continue
            flags = int(packet[begin + 7]) >> 6
            if flags & 2:
                found.append((int(at), begin + 9))
            if flags == 3:
                found.append((int(at), begin + 14))
        return found

    def block(self, first: int, count: int) -> numpy.ndarray:
        """`count` packets from absolute number `first`, as sent; may run over the seam."""
        turn, offset = divmod(first, self.packets_per_turn)
        if offset + count > self.packets_per_turn:
            here = self.packets_per_turn - offset
            return numpy.concatenate([self.block(first, here), self.block(first + here, count - here)])
        packets = self._base[offset : offset + count].copy()
        if turn:
            self._move_on(packets, offset, turn)
        return packets

    def _move_on(self, packets: numpy.ndarray, offset: int, turn: int) -> None:
        end = offset + len(packets)
        moved = (packets[:, 3] & 0x0F) + turn * self._counter_step[offset:end]
        packets[:, 3] = (packets[:, 3] & 0xF0) | (moved & 0x0F).astype(numpy.uint8)
        low, high = numpy.searchsorted(self._pcr, [offset, end])
        rows = self._pcr[low:high] - offset
        clocked = packets[rows]
        ts.write_pcr(clocked, ts.pcr_values(clocked) + turn * self.ticks_per_turn)
        packets[rows] = clocked
        later = turn * self.stamps_per_turn
        for at, octet in self._stamps_between(offset, end):
            _move_stamp(packets[at - offset], octet, later)

    def _stamps_between(self, first: int, end: int) -> list[tuple[int, int]]:
        low, high = numpy.searchsorted(self._stamp_keys, [first, end])
        return self._stamps[low:high]

    @property
    def stamps_per_turn(self) -> int:
        """The length of one turn in 90 kHz ticks, by which PTS and DTS move on."""
        return self.ticks_per_turn // _TICKS_PER_90KHZ

    @property
    def first_video_stamp(self) -> int:
        """The PTS of the first picture of turn 0."""
        programme = ts.programme_of(self._base)
        assert programme is not None
        at, octet = next((at, octet) for at, octet in self._stamps if self._pids[at] == programme.pcr_pid)
        return _read_stamp(self._base[at], octet)

    def datagrams(self, first: int, count: int) -> bytes:
        """`count` datagrams of DATAGRAM octets, end to end."""
        return self.block(first * PER_DATAGRAM, count * PER_DATAGRAM).tobytes()

    def number_of(self, pcr: int) -> int | None:
        """The absolute number of the packet that carries this PCR, or None when the film has no such packet."""
        turn, within = divmod(pcr - self._first_pcr, self.ticks_per_turn)
        at = self._position_by_pcr.get(within + self._first_pcr)
        return None if at is None or turn < 0 else turn * self.packets_per_turn + at


def _read_stamp(packet: numpy.ndarray, at: int) -> int:
    """The 33 bits of a PTS or DTS, which lie in five octets."""
    a, b, c, d, e = (int(octet) for octet in packet[at : at + 5])
    return ((a >> 1) & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1


def _move_stamp(packet: numpy.ndarray, at: int, later: int) -> None:
    """Adds 90 kHz ticks to a PTS or DTS."""
    stamp = (_read_stamp(packet, at) + later) % (1 << 33)
    packet[at] = (int(packet[at]) & 0xF1) | (stamp >> 30) << 1
    packet[at + 1] = (stamp >> 22) & 0xFF
    packet[at + 2] = ((stamp >> 15) & 0x7F) << 1 | 1
    packet[at + 3] = (stamp >> 7) & 0xFF
    packet[at + 4] = (stamp & 0x7F) << 1 | 1
