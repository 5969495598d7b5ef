"""What passes an interface of the lab, as programs that are not ours see and decode it: tcpdump and tshark."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .namespace import Namespace


class Capture:
    """tcpdump on an interface of a namespace, from construction until `stop`."""

    def __init__(self, place: Namespace, interface: str, path: Path) -> None:
        self._process = place.popen(
            ["tcpdump", "-Z", "root", "-U", "-s", "0", "-i", interface, "-w", str(path), "udp or tcp"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        assert self._process.stderr is not None
        while b"listening on" not in self._process.stderr.readline():
            if self._process.poll() is not None:
                raise RuntimeError("tcpdump did not start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def fields(path: Path, query: str, *names: str) -> list[list[str]]:
    """tshark's own decoding: one row of fields for each packet that the filter passes."""
    arguments = ["tshark", "-r", str(path), "-Y", query, "-T", "fields", *(f"-e{name}" for name in names)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=120)
    return [line.split("\t") for line in done.stdout.splitlines()]
