"""A flood of datagrams, evenly paced, from a program of its own: who measures what it does shares no interpreter with it.

Runs inside a namespace: `python3 -m hearthlab.flood SETTINGS`, the settings being JSON of {"datagrams": [hexadecimal,
...], "target": [address, port], "count": how many, "a_second": how many, "source": "address:port" or null}. With a source
the datagrams are forged to come from there, else they come from fifty sockets. At its end it prints {"sent": ..., "came":
octets that came back, "seconds": ...}.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .namespace import Namespace

SOCKETS = 50
_LATE_S = 0.05  # what is later than that is sent later still, not at once: a burst would be another test


@dataclass(frozen=True)
class Result:
    sent: int
    came: int
    seconds: float


class Flood:
    """A running flood. `source`: in whose name, IPv4."""

    def __init__(
        self, space: Namespace, target: tuple[str, int], datagrams: list[bytes], folder: Path, *, count: int, a_second: int,
        source: str | None = None,
    ) -> None:
        settings = folder / "flood.json"
        settings.write_text(json.dumps({
            "datagrams": [datagram.hex() for datagram in datagrams], "target": target, "count": count, "a_second": a_second,
            "source": source,
        }), encoding="ascii")
        self._process = space.popen(
            [sys.executable, "-m", "hearthlab.flood", str(settings)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise RuntimeError("the flood did not start")

    def run(self) -> Result:
        """The whole of it, to its end."""
        out, _ = self._process.communicate(b"go\n", timeout=300)
        return Result(**json.loads(out))

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _in_anothers_name(source: str, target: tuple[str, int]) -> tuple[socket.socket, Callable[[bytes], bytes]]:
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.connect((target[0], 0))
    address, port = source.rsplit(":", 1)

    def packet(datagram: bytes) -> bytes:
        udp = struct.pack("!HHHH", int(port), target[1], 8 + len(datagram), 0) + datagram  # no checksum: allowed in IPv4
        ends = socket.inet_aton(address) + socket.inet_aton(target[0])
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0) + ends + udp

    return raw, packet


def _send(sockets: list[socket.socket], datagrams: list[bytes], count: int, a_second: int) -> tuple[int, float]:
    sent, due, begin = 0, time.monotonic(), time.monotonic()
    for number in range(count):
        with contextlib.suppress(OSError):  # its own queue is full, or an earlier one was refused
            sockets[number % len(sockets)].send(datagrams[number % len(datagrams)])
            sent += 1
        due += 1 / a_second
        now = time.monotonic()
        due = max(due, now - _LATE_S)
        if due > now + 0.001:
            time.sleep(due - now)
    return sent, time.monotonic() - begin


def _octets(sockets: list[socket.socket]) -> int:
    came = 0
    for one in sockets:
        with contextlib.suppress(OSError):
            while True:
                came += len(one.recv(65536))
    return came


def main(path: str) -> None:
    settings = json.loads(Path(path).read_text(encoding="ascii"))
    target = (settings["target"][0], settings["target"][1])
    datagrams = [bytes.fromhex(datagram) for datagram in settings["datagrams"]]
    if settings["source"]:
        raw, packet = _in_anothers_name(settings["source"], target)
        sockets, datagrams = [raw], [packet(datagram) for datagram in datagrams]
    else:
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        for one in sockets:
            one.connect(target)
    for one in sockets:
        one.setblocking(False)
    print("ready", flush=True)
    sys.stdin.readline()
    sent, seconds = _send(sockets, datagrams, settings["count"], settings["a_second"])
    came = 0 if settings["source"] else _octets(sockets)
    print(json.dumps({"sent": sent, "came": came, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
