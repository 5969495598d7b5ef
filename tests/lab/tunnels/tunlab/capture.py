"""What passes on the cable to the foreign peers: for counting what the box answers, and for tshark's opinion."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from hearthlab.frame_tap import Frame, FrameTap
from hearthlab.namespace import Namespace

_ETHERNET = 14


def ends_of(frame: Frame) -> tuple[str, str] | None:
    """The outer source and destination; nothing for what is no IP."""
    at = frame.octets[_ETHERNET:]
    if at[0] >> 4 == 4 and len(at) >= 20:
        return socket.inet_ntoa(at[12:16]), socket.inet_ntoa(at[16:20])
    if at[0] >> 4 == 6 and len(at) >= 40:
        return socket.inet_ntop(socket.AF_INET6, at[8:24]), socket.inet_ntop(socket.AF_INET6, at[24:40])
    return None


def is_neighbour_discovery(frame: Frame) -> bool:
    at = frame.octets[_ETHERNET:]
    return at[0] >> 4 == 6 and at[6] == 58 and 133 <= at[40] <= 137


class Capture(FrameTap):
    """Of the peers' machine, so what is outgoing the peers sent."""

    def __init__(self, space: Namespace, interface: str = "eth0") -> None:
        super().__init__(space, interface)

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sent_to(self, address: str) -> list[bytes]:
        """IP packets that the box sent there, but for those by which it looks for a neighbour."""
        return self._packets(outgoing=False, end=1, address=address)

    def sent_from(self, address: str) -> list[bytes]:
        return self._packets(outgoing=True, end=0, address=address)

    def _packets(self, *, outgoing: bool, end: int, address: str) -> list[bytes]:
        return [
            frame.octets[_ETHERNET:] for frame in list(self.frames)
            if frame.outgoing == outgoing and (ends := ends_of(frame)) and ends[end] == address
            and not is_neighbour_discovery(frame)
        ]

    def write(self, path: Path) -> None:
        """As a pcap file."""
        path.write_bytes(self.pcap())


def tshark(path: Path, *options: str, fields: tuple[str, ...]) -> list[list[str]]:
    """A row for each frame, a column for each field; values that occur more than once are joined by commas."""
    wanted = [part for field in fields for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), *options, "-T", "fields", "-E", "separator=|", *wanted],
        capture_output=True, text=True, check=True, timeout=120,
    )
    return [line.split("|") for line in done.stdout.splitlines()]
