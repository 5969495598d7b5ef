"""A bad path between home and away: a relay in user space between two veths, since this kernel has no netem.

    internet --- right [trouble] left --- awaynat

`Impairment` puts the relay's namespace into the away NAT's cable. What the path does is a file of settings that is read
again on SIGHUP, so that a running stream meets other weather. Everything random comes from one seed.

Runs inside the namespace as a program of its own: `python3 -m hearthlab.impairment SETTINGS`.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .namespace import Namespace
from .service import ROOT
from .topology import Topology

_ETH_P_ALL = 3
_ETH_P_IP = b"\x08\x00"
_IGNORE_OUTGOING = 23  # PACKET_IGNORE_OUTGOING
_SOL_PACKET = 263
_SO_RCVBUFFORCE = 33
_BUFFER = 8 << 20
_BURST_S = 0.05  # what a narrow path lets through at once


@dataclass(frozen=True)
class Weather:
    """Of each way. Only IPv4 packets are touched; neighbours always find each other."""

    loss: float = 0.0  # 0 to 1
    burst: float = 1.0  # how many frames a loss takes with it in the mean; the share stays
    delay_ms: float = 0.0
    late: float = 0.0  # the share of frames that is held back besides, and so overtaken,
    late_ms: float = 0.0  # by up to this
    rate_bps: float = 0.0  # what exceeds it is dropped; 0: no limit
    seed: int = 1


class Air:
    """What becomes of frames one way."""

    def __init__(self, weather: Weather, number: int) -> None:
        self.set(weather, number)

    def set(self, weather: Weather, number: int) -> None:
        self._weather = weather
        self._random = random.Random(weather.seed * 2 + number)
        self._bad = False
        self._allowed = weather.rate_bps * _BURST_S
        self._filled: float | None = None

    def due(self, frame: bytes, now: float) -> float | None:
        """When a frame goes on; None: it is lost."""
        weather = self._weather
        if frame[12:14] != _ETH_P_IP:
            return now
        if self._lost(weather):
            return None
        if weather.rate_bps:
            limit = weather.rate_bps * _BURST_S
            self._allowed = min(limit, self._allowed + (now - (self._filled or now)) * weather.rate_bps)
            self._filled = now
            if self._allowed < len(frame) * 8:
                return None
            self._allowed -= len(frame) * 8
        late = weather.late and self._random.random() < weather.late
        return now + (weather.delay_ms + (self._random.uniform(0, weather.late_ms) if late else 0)) / 1000

    def _lost(self, weather: Weather) -> bool:
        """Two states, as Gilbert has them: in the bad one everything is lost."""
        if not weather.loss:
            return False
        if weather.loss >= 1:
            return True
        end = 1 / weather.burst
        begin = end * weather.loss / (1 - weather.loss)
        self._bad = self._random.random() < (1 - end if self._bad else begin)
        return self._bad


class _Way:
    """Frames from one interface to the other."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source = source
        self.target = target
        self.air = Air(Weather(), 0)


class _Lateness:
    """How long the machine kept the relay from its work at most, since the weather's last change; in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.forget()

    def forget(self) -> None:
        self._worst = 0.0
        self._write()

    def note(self, seconds: float) -> None:
        if seconds > self._worst + 0.001:
            self._worst = seconds
            self._write()

    def _write(self) -> None:
        with_all = self._file.with_suffix(".new")
        with_all.write_text(f"{self._worst * 1000:.1f}", encoding="ascii")
        with_all.replace(self._file)


def _open(interface: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    raw.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
    raw.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    raw.bind((interface, 0))
    raw.setblocking(False)
    return raw


def _frames(source: socket.socket) -> Iterator[bytes]:
    for _ in range(64):
        try:
            yield source.recv(65536)
        except OSError:  # nothing is there, or the cable was taken away: the lab ends
            return


def main(settings_path: str) -> None:
    left, right = _open("left"), _open("right")
    ways = (_Way(left, right), _Way(right, left))
    late = _Lateness(Path(settings_path + ".late"))

    def read_settings(*_: object) -> None:
        late.forget()
        weather = Weather(**json.loads(Path(settings_path).read_text(encoding="utf-8")))
        for number, way in enumerate(ways):
            way.air.set(weather, number)
        Path(settings_path + ".read").write_text(str(os.stat(settings_path).st_mtime_ns), encoding="ascii")

    read_settings()
    signal.signal(signal.SIGHUP, read_settings)
    waiting: list[tuple[float, int, socket.socket, bytes]] = []
    order = 0  # equal times keep their order
    while True:
        pause = min(0.5, max(0.0, waiting[0][0] - time.monotonic())) if waiting else 0.5
        asleep = time.monotonic()
        select.select([left, right], [], [], pause)
        late.note(time.monotonic() - asleep - pause)
        for way in ways:
            for frame in _frames(way.source):
                due = way.air.due(frame, time.monotonic())
                if due is not None:
                    order += 1
                    heapq.heappush(waiting, (due, order, way.target, frame))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            due, _, target, frame = heapq.heappop(waiting)
            late.note(now - due)
            try:
                target.send(frame)
            except OSError:
                pass  # as a full queue of a router


class Impairment:
    """The relay in the away NAT's cable, from construction until the lab goes down."""

    def __init__(self, topology: Topology, settings: Path, weather: Weather) -> None:
        self._settings = settings
        space = Namespace(topology.prefix, "trouble")
        space.create({"ipv6/conf/default/disable_ipv6": 1})
        internet, awaynat = topology["internet"], topology["awaynat"]
        internet.ip(f"link set away netns {space.full_name} name left")
        internet.ip(f"link add away type veth peer name right netns {space.full_name}")
        # A relay sees frames as they are handed over: checksums must be in them, and no frame be many.
        for place, interface in ((internet, "away"), (awaynat, "wan")):
            place.run("ethtool", "-K", interface, "tx", "off", "gso", "off", "tso", "off", "tx-udp-segmentation", "off")
        space.ip("link set left up", "link set right up")
        internet.ip("address add 192.0.2.1/24 dev away", "link set away up")
        self._write(weather)
        self._process: subprocess.Popen[bytes] = space.popen(
            [sys.executable, "-m", "hearthlab.impairment", str(settings)], cwd=ROOT / "tests" / "lab"
        )
        self._wait_until_read()

    def change(self, weather: Weather) -> None:
        self._write(weather)
        # `ip netns exec` replaces itself by the program, so this is the relay.
        self._process.send_signal(signal.SIGHUP)
        self._wait_until_read()

    def stalled_ms(self) -> float:
        """How much later than it should the relay passed on something, at most, since the last change: what a busy machine
        adds to the weather."""
        return float(Path(str(self._settings) + ".late").read_text(encoding="ascii"))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _write(self, weather: Weather) -> None:
        self._settings.write_text(json.dumps(asdict(weather)), encoding="utf-8")

    def _wait_until_read(self) -> None:
        wanted = str(os.stat(self._settings).st_mtime_ns)
        read = Path(str(self._settings) + ".read")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError("the relay has ended")
            if read.exists() and read.read_text(encoding="ascii") == wanted:
                return
            time.sleep(0.02)
        raise TimeoutError("the relay does not take its settings")


if __name__ == "__main__":
    main(sys.argv[1])
