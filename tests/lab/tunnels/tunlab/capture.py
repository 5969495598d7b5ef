"""What passes on the cable to the foreign peers: for counting what the box answers, and for tshark's opinion."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from hearthlab.namespace import Namespace

_ETH_P_ALL = 3
_PACKET_OUTGOING = 4
_SO_RCVBUFFORCE = 33
_ETHERNET = 14


@dataclass(frozen=True)
class Frame:
    outgoing: bool  # sent by the peers' machine
    octets: bytes

    @property
    def ends(self) -> tuple[str, str] | None:
        """The outer source and destination; nothing for what is no IP."""
        at = self.octets[_ETHERNET:]
        if at[0] >> 4 == 4 and len(at) >= 20:
            return socket.inet_ntoa(at[12:16]), socket.inet_ntoa(at[16:20])
        if at[0] >> 4 == 6 and len(at) >= 40:
            return socket.inet_ntop(socket.AF_INET6, at[8:24]), socket.inet_ntop(socket.AF_INET6, at[24:40])
        return None

    @property
    def is_neighbour_discovery(self) -> bool:
        at = self.octets[_ETHERNET:]
        return at[0] >> 4 == 6 and at[6] == 58 and 133 <= at[40] <= 137


class Capture:
    """From construction until `close`."""

    def __init__(self, space: Namespace, interface: str = "eth0") -> None:
        self.frames: list[Frame] = []
        self._socket = space.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        with space.entered():
            self._socket.bind((interface, _ETH_P_ALL))
        self._socket.settimeout(0.2)
        self._closing = False
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                octets, address = self._socket.recvfrom(65536)
                self.frames.append(Frame(address[2] == _PACKET_OUTGOING, octets))

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sent_to(self, address: str) -> list[bytes]:
        """IP packets that the box sent there, but for those by which it looks for a neighbour."""
        return [
            frame.octets[_ETHERNET:] for frame in list(self.frames)
            if not frame.outgoing and frame.ends and frame.ends[1] == address and not frame.is_neighbour_discovery
        ]

    def sent_from(self, address: str) -> list[bytes]:
        return [
            frame.octets[_ETHERNET:] for frame in list(self.frames)
            if frame.outgoing and frame.ends and frame.ends[0] == address and not frame.is_neighbour_discovery
        ]

    def write(self, path: Path) -> None:
        """As a pcap file."""
        now = int(time.time())
        with open(path, "wb") as out:
            out.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            for frame in list(self.frames):
                out.write(struct.pack("=IIII", now, 0, len(frame.octets), len(frame.octets)) + frame.octets)


def tshark(path: Path, *options: str, fields: tuple[str, ...]) -> list[list[str]]:
    """A row for each frame, a column for each field; values that occur more than once are joined by commas."""
    wanted = [part for field in fields for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), *options, "-T", "fields", "-E", "separator=|", *wanted],
        capture_output=True, text=True, check=True, timeout=120,
    )
    return [line.split("|") for line in done.stdout.splitlines()]
